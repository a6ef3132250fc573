"""Segments as they are now: which there are, and how many contacts are in one."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from outhaul.domain.contact_fields import ContactFieldDefinition, by_id
from outhaul.domain.instants import now
from outhaul.domain.rule_reading import read_rule
from outhaul.domain.rules import Rule
from outhaul.domain.segments import Segment, SegmentContact
from outhaul.store import field_definitions
from outhaul.store.commits import newest
from outhaul.store.engine import Engine
from outhaul.store.members import members, sizes
from outhaul.store.schema import OPEN


def present(connection: duckdb.DuckDBPyConnection) -> tuple[Segment, ...]:
    """The account's segments, by name, then id."""
    rows = connection.execute(
        "SELECT held.id, held.name, found.rule FROM segments AS held LEFT JOIN segment_rules"
        f" AS found ON found.segment_id = held.id AND found.commit_to = {OPEN}"
        f" WHERE held.commit_to = {OPEN} ORDER BY held.name, held.id"
    ).fetchall()
    return tuple(
        Segment(id=id_, name=name, rule=None if rule is None else json.loads(rule))
        for id_, name, rule in rows
    )


def rule_as_of(connection: duckdb.DuckDBPyConnection, segment_id: str, snapshot: int) -> str | None:
    """The segment's rule in a snapshot, as JSON; None for a static segment."""
    rows = connection.execute(
        "SELECT rule FROM segment_rules WHERE segment_id = $segment"
        " AND commit_from <= $snapshot AND commit_to > $snapshot",
        {"segment": segment_id, "snapshot": snapshot},
    ).fetchall()
    return rows[0][0] if rows else None


def find(connection: duckdb.DuckDBPyConnection, segment_id: str) -> Segment | None:
    """The segment with this id; None when there is none."""
    return next((one for one in present(connection) if one.id == segment_id), None)


class SegmentReads:
    """Questions about an account's segments."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def exists(self, account_id: str, segment_id: str) -> bool:
        """Whether the account has this segment now."""
        return self.get(account_id, segment_id) is not None

    def all(self, account_id: str) -> tuple[Segment, ...]:
        """Every segment, by name, then id."""
        with self._engine.session(account_id) as connection:
            return present(connection)

    def get(self, account_id: str, segment_id: str) -> Segment | None:
        """The segment with this id; None when there is none."""
        with self._engine.session(account_id) as connection:
            return find(connection, segment_id)

    def fields(self, account_id: str) -> tuple[ContactFieldDefinition, ...]:
        """The account's own fields, which rules may compare beside those of the system."""
        with self._engine.session(account_id) as connection:
            return field_definitions.present(connection)

    def count(self, account_id: str, segment_id: str, *, timezone: str) -> int | None:
        """How many contacts are in the segment now; None when there is no such segment."""
        with self._engine.session(account_id) as connection:
            connection.begin()
            segment = find(connection, segment_id)
            return None if segment is None else _count(connection, segment, timezone)

    def sizes(self, account_id: str, *, timezone: str) -> dict[str, int]:
        """How many contacts are in each segment now, by its id, all at one instant."""
        with self._engine.session(account_id) as connection:
            connection.begin()
            segments = present(connection)
            query, bound = sizes(_rules(connection, segments, timezone))
            found: dict[str, int] = dict(
                connection.execute(
                    query, bound | {"snapshot": newest(connection).number}
                ).fetchall()
            )
        return {one.id: found.get(one.id, 0) for one in segments}

    def contacts(
        self, account_id: str, segment_id: str, *, timezone: str, skip: int, most: int
    ) -> list[SegmentContact] | None:
        """Contacts that are in the segment now, in the order of files, at most so many after the
        first `skip`; None when there is no such segment."""
        with self._engine.session(account_id) as connection:
            connection.begin()
            segment = find(connection, segment_id)
            if segment is None:
                return None
            rules = _rules(connection, [segment], timezone)
            contact_ids, bound = members(segment.id, rules.get(segment.id))
            rows = connection.execute(
                f"SELECT id, _email FROM contacts WHERE commit_to = {OPEN}"
                f' AND id IN ({contact_ids}) ORDER BY "_createdAt", id LIMIT $most OFFSET $skip',
                bound | {"snapshot": newest(connection).number, "most": most, "skip": skip},
            ).fetchall()
        return [SegmentContact(id=id_, email=email) for id_, email in rows]

    def count_rule(self, account_id: str, rule: Mapping[str, Any], *, timezone: str) -> int:
        """How many contacts a rule without faults would find now."""
        with self._engine.session(account_id) as connection:
            connection.begin()
            return _count(connection, Segment(id="", name="", rule=rule), timezone)


def _count(connection: duckdb.DuckDBPyConnection, segment: Segment, timezone: str) -> int:
    rules = _rules(connection, [segment], timezone)
    contact_ids, bound = members(segment.id, rules.get(segment.id))
    found = connection.execute(
        f"SELECT count(*) FROM ({contact_ids}) AS found",
        bound | {"snapshot": newest(connection).number},
    ).fetchall()
    return int(found[0][0])


def _rules(
    connection: duckdb.DuckDBPyConnection, segments: Iterable[Segment], timezone: str
) -> dict[str, Rule]:
    """The rules of the dynamic ones among the segments, by id, to be judged now."""
    written = {one.id: one.rule for one in segments if one.rule is not None}
    if not written:
        return {}
    fields, at = by_id(field_definitions.present(connection)), now()
    return {
        id_: read_rule(rule, fields, now=at, timezone=timezone)[0] for id_, rule in written.items()
    }
