"""Changing one segment within a commit. For files of members see `segments`."""

import json
from collections.abc import Sequence

from outhaul.domain.segments import Segment
from outhaul.store.commits import Commit
from outhaul.store.schema import OPEN


def put(commit: Commit, segment: Segment) -> None:
    """Make the segment, or give it this name and rule from now on."""
    _end(commit, "segments", "id", segment.id)
    _end(commit, "segment_rules", "segment_id", segment.id)
    if segment.rule is not None:
        commit.connection.execute(
            f"INSERT INTO segment_rules VALUES (?, ?, {commit.number}, {OPEN})",
            [segment.id, json.dumps(segment.rule, ensure_ascii=False)],
        )
    commit.connection.execute(
        f"INSERT INTO segments VALUES (?, ?, {commit.number}, {OPEN})", [segment.id, segment.name]
    )


def delete(commit: Commit, segment_id: str) -> None:
    """End the segment and all its memberships; earlier snapshots still have them."""
    _end(commit, "segments", "id", segment_id)
    _end(commit, "segment_rules", "segment_id", segment_id)
    _end(commit, "segment_members", "segment_id", segment_id)


def contact_ids(commit: Commit, members: Sequence[str]) -> list[str | None]:
    """The contact id that each email or contact id means, in order; None where no contact has
    it. What has an at sign is an email."""
    rows = commit.connection.execute(
        "SELECT wanted.member, held.id FROM (SELECT unnest($members) AS member) AS wanted"
        " JOIN contacts AS held ON held.id = wanted.member OR held._email = wanted.member"
        f" WHERE held.commit_to = {OPEN} AND (held.id = wanted.member) <> contains(member, '@')",
        {"members": sorted(set(members))},
    ).fetchall()
    found: dict[str, str] = dict(rows)
    return [found.get(member) for member in members]


def add(commit: Commit, segment_id: str, contacts: Sequence[str]) -> int:
    """Let these contacts be members; returns how many were not yet."""
    return len(
        commit.connection.execute(
            f"INSERT INTO segment_members SELECT $segment, id, {commit.number}, {OPEN}"
            " FROM (SELECT DISTINCT unnest($contacts) AS id) AS added ANTI JOIN"
            " (SELECT contact_id AS id FROM segment_members"
            f" WHERE segment_id = $segment AND commit_to = {OPEN}) AS held USING (id)"
            " ORDER BY id RETURNING contact_id",
            {"segment": segment_id, "contacts": list(contacts)},
        ).fetchall()
    )


def remove(commit: Commit, segment_id: str, contacts: Sequence[str]) -> int:
    """Let these contacts be members no longer; returns how many were."""
    return len(
        commit.connection.execute(
            f"UPDATE segment_members SET commit_to = {commit.number}"
            f" WHERE segment_id = $segment AND commit_to = {OPEN}"
            " AND contact_id IN (SELECT unnest($contacts)) RETURNING contact_id",
            {"segment": segment_id, "contacts": list(contacts)},
        ).fetchall()
    )


def _end(commit: Commit, table: str, column: str, segment_id: str) -> None:
    commit.connection.execute(
        f"UPDATE {table} SET commit_to = {commit.number} WHERE {column} = ? AND commit_to = {OPEN}",
        [segment_id],
    )
