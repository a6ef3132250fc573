"""Segments as they are now: which there are, and how many contacts are in one."""

import duckdb

from outhaul.domain.segments import Segment
from outhaul.store.engine import Engine
from outhaul.store.schema import OPEN


def present(connection: duckdb.DuckDBPyConnection) -> tuple[Segment, ...]:
    """The account's segments, by name, then id."""
    rows = connection.execute(
        f"SELECT id, name FROM segments WHERE commit_to = {OPEN} ORDER BY name, id"
    ).fetchall()
    return tuple(Segment(id=id_, name=name) for id_, name in rows)


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

    def count(self, account_id: str, segment_id: str) -> int | None:
        """How many contacts are in the segment now; None when there is no such segment."""
        with self._engine.session(account_id) as connection:
            connection.begin()
            if find(connection, segment_id) is None:
                return None
            found = connection.execute(
                f"SELECT count(*) FROM segment_members WHERE segment_id = ? AND commit_to = {OPEN}",
                [segment_id],
            ).fetchall()
        return int(found[0][0])
