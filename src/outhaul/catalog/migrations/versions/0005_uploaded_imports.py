"""imports that come over HTTP: their options, and when they started"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("delimiter", sa.String(length=1), nullable=True),
        sa.Column("existing", sa.String(length=16), nullable=False, server_default="override"),
        sa.Column("uploaded", sa.Boolean(), nullable=False, server_default="0"),
        sa.Column("started_ms", sa.BigInteger(), nullable=True),
    ):
        op.add_column("imports", column)


def downgrade() -> None:
    raise NotImplementedError
