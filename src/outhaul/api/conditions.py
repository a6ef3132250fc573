"""Conditional and range requests (RFC 9110, sections 13 and 14), for one file and one range."""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime

_SINGLE_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class Unsatisfiable(Exception):
    """The range lies outside the file."""


def not_modified(
    if_none_match: str | None, if_modified_since: str | None, *, etag: str, modified: datetime
) -> bool:
    """Whether the caller's copy is still good; `if_modified_since` counts only by itself."""
    if if_none_match is not None:
        known = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        return "*" in known or etag in known
    since = _http_date(if_modified_since)
    return since is not None and modified.replace(microsecond=0) <= since


def byte_range(
    range_: str | None, if_range: str | None, *, etag: str, modified: datetime, size: int
) -> tuple[int, int] | None:
    """Start and end (excluded) of what to send; None: the whole file.

    A server may ignore Range: several ranges and what cannot be read get the whole file, and so
    does a caller whose copy (`if_range`) is of another file. Raises Unsatisfiable.
    """
    match = _SINGLE_RANGE.fullmatch(range_.strip()) if range_ else None
    if match is None or not _same_file(if_range, etag, modified):
        return None
    first, last = match.groups()
    if not first:
        return _suffix(last, size)
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise Unsatisfiable
    return int(first), min(int(last) + 1, size) if last else size


def _suffix(length: str, size: int) -> tuple[int, int] | None:
    if not length:
        return None
    if int(length) == 0 or size == 0:
        raise Unsatisfiable
    return max(size - int(length), 0), size


def _same_file(if_range: str | None, etag: str, modified: datetime) -> bool:
    if if_range is None or if_range.strip() == etag:
        return True
    return _http_date(if_range) == modified.replace(microsecond=0)


def _http_date(text: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(text) if text else None
    except ValueError:
        return None
    return date if date is not None and date.tzinfo else None
