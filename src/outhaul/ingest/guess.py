"""The type of a new contact field, guessed from all its values in a file."""

from collections.abc import Sequence

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


def guess_types(staging: Staging, source: Source, ids: Sequence[str]) -> dict[str, FieldType]:
    """The first type that fits every value of a column; text when none does or there is none."""
    raw = ", ".join(f"{source.cells[id_].text} AS g{n}" for n, id_ in enumerate(ids))
    tests = ", ".join(
        f"bool_and({condition.replace(':v', f'g{n}')}) FILTER (WHERE g{n} IS NOT NULL)"
        for n in range(len(ids))
        for _, condition in _FITS
    )
    with reading(source.format):
        fits = staging.rows(f"SELECT {tests} FROM (SELECT {raw} FROM {source.skipping})")[0]
    width = len(_FITS)
    return {
        id_: next(
            (
                type_
                for (type_, _), fit in zip(_FITS, fits[n * width : (n + 1) * width], strict=True)
                if fit
            ),
            FieldType.TEXT,
        )
        for n, id_ in enumerate(ids)
    }
