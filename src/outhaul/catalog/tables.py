"""The catalog's tables. Instants are whole milliseconds since 1970, UTC."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

breaking_revisions = Table(
    "breaking_revisions",
    metadata,
    # Revisions of these tables, of all that were applied, that a program has to know: see `layout`.
    Column("revision", String(32), primary_key=True),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("language", String(8), nullable=False),
    Column("mobile_push", Boolean, nullable=False),
    Column("blocked", Boolean, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    # The data directory that keeps the account's data, where several share the catalog; none as
    # long as nothing was kept.
    Column("home_id", ForeignKey("homes.id")),
)

homes = Table(
    "homes",
    metadata,
    Column("id", String(24), primary_key=True),
    # The node that owns the data directory, or did last; where it runs, and where its API is.
    Column("node_id", String(24), nullable=False),
    Column("machine", Text, nullable=False),
    Column("address", Text),
    Column("lease_until_ms", BigInteger, nullable=False),
)

nodes = Table(
    "nodes",
    metadata,
    # A process that works; none of them but the ones that beat is alive.
    Column("id", String(24), primary_key=True),
    Column("until_ms", BigInteger, nullable=False),
)

request_counts = Table(
    "request_counts",
    metadata,
    Column("account_id", String(24), primary_key=True),
    # When all of the account's requests will have been earned back.
    Column("full_ms", Double, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("secret_hash", String(64), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("revoked_ms", BigInteger),
)

link_keys = Table(
    "link_keys",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("key", LargeBinary, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
)

exports = Table(
    "exports",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("request", Text, nullable=False),
    Column("origin", String(8), nullable=False),
    Column("status", String(16), nullable=False),
    Column("progress", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("finished_ms", BigInteger),
    Column("failure", String(32)),
    Column("uuid", String(36), nullable=False),
    # How many plans an erasure has made void.
    Column("replans", Integer, nullable=False, server_default="0"),
    # The step that is due (plan, slices, assemble); none once the export has ended.
    Column("step", String(16)),
    Column("plan", Text),
    # Whether the slices can be rendered where the account's store is not.
    Column("portable", Boolean, nullable=False, server_default="0"),
    Column("archive_key", Text),
    Column("archive_bytes", BigInteger),
    Column("archive_sha256", String(64)),
    Column("lease_owner", String(24)),
    Column("lease_until_ms", BigInteger, nullable=False, default=0),
    # Counts claims; the fencing number of whoever holds the lease.
    Column("attempt", Integer, nullable=False, default=0),
    Column("faults", Integer, nullable=False, default=0),
    # Counts claims of the step that ended without a word: the worker died or hung.
    Column("takeovers", Integer, nullable=False, server_default="0"),
    # What a program has to understand to work on the export: domain.level.
    Column("work_level", Integer, nullable=False, server_default="0"),
    # What the caller named this create; none once the name has expired.
    Column("idempotency_key", String(255)),
    Index(None, "account_id", "created_ms", "id"),
    Index(None, "account_id", "idempotency_key", unique=True),
    Index(None, "step"),
)

slices = Table(
    "slices",
    metadata,
    Column("export_id", ForeignKey("exports.id", ondelete="CASCADE"), primary_key=True),
    Column("member", String(16), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("first_ms", BigInteger),
    Column("first_id", Text),
    Column("until_ms", BigInteger),
    Column("until_id", Text),
    Column("planned_rows", BigInteger, nullable=False),
    # Folder of the unload that the home has made of the slice, for others to render it.
    Column("unload", Text),
    # The facts of the rendered slice; all of them are missing until it is recorded.
    Column("rows", BigInteger),
    Column("text_bytes", BigInteger),
    Column("crc32", BigInteger),
    Column("compressed_bytes", BigInteger),
    Column("sha256", String(64)),
    Column("file_key", Text),
    Column("first_row_ms", BigInteger),
    Column("first_row_id", Text),
    Column("last_row_ms", BigInteger),
    Column("last_row_id", Text),
    Column("rendered_attempt", Integer),
    Column("lease_owner", String(24)),
    Column("lease_until_ms", BigInteger, nullable=False, default=0),
    Column("attempt", Integer, nullable=False, default=0),
    Column("faults", Integer, nullable=False, default=0),
    Column("takeovers", Integer, nullable=False, server_default="0"),
    Index(
        "ix_slices_due",
        "export_id",
        sqlite_where=text("crc32 IS NULL"),
        postgresql_where=text("crc32 IS NULL"),
    ),
)

manifests = Table(
    "manifests",
    metadata,
    Column("export_id", ForeignKey("exports.id", ondelete="CASCADE"), primary_key=True),
    Column("text", Text, nullable=False),
)

tallies = Table(
    "tallies",
    metadata,
    Column("account_id", ForeignKey("accounts.id"), primary_key=True),
    # The quarter of an hour in which the exports became finished; they may be gone since.
    Column("from_ms", BigInteger, primary_key=True, autoincrement=False),
    Column("exports", BigInteger, nullable=False),
    Column("rows", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    # From their creates to their files, all together.
    Column("took_ms", BigInteger, nullable=False),
)

reports = Table(
    "reports",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    # The whole report as JSON.
    Column("report", Text, nullable=False),
    Index(None, "account_id"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    # The account's erasure epoch that this erasure began.
    Column("epoch", BigInteger, nullable=False),
    Column("contact_id", String(64), nullable=False),
    Column("asked_ms", BigInteger, nullable=False),
    # When the contact was gone from the account's store, and in which commit.
    Column("erased_ms", BigInteger),
    Column("commit_number", BigInteger),
    # When the last file that held the contact was gone.
    Column("done_ms", BigInteger),
    Index(None, "account_id", "epoch", unique=True),
    Index(None, "done_ms"),
)

erased_files = Table(
    "erased_files",
    metadata,
    Column("erasure_id", ForeignKey("erasures.id"), primary_key=True),
    # Not a reference: the receipt outlives the export.
    Column("export_id", String(24), primary_key=True),
    # Prefix of the keys of the files.
    Column("prefix", Text, nullable=False),
    Column("deleted_ms", BigInteger),
)

audit = Table(
    "audit",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("at_ms", BigInteger, nullable=False),
    # None: on the server's command line.
    Column("key_id", String(22)),
    Column("action", String(32), nullable=False),
    # Id of what it was done to; not a reference, because the entry outlives it.
    Column("subject", String(150), nullable=False),
    Index(None, "account_id", "at_ms", "id"),
)

imports = Table(
    "imports",
    metadata,
    Column("id", String(24), primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("path", Text, nullable=False),
    Column("create_fields", Boolean, nullable=False),
    Column("delimiter", String(1)),
    Column("existing", String(16), nullable=False, server_default="override"),
    Column("uploaded", Boolean, nullable=False, server_default="0"),
    Column("status", String(16), nullable=False),
    Column("progress", BigInteger, nullable=False),
    Column("total", BigInteger, nullable=False),
    Column("taken", BigInteger),
    Column("refused", BigInteger),
    Column("detail", Text),
    Column("created_ms", BigInteger, nullable=False),
    Column("started_ms", BigInteger),
    Column("finished_ms", BigInteger),
    Column("lease_owner", String(24)),
    Column("lease_until_ms", BigInteger, nullable=False, default=0),
    Column("attempt", Integer, nullable=False, default=0),
    Column("faults", Integer, nullable=False, default=0),
    # As for exports; progress puts it back to none.
    Column("takeovers", Integer, nullable=False, server_default="0"),
    # As for exports.
    Column("work_level", Integer, nullable=False, server_default="0"),
    Index(None, "status"),
)
