"""takeovers of an import"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "imports", sa.Column("takeovers", sa.Integer(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    raise NotImplementedError
