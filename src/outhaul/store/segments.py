"""Writing segments: members are added, a new name renames."""

from outhaul.store.chunks import TURNED_AWAY
from outhaul.store.commits import Commit
from outhaul.store.schema import OPEN


def add_members(commit: Commit, staged: str, first: int, until: int) -> int:
    """Apply the good rows (segmentId, segmentName, contactId, email) of the staged table from
    `first` up to before `until`; returns the rows taken. The last name in file order counts."""
    run, number = commit.connection.execute, commit.number
    run(
        "CREATE OR REPLACE TEMP TABLE chunk_members AS WITH open_contacts AS"
        f" (SELECT id, _email FROM contacts WHERE commit_to = {OPEN})"
        ' SELECT s.n, s."segmentId" AS segment_id, s."segmentName" AS name,'
        ' coalesce(i.id, e.id) AS contact_id, s."contactId" IS NOT NULL AS by_id'
        f' FROM {staged} AS s LEFT JOIN open_contacts AS i ON i.id = s."contactId"'
        ' LEFT JOIN open_contacts AS e ON s."contactId" IS NULL AND e._email = s.email'
        f" WHERE s.n >= {first} AND s.n < {until} AND s.reasons IS NULL"
    )
    run(
        f"INSERT INTO {TURNED_AWAY} SELECT n, 'no contact has this '"
        " || CASE WHEN by_id THEN 'contactId' ELSE 'email' END"
        " FROM chunk_members WHERE contact_id IS NULL"
    )
    run("DELETE FROM chunk_members WHERE contact_id IS NULL")
    with_rule = (
        " FROM chunk_members WHERE segment_id IN"
        f" (SELECT segment_id FROM segment_rules WHERE commit_to = {OPEN})"
    )
    run(
        f"INSERT INTO {TURNED_AWAY} SELECT n, 'a rule finds the members of this segment'{with_rule}"
    )
    run(f"DELETE{with_rule}")
    run(
        "CREATE OR REPLACE TEMP TABLE chunk_names AS SELECT named.* FROM ("
        "SELECT segment_id AS id, arg_max(name, n) AS name FROM chunk_members GROUP BY segment_id"
        f") AS named ANTI JOIN (SELECT * FROM segments WHERE commit_to = {OPEN}) AS held"
        " ON held.id = named.id AND held.name = named.name"
    )
    run(
        f"UPDATE segments SET commit_to = {number}"
        f" WHERE commit_to = {OPEN} AND id IN (SELECT id FROM chunk_names)"
    )
    run(f"INSERT INTO segments SELECT id, name, {number}, {OPEN} FROM chunk_names ORDER BY id")
    run(
        f"INSERT INTO segment_members SELECT segment_id, contact_id, {number}, {OPEN} FROM ("
        " SELECT segment_id, contact_id, min(n) AS n FROM chunk_members GROUP BY ALL) AS added"
        f" ANTI JOIN (SELECT * FROM segment_members WHERE commit_to = {OPEN}) AS held"
        " ON held.segment_id = added.segment_id AND held.contact_id = added.contact_id"
        " ORDER BY n"
    )
    return int(run("SELECT count(*) FROM chunk_members").fetchall()[0][0])
