"""erasures, the receipts of what they deleted, and how often an export was planned again"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exports", sa.Column("replans", sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "erasures",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("account_id", sa.String(length=24), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.String(length=64), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("erased_ms", sa.BigInteger(), nullable=True),
        sa.Column("commit_number", sa.BigInteger(), nullable=True),
        sa.Column("done_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_erasures_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
    )
    op.create_index(
        op.f("ix_erasures_account_id_epoch"), "erasures", ["account_id", "epoch"], unique=True
    )
    op.create_index(op.f("ix_erasures_done_ms"), "erasures", ["done_ms"])
    op.create_table(
        "erased_files",
        sa.Column("erasure_id", sa.String(length=24), nullable=False),
        sa.Column("export_id", sa.String(length=24), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("deleted_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["erasure_id"], ["erasures.id"], name=op.f("fk_erased_files_erasure_id")
        ),
        sa.PrimaryKeyConstraint("erasure_id", "export_id", name=op.f("pk_erased_files")),
    )


def downgrade() -> None:
    raise NotImplementedError
