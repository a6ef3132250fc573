"""Instants and calendar days as SQL: the same text that `domain.dates` writes."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from outhaul.domain.account import Language
from outhaul.domain.dates import (
    MONTHS,
    Token,
    ZoneTransition,
    day_pattern,
    instant_pattern,
    parse,
    zone_transitions,
)
from outhaul.domain.export import DateFormat, Frozen
from outhaul.render.sql import literal

_FIRST_YEAR, _LAST_YEAR = 1900, 2100
_NEVER = -(10**11)
_LONGEST, _MOST_STRETCHES = timedelta(days=200), 8

_STRFTIME = {
    Token.YEAR: "%Y",
    Token.MONTH: "%m",
    Token.DAY_PADDED: "%d",
    Token.DAY: "%-d",
    Token.HOUR_PADDED: "%H",
    Token.HOUR: "%-H",
    Token.HOUR_OF_12: "%-I",
    Token.MINUTE: "%M",
    Token.HALF_OF_DAY: "%p",
}
_MONTH = "~"
"""Stands for the month's name until it is known; no pattern or name contains it."""


Between = tuple[datetime, datetime]
"""Instants from the first (included) up to the second (excluded)."""


def instant_sql(
    column: str,
    date_format: DateFormat,
    frozen: Frozen,
    *,
    quote: str = "",
    between: Between | None = None,
) -> str:
    """Text of a TIMESTAMP column that holds UTC, between two `quote`s; NULL stays NULL.

    `column` is a SQL identifier. Offsets are exact from 1900 to 2100; before and after, the
    first and the last one of that time go on. Within a short `between` the work is far less,
    because offset and month are then nearly the same for all rows.
    """
    if date_format is DateFormat.ISO:
        return f"strftime({column}, {literal(f'{quote}%Y-%m-%dT%H:%M:%S.%gZ{quote}')})"
    pattern = instant_pattern(date_format, frozen.language)
    stretches = [] if between is None else _stretches(between, frozen.timezone)
    if not 0 < len(stretches) <= _MOST_STRETCHES:
        local = _local_sql(column, frozen.timezone)
        return _strftime(local, pattern, frozen.language, quote)
    texts = [
        _strftime(_shifted(column, stretch.offset), pattern, frozen.language, quote, stretch.month)
        for stretch in stretches
    ]
    branches = "".join(
        f" WHEN {column} < make_timestamp({stretch.until * 1_000_000}) THEN {text}"
        for stretch, text in zip(stretches[:-1], texts, strict=False)
    )
    return f"CASE{branches} ELSE {texts[-1]} END" if branches else texts[-1]


def day_sql(column: str, date_format: DateFormat, frozen: Frozen, *, quote: str = "") -> str:
    """Text of a DATE column between two `quote`s; NULL stays NULL."""
    pattern = day_pattern(date_format, frozen.language)
    return _strftime(column, pattern, frozen.language, quote)


def _strftime(
    value: str, pattern: str, language: Language, quote: str, month: int | None = None
) -> str:
    # The quotes stand in the pattern because that spares the line a CASE for NULL.
    codes = "".join(_code(part, language) for part in parse(pattern))
    if month is not None:
        codes = codes.replace(_MONTH, MONTHS[language][month - 1])
    text = f"strftime({value}, {literal(quote + codes + quote)})"
    if _MONTH not in codes:
        return text
    # One call with a stand-in for the name is faster than two calls around it, and than twelve
    # branches, each of which would repeat the whole expression.
    names = f"CAST({literal('[' + ','.join(MONTHS[language]) + ']')} AS VARCHAR[])"
    return f"replace({text}, {literal(_MONTH)}, {names}[month({value})])"


def _code(part: Token | str, language: Language) -> str:
    if part is Token.MONTH_NAME:
        return "%B" if language is Language.EN else _MONTH
    return _STRFTIME[part] if isinstance(part, Token) else part


