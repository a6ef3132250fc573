"""unloads of single slices, so that other nodes begin while the home still unloads"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("slices", sa.Column("unload", sa.Text()))


def downgrade() -> None:
    raise NotImplementedError
