"""rolling upgrades: the level that exports and imports need; revisions that older nodes cannot take

Revisions may be `breaking = True`: programs that do not know them cannot work with the tables any
more. All others only add, and programs of the version before go on: docs/decisions/0016.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "breaking_revisions",
        sa.Column("revision", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_breaking_revisions")),
    )
    # Not as a batch: on SQLite that makes the table anew, and other tables' rows refer to the old.
    for table in ("exports", "imports"):
        column = sa.Column("work_level", sa.Integer(), nullable=False, server_default="0")
        op.add_column(table, column)


def downgrade() -> None:
    raise NotImplementedError