def _local_sql(column: str, timezone: str) -> str:
    """The TIMESTAMP that the zone's clocks show.

    The engine's own time zones are slower, and need not agree with those of the rest of Outhaul.
    """
    microseconds = f"epoch_us({column})"
    offset = _offset_sql(microseconds, column, timezone)
    return f"make_timestamp({microseconds} + 1000000 * {offset})"


def _shifted(column: str, offset: int) -> str:
    return f"make_timestamp(epoch_us({column}) + {offset * 1_000_000})" if offset else column


@dataclass(frozen=True, kw_only=True)
class _Stretch:
    """A time in which neither the zone's offset nor the month on its clocks changes."""

    until: int
    """Seconds since 1970, excluded."""
    offset: int
    month: int


def _stretches(between: Between, timezone: str) -> list[_Stretch]:
    """The stretches from the first instant to the second, or none when they are too far apart."""
    first, until = between
    if until - first > _LONGEST or not _FIRST_YEAR < first.year < until.year + 1 <= _LAST_YEAR:
        return []
    transitions = zone_transitions(timezone, _FIRST_YEAR, _LAST_YEAR)
    stretches = []
    at, end = math.floor(first.timestamp()), math.ceil(until.timestamp())
    while at < end:
        place = bisect_right(transitions, at, key=lambda transition: transition.at)
        offset = transitions[place - 1].offset
        local = datetime.fromtimestamp(at + offset, UTC)
        following = local.replace(day=1, hour=0, minute=0, second=0) + timedelta(days=32)
        until_at = round(following.replace(day=1).timestamp()) - offset
        if place < len(transitions):
            until_at = min(until_at, transitions[place].at)
        stretches.append(_Stretch(until=until_at, offset=offset, month=local.month))
        at = until_at
    return stretches


def _offset_sql(microseconds: str, column: str, timezone: str) -> str:
    """The zone's offset in seconds, found by the year: the year has a few transitions at most.

    The numbers of all years are cast from one text, because the engine takes long to plan a
    statement with lists of hundreds of numbers, and plans it for every slice.
    """
    years = _by_year(timezone)
    busiest = max(len(changes) for _, changes in years)
    year = f"greatest(least(year({column}), {_LAST_YEAR}), {_FIRST_YEAR}) - {_FIRST_YEAR}"
    branches = []
    # The first transition of the year that has not happened yet decides. A year with fewer than
    # the busiest has an instant before all others: nothing is earlier.
    for place in range(busiest):
        instants = [c[place].at if place < len(c) else None for _, c in years]
        offsets = [_offset_before(start, changes, place) for start, changes in years]
        branches.append(
            f"WHEN {microseconds} < 1000000 * {_of_year(instants, year)}"
            f" THEN {_of_year(offsets, year)}"
        )
    final = _of_year([_offset_before(start, changes, busiest) for start, changes in years], year)
    # A zone such as UTC has no transition in any year.
    return f"CASE {' '.join(branches)} ELSE {final} END" if branches else final


@lru_cache(maxsize=64)
def _by_year(timezone: str) -> list[tuple[int, list[ZoneTransition]]]:
    """For every year: the offset at its start (UTC) and the transitions in it."""
    transitions = zone_transitions(timezone, _FIRST_YEAR, _LAST_YEAR)
    years = []
    offset = transitions[0].offset
    for year in range(_FIRST_YEAR, _LAST_YEAR + 1):
        changes = [
            transition
            for transition in transitions[1:]
            if datetime.fromtimestamp(transition.at, UTC).year == year
        ]
        years.append((offset, changes))
        offset = changes[-1].offset if changes else offset
    return years


def _offset_before(start: int, changes: list[ZoneTransition], place: int) -> int:
    """The offset that holds until the transition at `place`, or at the end of a quieter year."""
    return changes[min(place, len(changes)) - 1].offset if place and changes else start


def _of_year(numbers: list[int] | list[int | None], year: str) -> str:
    """The BIGINT at the place `year`, from 0 on."""
    text = ",".join(str(_NEVER if number is None else number) for number in numbers)
    return f"CAST('[{text}]' AS BIGINT[])[{year} + 1]"
