"""How fast exports get on, from what pages have seen of them in the last seconds."""

import threading
import time
from collections import OrderedDict, deque

_WINDOW_S = 8.0
_LEAST_S = 0.4
_MOST_EXPORTS = 500


class Pace:
    """Remembers the progress of running exports; safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: OrderedDict[str, deque[tuple[float, int]]] = OrderedDict()

    def rate(self, export_id: str, rows: int) -> float | None:
        """Rows a second, now that `rows` are done; None until there is something to compare."""
        now = time.monotonic()
        with self._lock:
            seen = self._seen.setdefault(export_id, deque())
            self._seen.move_to_end(export_id)
            while len(self._seen) > _MOST_EXPORTS:
                self._seen.popitem(last=False)
            # After a takeover or an erasure an export begins anew.
            if seen and rows < seen[-1][1]:
                seen.clear()
            seen.append((now, rows))
            while len(seen) > 2 and now - seen[1][0] > _WINDOW_S:
                seen.popleft()
            since, before = seen[0]
        if now - since < _LEAST_S or rows == before:
            return None
        return (rows - before) / (now - since)
