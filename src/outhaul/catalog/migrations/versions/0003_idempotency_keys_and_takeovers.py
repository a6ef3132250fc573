"""what a caller named the create of an export, so that it can be repeated; takeovers of a step"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("exports", sa.Column("idempotency_key", sa.String(length=255), nullable=True))
    op.create_index(
        op.f("ix_exports_account_id_idempotency_key"),
        "exports",
        ["account_id", "idempotency_key"],
        unique=True,
    )
    for table in ("exports", "slices"):
        op.add_column(
            table, sa.Column("takeovers", sa.Integer(), nullable=False, server_default="0")
        )


def downgrade() -> None:
    raise NotImplementedError
