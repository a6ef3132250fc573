"""Writing contacts: many rows at once, with the outcome of applying them one after the other.

Rows that share neither contact, email nor external id cannot influence each other, so all of
them are applied together. The others, which are rare, are applied in rounds: a row waits until
no earlier row shares anything with it.
"""

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.imports import Existing
from outhaul.store.chunks import TURNED_AWAY
from outhaul.store.commits import Commit
from outhaul.store.contact_rows import ContactRows
from outhaul.store.new_contacts import insert_if_all_new
from outhaul.store.purchases import keep_restored
from outhaul.store.schema import OPEN

_OWN_DEFAULTS = ("_createdAt", "_updatedAt", "_isAnonymous")


def upsert(
    commit: Commit, rows: ContactRows, first: int, until: int, *, cancellation: Cancellation
) -> int:
    """Apply the good staged rows from `first` up to before `until`; returns the rows taken."""
    taken = insert_if_all_new(commit, rows, first, until)
    if taken is not None:
        return taken
    run = commit.connection.execute
    run(
        "CREATE OR REPLACE TEMP TABLE chunk_pending AS SELECT * FROM"
        f" {rows.staged} WHERE n >= {first} AND n < {until} AND reasons IS NULL"
    )
    good = run("SELECT count(*) FROM chunk_pending").fetchall()[0][0]
    _resolve(commit, rows)
    run(
        "CREATE OR REPLACE TEMP TABLE chunk_ready AS SELECT n FROM chunk_resolved"
        f" WHERE who NOT IN ({_ENTANGLED})"
    )
    _apply_ready(commit, rows)
    while run("SELECT count(*) FROM chunk_pending").fetchall()[0][0]:
        cancellation.check()
        _resolve(commit, rows)
        run(f"CREATE OR REPLACE TEMP TABLE chunk_ready AS {_FIRST_IN_ALL}")
        _apply_ready(commit, rows)
    turned_away = run(f"SELECT count(*) FROM {TURNED_AWAY}").fetchall()[0][0]
    return int(good - turned_away)


def _resolve(commit: Commit, rows: ContactRows) -> None:
    """Say for each pending row whom it means now, and everything it may read or change."""
    commit.connection.execute(
        "CREATE OR REPLACE TEMP TABLE chunk_resolved AS"
        f' WITH open_contacts AS (SELECT id, _email, "_externalId" FROM contacts'
        f" WHERE commit_to = {OPEN}), named AS ("
        f" SELECT p.n, {rows.value('_email', 'p')}::VARCHAR AS email,"
        f" {rows.sets('_email', 'p')} AS sets_email,"
        f" {rows.value('_externalId', 'p')}::VARCHAR AS external,"
        f" {rows.sets('_externalId', 'p')} AS sets_external, p.id FROM chunk_pending AS p"
        "), found AS ("
        " SELECT named.*, e.id AS email_owner, x.id AS external_owner,"
        " coalesce(named.id, e.id) AS target FROM named"
        " LEFT JOIN open_contacts AS e ON e._email = named.email"
        ' LEFT JOIN open_contacts AS x ON x."_externalId" = named.external'
        ") SELECT found.*, coalesce('i' || target, 'e' || email) AS who, list_filter(["
        " 'i' || target, 'e' || email, 'x' || external,"
        " CASE WHEN sets_email AND email IS DISTINCT FROM held._email"
        " THEN 'e' || held._email END,"
        ' CASE WHEN sets_external AND external IS DISTINCT FROM held."_externalId"'
        " THEN 'x' || held.\"_externalId\" END], lambda t: t IS NOT NULL) AS touches"
        " FROM found LEFT JOIN open_contacts AS held ON held.id = target"
    )


_ENTANGLED = (
    "WITH touched AS (SELECT DISTINCT who, unnest(touches) AS touch FROM chunk_resolved)"
    " SELECT who FROM touched WHERE touch IN"
    " (SELECT touch FROM touched GROUP BY touch HAVING count(*) > 1)"
    " UNION SELECT who FROM chunk_resolved GROUP BY who HAVING count(DISTINCT"
    " {'a': sets_email, 'b': email, 'c': sets_external, 'd': external}) > 1"
)
_FIRST_IN_ALL = (
    "SELECT n FROM (SELECT n, n = min(n) OVER (PARTITION BY touch) AS first"
    " FROM (SELECT n, unnest(touches) AS touch FROM chunk_resolved))"
    " GROUP BY n HAVING bool_and(first)"
)


def _apply_ready(commit: Commit, rows: ContactRows) -> None:
    run = commit.connection.execute
    run(
        f"INSERT INTO {TURNED_AWAY} SELECT n, concat_ws('; ',"
        " CASE WHEN email_owner <> target THEN '_email belongs to another contact' END,"
        " CASE WHEN external_owner IS NOT NULL AND external_owner IS DISTINCT FROM target"
        " THEN '_externalId belongs to another contact' END)"
        " FROM chunk_resolved WHERE n IN (SELECT n FROM chunk_ready) AND (email_owner <> target"
        " OR (external_owner IS NOT NULL AND external_owner IS DISTINCT FROM target))"
    )
    _fold(commit, rows)
    _merge(commit, rows)
    if totals := rows.sets_totals("f"):
        keep_restored(commit, f"SELECT target FROM chunk_folded AS f WHERE {totals}")
    run("DELETE FROM chunk_pending WHERE n IN (SELECT n FROM chunk_ready)")


