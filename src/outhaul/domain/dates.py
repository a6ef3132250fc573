"""How instants and calendar days are written: the formats ISO, L, LL and LLL in six languages.

The patterns are moment.js's own (contract section 8). `format_instant` and `format_day` are the
plain reference; the SQL rendering is held against them and both against moment's answers.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from outhaul.domain.account import Language
from outhaul.domain.export import DateFormat
from outhaul.domain.instants import to_text


class Token(StrEnum):
    """A part of a pattern that stands for a part of the date; the value is moment's spelling."""

    YEAR = "YYYY"
    MONTH_NAME = "MMMM"
    MONTH = "MM"
    DAY_PADDED = "DD"
    DAY = "D"
    HOUR_PADDED = "HH"
    HOUR = "H"
    HOUR_OF_12 = "h"
    MINUTE = "mm"
    HALF_OF_DAY = "A"


MONTHS: dict[Language, tuple[str, ...]] = {
    language: tuple(names.split())
    for language, names in {
        Language.EN: "January February March April May June July August September October "
        "November December",
        Language.ES: "enero febrero marzo abril mayo junio julio agosto septiembre octubre "
        "noviembre diciembre",
        Language.FR: "janvier février mars avril mai juin juillet août septembre octobre "
        "novembre décembre",
        Language.IT: "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre "
        "ottobre novembre dicembre",
        Language.NL: "januari februari maart april mei juni juli augustus september oktober "
        "november december",
        Language.PT_BR: "janeiro fevereiro março abril maio junho julho agosto setembro outubro "
        "novembro dezembro",
    }.items()
}
"""Twelve names, January first."""

_NUMERIC_DAY = {
    Language.EN: "MM/DD/YYYY",
    Language.ES: "DD/MM/YYYY",
    Language.FR: "DD/MM/YYYY",
    Language.IT: "DD/MM/YYYY",
    Language.NL: "DD-MM-YYYY",
    Language.PT_BR: "DD/MM/YYYY",
}
_WRITTEN_DAY = {
    Language.EN: "MMMM D, YYYY",
    Language.ES: "D [de] MMMM [de] YYYY",
    Language.FR: "D MMMM YYYY",
    Language.IT: "D MMMM YYYY",
    Language.NL: "D MMMM YYYY",
    Language.PT_BR: "D [de] MMMM [de] YYYY",
}
_TIME = {
    Language.EN: " h:mm A",
    Language.ES: " H:mm",
    Language.FR: " HH:mm",
    Language.IT: " HH:mm",
    Language.NL: " HH:mm",
    Language.PT_BR: " [às] HH:mm",
}

_PART = re.compile("|".join([r"\[([^\]]*)\]", *Token, "(.)"]))


def instant_pattern(date_format: DateFormat, language: Language) -> str:
    """Moment's pattern of L, LL or LLL. Raises ValueError for ISO, which knows no language."""
    match date_format:
        case DateFormat.L:
            return _NUMERIC_DAY[language]
        case DateFormat.LL:
            return _WRITTEN_DAY[language]
        case DateFormat.LLL:
            return _WRITTEN_DAY[language] + _TIME[language]
        case DateFormat.ISO:
            raise ValueError("ISO has no pattern of a language")


def day_pattern(date_format: DateFormat, language: Language) -> str:
    """The pattern of a calendar day; a day has no time, so LLL is written like LL."""
    match date_format:
        case DateFormat.ISO:
            return "YYYY-MM-DD"
        case DateFormat.L:
            return _NUMERIC_DAY[language]
        case DateFormat.LL | DateFormat.LLL:
            return _WRITTEN_DAY[language]


def parse(pattern: str) -> tuple[Token | str, ...]:
    """The tokens of a moment pattern in order, with the plain text between them as strings."""
    parts: list[Token | str] = []
    for found in _PART.finditer(pattern):
        plain = found.group(1) if found.group(1) is not None else found.group(2)
        parts.append(Token(found.group()) if plain is None else plain)
    return tuple(parts)


def format_instant(
    instant: datetime, date_format: DateFormat, language: Language, timezone: str
) -> str:
    """The instant as the file shows it: ISO in UTC, the others on the clocks of `timezone`.

    Raises ValueError for a datetime without an offset, ZoneInfoNotFoundError for an unknown zone.
    """
    if date_format is DateFormat.ISO:
        return to_text(instant)
    if instant.tzinfo is None:
        raise ValueError("an instant needs a UTC offset")
    local = instant.astimezone(ZoneInfo(timezone))
    return _write(local, instant_pattern(date_format, language), language)


def format_day(day: date, date_format: DateFormat, language: Language) -> str:
    """The calendar day as the file shows it, whatever the zone."""
    return _write(datetime.combine(day, time()), day_pattern(date_format, language), language)


def _write(local: datetime, pattern: str, language: Language) -> str:
    values = {
        Token.YEAR: f"{local.year:04d}",
        Token.MONTH_NAME: MONTHS[language][local.month - 1],
        Token.MONTH: f"{local.month:02d}",
        Token.DAY_PADDED: f"{local.day:02d}",
        Token.DAY: str(local.day),
        Token.HOUR_PADDED: f"{local.hour:02d}",
        Token.HOUR: str(local.hour),
        Token.HOUR_OF_12: str(local.hour % 12 or 12),
        Token.MINUTE: f"{local.minute:02d}",
        Token.HALF_OF_DAY: "AM" if local.hour < 12 else "PM",
    }
    return "".join(values[part] if isinstance(part, Token) else part for part in parse(pattern))


@dataclass(frozen=True, kw_only=True)
class ZoneTransition:
    """From the instant `at` on (seconds since 1970, UTC), clocks are `offset` seconds ahead."""

    at: int
    offset: int


@lru_cache(maxsize=64)
def zone_transitions(timezone: str, from_year: int, to_year: int) -> tuple[ZoneTransition, ...]:
    """Every change of a zone's offset from the start of `from_year` to the end of `to_year` (UTC).

    The first element holds for the start itself. Raises ZoneInfoNotFoundError for an unknown zone.
    """
    zone = ZoneInfo(timezone)
    at = _epoch(from_year)
    end = _epoch(to_year + 1)
    transitions = [ZoneTransition(at=at, offset=_offset(zone, at))]
    while at < end:
        # zoneinfo tells offsets but not transitions, so we look once a day: in no zone of the
        # database do two changes lie less than three days apart (Freetown 1939: 95 hours).
        following = min(at + _DAY, end)
        offset = _offset(zone, following)
        if offset != transitions[-1].offset and following < end:
            changed = _first_second_of(zone, offset, at, following)
            transitions.append(ZoneTransition(at=changed, offset=offset))
        at = following
    return tuple(transitions)


_DAY = 86_400


def _first_second_of(zone: ZoneInfo, offset: int, before: int, after: int) -> int:
    """The second at which `offset` begins; it does not hold at `before` and holds at `after`."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(zone, middle) == offset:
            after = middle
        else:
            before = middle
    return after


def _offset(zone: ZoneInfo, at: int) -> int:
    return round(_utcoffset(zone, at).total_seconds())


def _utcoffset(zone: ZoneInfo, at: int) -> timedelta:
    offset = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)).astimezone(zone).utcoffset()
    assert offset is not None, "a ZoneInfo always knows its offset"
    return offset


def _epoch(year: int) -> int:
    return round(datetime(year, 1, 1, tzinfo=UTC).timestamp())
