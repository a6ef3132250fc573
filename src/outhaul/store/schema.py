"""The tables of an account's file.

`commit_from` and `commit_to` bound a row version: it is part of every snapshot s with
commit_from <= s < commit_to. The open version has commit_to = OPEN. Activities are only ever
added, so one `commit` is enough for them; a purchase can be taken back, by the commit `retracted`.
Text of activities and product lines is kept as the finished cell of a file, in quotes with quotes
doubled: it is read for export again and again.

Activities carry contact id and email as they were on arrival, because joining a million contacts
in every slice costs more than rendering it; `identity_changes` holds what has become of an email
since, and is usually small (see docs/decisions).
"""

import duckdb

from outhaul.domain.activity_types import PRODUCT_FIELDS
from outhaul.domain.export import FieldType
from outhaul.domain.fields import CONTACT_FIELDS
from outhaul.store.families import FAMILIES, RETRACTABLE, Family

OPEN = 9223372036854775807
LAYOUT = 2

SQL_TYPES = {
    FieldType.TEXT: "VARCHAR",
    FieldType.EMAIL: "VARCHAR",
    FieldType.PHONE: "VARCHAR",
    FieldType.RADIO: "VARCHAR",
    FieldType.IP: "VARCHAR",
    FieldType.INTEGER: "BIGINT",
    FieldType.DECIMAL: "DECIMAL(18,6)",
    FieldType.MONEY: "DECIMAL(18,6)",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "DATE",
    FieldType.INSTANT: "TIMESTAMP",
    FieldType.CHECKBOX: "VARCHAR",
    FieldType.JSON: "VARCHAR",
}


_ADDITIONS = (
    "CREATE TABLE IF NOT EXISTS tombstones (contact_id VARCHAR NOT NULL, commit BIGINT NOT NULL)",
    # Missing for contacts erased before there was this column.
    "ALTER TABLE tombstones ADD COLUMN IF NOT EXISTS erased_at TIMESTAMP",
    # All of a field's definition as JSON; missing for fields that an import made.
    "ALTER TABLE contact_fields ADD COLUMN IF NOT EXISTS details VARCHAR",
    # Row versions are complete from snapshot `floor` on; whoever drops older ones raises it.
    "CREATE TABLE IF NOT EXISTS history (floor BIGINT NOT NULL)",
    # What files have said of contacts' purchases, and when; purchases after that are added.
    "CREATE TABLE IF NOT EXISTS restored_totals (contact_id VARCHAR NOT NULL,"
    " restored_at TIMESTAMP NOT NULL, purchases BIGINT, amount DECIMAL(18,6), first_at TIMESTAMP,"
    " last_at TIMESTAMP)",
    # The rules of dynamic segments as JSON; a static segment has none.
    "CREATE TABLE IF NOT EXISTS segment_rules (segment_id VARCHAR NOT NULL, rule VARCHAR NOT NULL,"
    " commit_from BIGINT NOT NULL, commit_to BIGINT NOT NULL)",
    *(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS retracted BIGINT" for table in RETRACTABLE),
    "CREATE INDEX IF NOT EXISTS contacts_email ON contacts (_email)",
    'CREATE INDEX IF NOT EXISTS contacts_external_id ON contacts ("_externalId")',
)
"""What files of this layout may lack, because it came later; made without touching a row."""


def ensure(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables in the connection's current database, unless they are there.

    Raises RuntimeError when the file has another layout than this program knows.
    """
    connection.begin()
    connection.execute("CREATE TABLE IF NOT EXISTS layout (number INTEGER NOT NULL)")
    found = connection.execute("SELECT max(number) FROM layout").fetchall()[0][0]
    if found is None:
        for statement in _statements():
            connection.execute(statement)
        connection.execute("INSERT INTO layout VALUES (?)", [LAYOUT])
    for statement in _ADDITIONS:
        connection.execute(statement)
    connection.commit()
    if found is not None and found != LAYOUT:
        raise RuntimeError(f"the store has layout {found}; this Outhaul knows only {LAYOUT}")


def _statements() -> list[str]:
    contact_columns = ", ".join(
        f'"{field.id}" {SQL_TYPES[field.type]}' for field in CONTACT_FIELDS if field.id != "id"
    )
    product_columns = ", ".join(
        f'"{field.id}" {SQL_TYPES[field.type]}' for field in PRODUCT_FIELDS.values()
    )
    return [
        "CREATE TABLE commits (number BIGINT NOT NULL, instant TIMESTAMP NOT NULL, source VARCHAR)",
        "CREATE TABLE applied_chunks (import_id VARCHAR NOT NULL, chunk INTEGER NOT NULL,"
        " commit BIGINT NOT NULL, taken BIGINT NOT NULL)",
        "CREATE TABLE contact_fields (ordinal INTEGER NOT NULL, id VARCHAR NOT NULL,"
        " name VARCHAR NOT NULL, type VARCHAR NOT NULL, commit_from BIGINT NOT NULL,"
        " commit_to BIGINT NOT NULL)",
        "CREATE TABLE contacts (id VARCHAR NOT NULL, commit_from BIGINT NOT NULL,"
        f" commit_to BIGINT NOT NULL, {contact_columns})",
        *(_activity_table(family) for family in FAMILIES),
        "CREATE VIEW activities AS "
        + " UNION ALL ".join(
            f'SELECT id, commit, type, "createdAt", "contactId", email FROM {family.table}'
            for family in FAMILIES
        ),
        'CREATE TABLE product_lines ("activityId" VARCHAR NOT NULL, commit BIGINT NOT NULL,'
        ' type VARCHAR NOT NULL, "createdAt" TIMESTAMP NOT NULL, "contactId" VARCHAR NOT NULL,'
        f" email VARCHAR, position INTEGER NOT NULL, {product_columns})",
        "CREATE TABLE identity_changes (contact_id VARCHAR NOT NULL, commit BIGINT NOT NULL,"
        " email VARCHAR)",
        "CREATE TABLE segments (id VARCHAR NOT NULL, name VARCHAR NOT NULL,"
        " commit_from BIGINT NOT NULL, commit_to BIGINT NOT NULL)",
        "CREATE TABLE segment_members (segment_id VARCHAR NOT NULL, contact_id VARCHAR NOT NULL,"
        " commit_from BIGINT NOT NULL, commit_to BIGINT NOT NULL)",
    ]


def _activity_table(family: Family) -> str:
    fields = "".join(f', "{field.id}" {SQL_TYPES[field.type]}' for field in family.fields)
    return (
        f"CREATE TABLE {family.table} (id VARCHAR NOT NULL, commit BIGINT NOT NULL,"
        ' type VARCHAR NOT NULL, "createdAt" TIMESTAMP NOT NULL, "contactId" VARCHAR NOT NULL,'
        f" email VARCHAR{fields})"
    )
