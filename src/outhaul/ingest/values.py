"""What a cell must look like for a field, as SQL: the typed value, or NULL when it is wrong.

Text is never trimmed or changed, because an export gives back what was put in. Reasons name the
field and what would be right; they never repeat the value, which may be personal.
"""

from dataclasses import dataclass

from outhaul.domain.contact_values import EMAIL, LONGEST_EMAIL
from outhaul.domain.export import FieldType
from outhaul.ingest.sources import Cell, literal

ID = "[A-Za-z0-9._:-]{1,64}"
_INTEGER = "-?[0-9]{1,19}(\\.0+)?"
_DECIMAL = "-?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]{1,3})?"
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = "[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,9})?)?"
_OFFSET = "(Z|[+-][0-9]{2}(:?[0-9]{2})?)"
_INSTANT = f"{_DATE}([T ]{_TIME}{_OFFSET}?)?"
_IP = "([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}(:[0-9A-Fa-f]{0,4}){2,7}(\\.[0-9]{1,3}){0,3})"

_RIGHT = {
    FieldType.TEXT: "text without NUL characters",
    FieldType.PHONE: "text without NUL characters",
    FieldType.RADIO: "text without NUL characters",
    FieldType.EMAIL: "an email address",
    FieldType.IP: "an IP address",
    FieldType.INTEGER: "a whole number",
    FieldType.DECIMAL: "a number with at most 12 digits before the point",
    FieldType.MONEY: "a number with at most 12 digits before the point",
    FieldType.BOOLEAN: "true or false",
    FieldType.DATE: "a day such as 2026-03-05",
    FieldType.INSTANT: "an ISO 8601 instant such as 2026-03-05T14:07:09Z, years 1900 to 2200",
    FieldType.CHECKBOX: "a JSON list of texts, or texts joined with |; no text may hold a |",
    FieldType.JSON: "JSON",
}
_TEXTS = {FieldType.TEXT, FieldType.PHONE, FieldType.RADIO}
_INTEGERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"}


@dataclass(frozen=True, kw_only=True)
class Value:
    """`sql` gives the typed value, NULL when the cell is missing or wrong."""

    sql: str
    reason: str | None
    """What a wrong cell should be; None: none can be wrong."""


def parse(
    id_: str, type_: FieldType, cell: Cell, *, raw: str, options: tuple[str, ...] | None = None
) -> Value:
    """How to read a cell. `raw` is the SQL name under which the cell's text stands already."""
    if options:
        names = ", ".join(literal(option) for option in options)
        return Value(
            sql=f"TRY_CAST({raw} AS ENUM({names}))::VARCHAR",
            reason=f"{id_} must be one of {', '.join(options)}",
        )
    if type_ in _TEXTS and cell.nested is None and not cell.may_hold_nul:
        return Value(sql=raw, reason=None)
    native = _native(type_, cell)
    sql = native if native is not None else _parsed(type_, cell, raw)
    return Value(sql=sql, reason=f"{id_} must be {_RIGHT[type_]}")


def _native(type_: FieldType, cell: Cell) -> str | None:
    """The value straight from a Parquet column whose type fits the field's."""
    kind = cell.native.split("(")[0]
    if type_ is FieldType.INSTANT and kind.startswith("TIMESTAMP"):
        return _bounded(f"{cell.value}::TIMESTAMP")
    fits = {
        FieldType.DATE: kind == "DATE",
        FieldType.BOOLEAN: kind == "BOOLEAN",
        FieldType.INTEGER: kind in _INTEGERS,
    }.get(type_, False)
    if fits:
        return f"{cell.value}::BIGINT" if type_ is FieldType.INTEGER else cell.value
    if type_ in {FieldType.DECIMAL, FieldType.MONEY} and kind in {"DECIMAL", *_INTEGERS}:
        return f"TRY_CAST({cell.value} AS DECIMAL(18,6))"
    return None


def _parsed(type_: FieldType, cell: Cell, raw: str) -> str:
    match type_:
        case FieldType.EMAIL:
            address = f"lower(trim({raw}))"
            return (
                f"CASE WHEN regexp_full_match({address}, {literal(EMAIL)})"
                f" AND length({raw}) <= {LONGEST_EMAIL} THEN {address} END"
            )
        case FieldType.IP:
            return _matching(raw, _IP, raw)
        case FieldType.INTEGER:
            return _matching(raw, _INTEGER, f"TRY_CAST({raw} AS BIGINT)")
        case FieldType.DECIMAL | FieldType.MONEY:
            return _matching(raw, _DECIMAL, f"TRY_CAST({raw} AS DECIMAL(18,6))")
        case FieldType.BOOLEAN:
            return f"CASE lower({raw}) WHEN 'true' THEN true WHEN 'false' THEN false END"
        case FieldType.DATE:
            return _matching(raw, _DATE, f"TRY_CAST({raw} AS DATE)")
        case FieldType.INSTANT:
            instant = f"TRY_CAST({raw} AS TIMESTAMPTZ)::TIMESTAMP"
            return _matching(raw, _INSTANT, _bounded(instant))
        case FieldType.CHECKBOX:
            return _checkbox(raw)
        case FieldType.JSON:
            return f"CASE WHEN json_valid({raw}) THEN json({raw})::VARCHAR END"
        case FieldType.TEXT | FieldType.PHONE | FieldType.RADIO:
            wrong = [f"contains({raw}, chr(0))"] if cell.may_hold_nul else []
            if cell.nested is not None:
                wrong.append(cell.nested)
            return f"CASE WHEN NOT ({' OR '.join(wrong)}) THEN {raw} END"


def _matching(raw: str, pattern: str, value: str) -> str:
    return f"CASE WHEN regexp_full_match({raw}, {literal(pattern)}) THEN {value} END"


def _bounded(instant: str) -> str:
    return (
        f"CASE WHEN {instant} >= TIMESTAMP '1900-01-01' AND {instant} < TIMESTAMP '2201-01-01'"
        f" THEN date_trunc('millisecond', {instant}) END"
    )


def _checkbox(raw: str) -> str:
    items = f"json_extract_string({raw}, '$[*]')"
    kinds = f"json_type({raw}, '$[*]')"
    good = (
        f"list_bool_and(list_transform({items}, lambda item: NOT contains(item, '|')))"
        f" AND NOT list_has_any({kinds}, ['NULL', 'ARRAY', 'OBJECT'])"
    )
    joined = (
        f"CASE WHEN len({items}) = 0 THEN '' WHEN {good} THEN array_to_string({items}, '|') END"
    )
    return (
        f"CASE WHEN contains({raw}, chr(0)) OR starts_with({raw}, '{{') THEN NULL"
        f" WHEN starts_with({raw}, '[') THEN CASE WHEN json_valid({raw}) THEN {joined} END"
        f" ELSE {raw} END"
    )
