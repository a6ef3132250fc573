"""The type of a new contact field, guessed from all its values in a file."""

from collections.abc import Mapping, Sequence

from outhaul.domain.export import FieldType
from outhaul.ingest.sources import Source, literal, reading
from outhaul.store.staging import Staging

# Numbers with a leading zero are postcodes and phone numbers more often than numbers.
_WHOLE = "-?(0|[1-9][0-9]{0,17})"
_NUMBER = "-?(0|[1-9][0-9]{0,11})(\\.[0-9]{1,6})?"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"

# In a condition, :v stands for the value.
_FITS = (
    (FieldType.BOOLEAN, "lower(:v) = 'true' OR lower(:v) = 'false'"),
    (FieldType.INTEGER, f"regexp_full_match(:v, {literal(_WHOLE)})"),
    (FieldType.DECIMAL, f"regexp_full_match(:v, {literal(_NUMBER)})"),
    (
        FieldType.DATE,
        f"regexp_full_match(:v, {literal(_DAY)}) AND TRY_CAST(:v AS DATE) IS NOT NULL",
    ),
    (
        FieldType.CHECKBOX,
        "CASE WHEN starts_with(:v, '[') AND json_valid(:v)"
        " THEN json_type(:v) = 'ARRAY' ELSE false END",
    ),
)


_SAMPLE_ROWS = 2000


def guess_types(staging: Staging, source: Source, ids: Sequence[str]) -> dict[str, FieldType]:
    """The first type that fits every value of a column; text when none does or there is none."""
    every = [type_ for type_, _ in _FITS]
    # What does not fit the first rows need not be tried on all the others.
    likely = _fitting(staging, source, dict.fromkeys(ids, every), rows=_SAMPLE_ROWS)
    fitting = _fitting(
        staging, source, {id_: [t for t in every if likely[id_][t] is not False] for id_ in ids}
    )
    return {
        id_: next((type_ for type_, fits in fitting[id_].items() if fits), FieldType.TEXT)
        for id_ in ids
    }


def _fitting(
    staging: Staging,
    source: Source,
    tried: Mapping[str, Sequence[FieldType]],
    *,
    rows: int | None = None,
) -> dict[str, dict[FieldType, bool | None]]:
    """Of each column and type tried: whether it fits all values (None: there is no value), in
    the first `rows` rows or in all."""
    conditions = dict(_FITS)
    columns = [id_ for id_, types in tried.items() if types]
    if not columns:
        return {id_: {} for id_ in tried}
    raw = ", ".join(f"{source.cells[id_].text} AS g{n}" for n, id_ in enumerate(columns))
    tests = ", ".join(
        f"bool_and({conditions[type_].replace(':v', f'g{n}')}) FILTER (WHERE g{n} IS NOT NULL)"
        for n, id_ in enumerate(columns)
        for type_ in tried[id_]
    )
    limit = "" if rows is None else f" LIMIT {rows}"
    with reading(source.format):
        found = iter(
            staging.rows(f"SELECT {tests} FROM (SELECT {raw} FROM {source.skipping}{limit})")[0]
        )
    return {id_: {type_: next(found) for type_ in types} for id_, types in tried.items()}
