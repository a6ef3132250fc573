"""Writing activities: they are only ever added, sorted by creation instant and id."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from outhaul.store.chunks import TURNED_AWAY
from outhaul.store.commits import Commit
from outhaul.store.families import FAMILIES, Family
from outhaul.store.purchases import count_purchases
from outhaul.store.schema import OPEN


@dataclass(frozen=True, kw_only=True)
class ActivityRows:
    """Staged activities: a table with n, id, type, createdAt, contactId, email, reasons."""

    staged: str
    lines: str | None
    """Table of product lines (n, position), if the file has any."""
    repeats: str | None
    """Table of the rows (n) that repeat an id of the file, if there are any."""
    own_ids: bool
    """Whether the file gives ids; without, no row can be in the store already."""
    import_id: str
    columns: Mapping[str, str]
    """By column of the store: the SQL of its value, over the staged row s."""
    line_columns: Mapping[str, str]
    """The same for product lines, over the line l."""

    def within(self, first: datetime | None, until: datetime | None) -> str:
        """The condition, on alias s, for good rows created from `first` up to before `until`."""
        condition = "s.reasons IS NULL"
        if first is not None:
            condition += f" AND s.\"createdAt\" >= TIMESTAMP '{first}'"
        if until is not None:
            condition += f" AND s.\"createdAt\" < TIMESTAMP '{until}'"
        return condition

    @property
    def id(self) -> str:
        """The id of the row with alias s: its own, else one that the same row always gets."""
        made = f"left(md5('{self.import_id}:' || s.n), 24)"
        return f"coalesce(s.id, {made})" if self.own_ids else made


def append(commit: Commit, rows: ActivityRows, edges: Sequence[datetime | None]) -> int:
    """Add the activities of one chunk and their product lines; returns the rows taken. The chunk
    goes from the first of the `edges` up to before the last (None: without an end), and is written
    part by part between them, so that wide rows find room.

    A row whose id is taken already is passed over. A contactId that no contact has turns the row
    away; an email that no contact has makes one, created when its first activity was. Totals of
    purchases follow.
    """
    within = rows.within(edges[0], edges[-1])
    unrepeated = _unrepeated(commit, rows, within)
    wanted = f"{within}{unrepeated}"
    _find_contacts(commit, rows, wanted)
    taken = sum(
        _append_family(commit, rows, f"{rows.within(*part)}{unrepeated}", family)
        for part in pairwise(edges)
        for family in FAMILIES
    )
    if rows.lines is not None:
        _append_lines(commit, rows, wanted)
    count_purchases(commit)
    return taken


def _unrepeated(commit: Commit, rows: ActivityRows, within: str) -> str:
    """A further condition that leaves out rows whose id is taken, in the file or the store."""
    condition = ""
    if rows.repeats is not None:
        condition += f" AND s.n NOT IN (SELECT n FROM {rows.repeats})"
    if rows.own_ids:
        # The store's ids stream past the chunk's, never the other way: they may be very many.
        commit.connection.execute(
            "CREATE OR REPLACE TEMP TABLE chunk_taken_ids AS SELECT id FROM activities"
            f" WHERE id IN (SELECT s.id FROM {rows.staged} AS s WHERE {within})"
        )
        found = commit.connection.execute("SELECT count(*) FROM chunk_taken_ids").fetchall()
        if found[0][0]:
            condition += " AND (s.id IS NULL OR s.id NOT IN (SELECT id FROM chunk_taken_ids))"
    return condition


def _find_contacts(commit: Commit, rows: ActivityRows, wanted: str) -> None:
    """Look up the chunk's contacts by id and by email; make those missing by email."""
    run, number = commit.connection.execute, commit.number
    at = f"TIMESTAMP '{commit.at:%Y-%m-%d %H:%M:%S.%f}'"
    run(
        "CREATE OR REPLACE TEMP TABLE chunk_ids AS SELECT c.id, c._email AS email FROM contacts"
        f' AS c WHERE c.commit_to = {OPEN} AND c.id IN (SELECT s."contactId" FROM {rows.staged}'
        f' AS s WHERE {wanted} AND s."contactId" IS NOT NULL)'
    )
    run(
        f"INSERT INTO {TURNED_AWAY} SELECT s.n, 'no contact has this contactId'"
        f' FROM {rows.staged} AS s WHERE {wanted} AND s."contactId" IS NOT NULL'
        ' AND NOT EXISTS (FROM chunk_ids AS i WHERE i.id = s."contactId")'
    )
    run(
        "CREATE OR REPLACE TEMP TABLE chunk_emails AS"
        " SELECT named.email, coalesce(c.id,"
        f" left(md5('{rows.import_id}:' || named.email), 24)) AS id,"
        " c.id IS NULL AS fresh, named.first FROM"
        f' (SELECT s.email, min(s."createdAt") AS first FROM {rows.staged} AS s'
        f' WHERE {wanted} AND s."contactId" IS NULL GROUP BY s.email) AS named'
        f" LEFT JOIN (SELECT id, _email FROM contacts WHERE commit_to = {OPEN}) AS c"
        " ON c._email = named.email"
    )
    run(
        f"INSERT INTO contacts BY NAME SELECT id, {number} AS commit_from, {OPEN} AS commit_to,"
        f' email AS _email, first AS "_createdAt", {at} AS "_updatedAt", false AS "_isAnonymous"'
        " FROM chunk_emails WHERE fresh ORDER BY first, id"
    )


def _append_family(commit: Commit, rows: ActivityRows, wanted: str, family: Family) -> int:
    fields = [field.id for field in family.fields if field.id in rows.columns]
    columns = "".join(f', {rows.columns[id_]} AS "{id_}"' for id_ in fields)
    types = ", ".join(f"'{type_}'" for type_ in sorted(family.types))
    taken = commit.connection.execute(
        f"INSERT INTO {family.table} BY NAME SELECT {rows.id} AS id, {commit.number} AS commit,"
        ' s.type, s."createdAt", coalesce(i.id, e.id) AS "contactId",'
        f" CASE WHEN i.id IS NULL THEN e.email ELSE i.email END AS email{columns}"
        f" FROM {rows.staged} AS s"
        ' LEFT JOIN chunk_ids AS i ON i.id = s."contactId"'
        ' LEFT JOIN chunk_emails AS e ON s."contactId" IS NULL AND e.email = s.email'
        f" WHERE s.type IN ({types}) AND {wanted} AND (i.id IS NOT NULL OR e.id IS NOT NULL)"
        ' ORDER BY s."createdAt", 1'
    ).fetchall()[0][0]
    return int(taken)


def _append_lines(commit: Commit, rows: ActivityRows, wanted: str) -> None:
    columns = "".join(f', {value} AS "{id_}"' for id_, value in rows.line_columns.items())
    commit.connection.execute(
        'INSERT INTO product_lines BY NAME SELECT a.id AS "activityId", a.commit, a.type,'
        f' a."createdAt", a."contactId", a.email, l.position{columns}'
        f" FROM {rows.lines} AS l JOIN {rows.staged} AS s ON s.n = l.n"
        f" JOIN activities AS a ON a.id = {rows.id} AND a.commit = {commit.number}"
        f' WHERE {wanted} ORDER BY a."createdAt", a.id, l.position'
    )
