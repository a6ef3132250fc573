"""manifests, and the keys of a slice's first and last row"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "manifests",
        sa.Column("export_id", sa.String(length=24), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["export_id"],
            ["exports.id"],
            name=op.f("fk_manifests_export_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("export_id", name=op.f("pk_manifests")),
    )
    for name in ("first_row", "last_row"):
        op.add_column("slices", sa.Column(f"{name}_ms", sa.BigInteger(), nullable=True))
        op.add_column("slices", sa.Column(f"{name}_id", sa.Text(), nullable=True))
    op.add_column("slices", sa.Column("rendered_attempt", sa.Integer(), nullable=True))
    # A slice recorded before has no such keys: it is rendered again.
    op.execute(
        "UPDATE slices SET crc32 = NULL, rows = NULL, sha256 = NULL, file_key = NULL"
        " WHERE export_id IN (SELECT id FROM exports WHERE step IS NOT NULL)"
    )
    op.execute("UPDATE exports SET step = 'slices', attempt = attempt + 1 WHERE step = 'assemble'")


def downgrade() -> None:
    raise NotImplementedError
