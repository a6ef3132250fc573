"""What a Parquet file of ours looks like: the names and the types of its columns."""

from collections.abc import Iterable

from outhaul.domain.export import FieldType

ENDING = ".parquet"
TYPES = {
    FieldType.TEXT: "VARCHAR",
    FieldType.EMAIL: "VARCHAR",
    FieldType.PHONE: "VARCHAR",
    FieldType.RADIO: "VARCHAR",
    FieldType.IP: "VARCHAR",
    FieldType.JSON: "VARCHAR",
    FieldType.INTEGER: "BIGINT",
    FieldType.DECIMAL: "DECIMAL(18,6)",
    FieldType.MONEY: "DECIMAL(18,6)",
    FieldType.BOOLEAN: "BOOLEAN",
    FieldType.DATE: "DATE",
    FieldType.INSTANT: "TIMESTAMP WITH TIME ZONE",
    FieldType.CHECKBOX: "VARCHAR[]",
}
"""As the engine spells them; none of the columns is required."""


def part_name(data_set: str, number: int) -> str:
    """The name of one of the files that make up a data set."""
    return f"{data_set}/part-{number:05}{ENDING}"


def column_names(ids: Iterable[str]) -> tuple[str, ...]:
    """What the columns with these ids are called. Most engines take names that differ in case
    only for the same: the later one then gets a number."""
    names: list[str] = []
    taken: set[str] = set()
    for id_ in ids:
        name, number = id_, 1
        while name.lower() in taken:
            name, number = f"{id_}_{number}", number + 1
        taken.add(name.lower())
        names.append(name)
    return tuple(names)
