"""Writing contacts that are all new: most of a first import, without the steps of an update."""

from outhaul.store.commits import Commit
from outhaul.store.contact_rows import ContactRows
from outhaul.store.purchases import keep_restored
from outhaul.store.schema import OPEN


def insert_if_all_new(commit: Commit, rows: ContactRows, first: int, until: int) -> int | None:
    """Add the good staged rows from `first` up to before `until`, and return how many they are,
    if each means a contact of its own that the store does not have; else do nothing: None."""
    good = f"{rows.staged} AS f WHERE f.n >= {first} AND f.n < {until} AND reasons IS NULL"
    if not _all_new(commit, rows, good):
        return None
    run = commit.connection.execute
    at = f"TIMESTAMP '{commit.at:%Y-%m-%d %H:%M:%S.%f}'"
    own_id = f"coalesce(f.id, {rows.new_id('f.n')})"
    nameless = f"{rows.value('_email', 'f')} IS NULL AND {rows.value('_externalId', 'f')} IS NULL"
    values = {column: rows.value(column, "f") for column in rows.columns} | {
        "id": own_id,
        "commit_from": str(commit.number),
        "commit_to": str(OPEN),
        "_createdAt": f"coalesce({rows.value('_createdAt', 'f')}, {at})",
        "_updatedAt": f"coalesce({rows.value('_updatedAt', 'f')}, {at})",
        "_isAnonymous": f"coalesce({rows.value('_isAnonymous', 'f')}, {nameless})",
    }
    named = ", ".join(f'{value} AS "{column}"' for column, value in values.items())
    # Without a join the engine would keep the rows in order, and with so many columns then leave
    # their compression to the next checkpoint.
    joined = f"f.n IN (SELECT n FROM {rows.staged} WHERE n >= {first} AND n < {until})"
    insert = f"INSERT INTO contacts BY NAME SELECT {named} FROM {good} AND {joined}"
    added = run(insert).fetchall()[0][0]
    if totals := rows.sets_totals("f"):
        keep_restored(commit, f"SELECT {own_id} FROM {good} AND ({totals})")
    return int(added)


def _all_new(commit: Commit, rows: ContactRows, good: str) -> bool:
    """Whether nothing that tells contacts apart is in the store already, or in two rows."""
    names = [
        name for name in ("id", "_email", "_externalId") if name == "id" or name in rows.columns
    ]
    single = " AND ".join(f'count("{name}") = count(DISTINCT "{name}")' for name in names)
    held = " OR ".join(f'"{name}" IN (SELECT f."{name}" FROM {good})' for name in names)
    return bool(
        commit.connection.execute(
            f"SELECT ({single}) AND NOT EXISTS"
            f" (SELECT 1 FROM contacts WHERE commit_to = {OPEN} AND ({held})) FROM {good}"
        ).fetchall()[0][0]
    )
