"""Segments as seen by an export: does one exist, as of a snapshot?"""

from outhaul.store.engine import Engine
from outhaul.store.schema import OPEN


class SegmentReads:
    """Questions about an account's segments."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def exists(self, account_id: str, segment_id: str) -> bool:
        """Whether the account has this segment now."""
        with self._engine.session(account_id) as connection:
            found = connection.execute(
                "SELECT count(*) FROM segments WHERE id = ? AND commit_to = ?",
                [segment_id, OPEN],
            ).fetchall()
        return bool(found[0][0])
