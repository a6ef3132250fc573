"""many nodes: homes and the accounts they keep, who works, counts of requests; due slices"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "homes",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("node_id", sa.String(length=24), nullable=False),
        sa.Column("machine", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("lease_until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_homes")),
    )
    op.create_table(
        "nodes",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("until_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nodes")),
    )
    # Only PostgreSQL's is used, and there what is forgotten in a crash needs no log.
    unlogged = ["UNLOGGED"] if op.get_context().dialect.name == "postgresql" else []
    op.create_table(
        "request_counts",
        sa.Column("account_id", sa.String(length=24), nullable=False),
        sa.Column("full_ms", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_request_counts")),
        prefixes=unlogged,
    )
    # Not as a batch: on SQLite that makes the table anew, and other tables' rows refer to the old.
    op.execute(
        "ALTER TABLE accounts ADD COLUMN home_id VARCHAR(24)"
        " CONSTRAINT fk_accounts_home_id REFERENCES homes (id)"
    )
    op.add_column(
        "exports", sa.Column("portable", sa.Boolean(), nullable=False, server_default="0")
    )
    where = sa.text("crc32 IS NULL")
    op.create_index(
        "ix_slices_due", "slices", ["export_id"], sqlite_where=where, postgresql_where=where
    )


def downgrade() -> None:
    raise NotImplementedError
