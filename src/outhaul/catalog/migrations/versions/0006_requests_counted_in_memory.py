"""requests are counted in memory; the table of counts goes"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_table("rates")


def downgrade() -> None:
    raise NotImplementedError
