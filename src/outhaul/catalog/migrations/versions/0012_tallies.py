"""what finished exports amounted to, whatever becomes of them"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "tallies",
        sa.Column("account_id", sa.String(length=24), nullable=False),
        sa.Column("from_ms", sa.BigInteger(), nullable=False),
        sa.Column("exports", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("took_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_tallies_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "from_ms", name=op.f("pk_tallies")),
    )
    # Those that are still there; what was deleted before cannot be told any more.
    op.execute(
        "INSERT INTO tallies (account_id, from_ms, exports, rows, bytes, took_ms)"
        " SELECT account_id, finished_ms - finished_ms % 900000, count(*), sum(total),"
        " sum(coalesce(archive_bytes, 0)), sum(finished_ms - created_ms) FROM exports"
        " WHERE status = 'finished' GROUP BY account_id, finished_ms - finished_ms % 900000"
    )


def downgrade() -> None:
    raise NotImplementedError