def _fold(commit: Commit, rows: ContactRows) -> None:
    """One row a contact: the last value set to each column, the first to `_createdAt`."""
    new_id = rows.new_id("min(n) OVER (PARTITION BY who)")
    accepted = (
        f"SELECT p.* EXCLUDE (id), coalesce(r.target, {new_id}) AS target,"
        " count(*) OVER (PARTITION BY who) AS times"
        " FROM chunk_pending AS p JOIN (SELECT * FROM chunk_resolved WHERE"
        " n IN (SELECT n FROM chunk_ready)"
        f" AND n NOT IN (SELECT n FROM {TURNED_AWAY})) AS r USING (n)"
    )
    folded = ["target", "max(n) AS n"]
    if rows.sparse:
        folded.append("list_distinct(flatten(list(given))) AS given")
    for column in rows.columns:
        pick = "arg_min" if column == "_createdAt" else "arg_max"
        folded.append(
            f"{pick}({{'v': \"{column}\"}}, n) FILTER (WHERE {rows.sets(column, 'accepted')}).v"
            f' AS "{column}"'
        )
    commit.connection.execute(
        f"CREATE OR REPLACE TEMP TABLE chunk_folded AS WITH accepted AS MATERIALIZED ({accepted})"
        " SELECT * FROM accepted WHERE times = 1 UNION ALL BY NAME"
        f" SELECT {', '.join(folded)} FROM accepted WHERE times > 1 GROUP BY target"
    )


def _merge(commit: Commit, rows: ContactRows) -> None:
    """Open a new version of every contact that the folded rows make or change."""
    run, number = commit.connection.execute, commit.number
    at = f"TIMESTAMP '{commit.at:%Y-%m-%d %H:%M:%S.%f}'"

    def may_set(column: str) -> str:
        match rows.existing:
            case Existing.OVERRIDE:
                return ""
            case Existing.FILL:
                return f' AND held."{column}" IS NULL'
            case Existing.KEEP:
                return " AND held.id IS NULL"

    def after(column: str) -> str:
        return (
            f"CASE WHEN {rows.sets(column, 'f')}{may_set(column)} THEN {rows.value(column, 'f')}"
            f' ELSE held."{column}" END'
        )

    nameless = f"({after('_email')}) IS NULL AND ({after('_externalId')}) IS NULL"
    same_name = (
        f"held.id IS NOT NULL AND ({after('_email')}) IS NOT DISTINCT FROM held._email"
        f' AND ({after("_externalId")}) IS NOT DISTINCT FROM held."_externalId"'
        f" AND NOT {rows.sets('_isAnonymous', 'f')}"
    )
    anonymous = (
        f"coalesce({rows.value('_isAnonymous', 'f')},"
        f' CASE WHEN {same_name} THEN held."_isAnonymous" END, {nameless})'
    )
    plain = [column for column in rows.columns if column not in _OWN_DEFAULTS]
    updated = rows.value("_updatedAt", "f")
    replaced = [f'{after(column)} AS "{column}"' for column in plain]
    replaced += [
        "f.target AS id",
        f"{number} AS commit_from",
        f"{OPEN} AS commit_to",
        f'coalesce(held."_createdAt", {rows.value("_createdAt", "f")}, {at}) AS "_createdAt"',
        f'coalesce({updated}, {at}) AS "_updatedAt"',
        f'{anonymous} AS "_isAnonymous"',
    ]
    differs = [f'({after(column)}) IS DISTINCT FROM held."{column}"' for column in plain]
    differs += [
        "held.id IS NULL",
        f'({updated} IS NOT NULL AND {updated} <> held."_updatedAt")',
        f'({anonymous}) IS DISTINCT FROM held."_isAnonymous"',
    ]
    run(
        f"CREATE OR REPLACE TEMP TABLE chunk_versions AS"
        f" SELECT held.* REPLACE ({', '.join(replaced)}), f.n AS place, held.id AS held_id,"
        f" held._email AS held_email FROM chunk_folded AS f LEFT JOIN"
        f" (SELECT * FROM contacts WHERE commit_to = {OPEN}) AS held ON held.id = f.target"
        f" WHERE {' OR '.join(differs)}"
    )
    changed = "SELECT held_id FROM chunk_versions WHERE held_id IS NOT NULL"
    # A version that this very commit opened in an earlier round is part of no snapshot.
    run(f"DELETE FROM contacts WHERE commit_from = {number} AND id IN ({changed})")
    run(f"UPDATE contacts SET commit_to = {number} WHERE commit_to = {OPEN} AND id IN ({changed})")
    run(
        "INSERT INTO contacts BY NAME SELECT * EXCLUDE (place, held_id, held_email)"
        " FROM chunk_versions ORDER BY place"
    )
    moved = "FROM chunk_versions WHERE held_id IS NOT NULL AND held_email IS DISTINCT FROM _email"
    run(
        f"DELETE FROM identity_changes WHERE commit = {number}"
        f" AND contact_id IN (SELECT id {moved})"
    )
    run(f"INSERT INTO identity_changes SELECT id, {number}, _email {moved}")
