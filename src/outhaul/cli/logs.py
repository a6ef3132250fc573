"""The log: one line an event, for people or as JSON for programs that collect it.

An event has a constant name and facts beside it, which are ids, counts, kinds and durations. The
text of an exception is no such fact: it may quote what somebody stored.
"""

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from outhaul.domain.instants import to_text

_OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {
    "message",
    "asctime",
    "color_message",
}


def configure(level: str, form: Literal["console", "json"]) -> None:
    """Log to standard error, from `level` on. At DEBUG exceptions come with their texts."""
    handler = logging.StreamHandler()
    formatter = JsonFormatter if form == "json" else ConsoleFormatter
    handler.setFormatter(formatter(with_texts=level == "DEBUG"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # They would name every request, with emails in its path and its key: no events of ours.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)


class _Formatter(logging.Formatter):
    def __init__(self, *, with_texts: bool) -> None:
        super().__init__()
        self._with_texts = with_texts

    def _trace(self, record: logging.LogRecord) -> list[str]:
        """The exceptions of the record, the last one first, each with the places it came by."""
        if record.exc_info is None or record.exc_info[1] is None:
            return []
        if self._with_texts:
            return self.formatException(record.exc_info).splitlines()
        return list(_places(record.exc_info[1]))


class ConsoleFormatter(_Formatter):
    """Time, level, event, facts as `name=value`; the places of an exception on further lines."""

    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={value}" for name, value in _facts(record).items())
        line = f"{_at(record)} {record.levelname} {record.getMessage()}{facts}"
        return "\n  ".join([line, *self._trace(record)])


class JsonFormatter(_Formatter):
    """One JSON object: `at`, `level`, `event`, `logger`, the facts, and `trace` of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": _at(record),
            "level": record.levelname,
            "event": record.getMessage(),
            "logger": record.name,
            **_facts(record),
        }
        if trace := self._trace(record):
            line["trace"] = trace
        return json.dumps(line, ensure_ascii=False, default=str)


def _at(record: logging.LogRecord) -> str:
    return to_text(datetime.fromtimestamp(record.created, UTC))


def _facts(record: logging.LogRecord) -> dict[str, object]:
    """What was given as `extra`."""
    return {name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES}


def _places(error: BaseException) -> Iterator[str]:
    known: BaseException | None = error
    while known is not None:
        yield type(known).__qualname__
        for frame in traceback.extract_tb(known.__traceback__):
            yield f"  {frame.filename}:{frame.lineno} {frame.name}"
        known = known.__cause__ or known.__context__
