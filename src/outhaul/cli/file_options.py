"""The options that exports of contacts and of activities share, written once."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any, TypeVar, cast

import typer

from outhaul.client.models import Compression, DateFormat, Delimiter, FileFormat

C = TypeVar("C", bound=Callable[..., int])

Separator = Annotated[Delimiter, typer.Option(help="Between values.")]


def with_file_options(command: C) -> C:
    """The command, whose `**options: Unpack[FileOptions]` become options of the command line."""
    own = inspect.signature(command)
    named = [one for one in own.parameters.values() if one.kind is not one.VAR_KEYWORD]
    shared = inspect.signature(_shared).parameters.values()
    # It is the signature that the command line is made of.
    cast("Any", command).__signature__ = own.replace(parameters=[*named, *shared])
    return command


def _shared(
    *,
    segment_id: Annotated[
        str | None, typer.Option("--segment", help="Only contacts of the segment with this id.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Of the file's columns, such as v5.")] = None,
    date_format: Annotated[DateFormat, typer.Option(help="How dates are written.")] = "ISO",
    delimiter: Separator = ",",
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", help="Id of a column, in the order of the file; repeat for more."),
    ] = None,
    bom: Annotated[bool, typer.Option("--bom", help="Begin files with a byte order mark.")] = False,
    formula_guard: Annotated[
        bool, typer.Option("--formula-guard", help="Escape text that a spreadsheet would run.")
    ] = False,
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="How rows are written.")
    ] = "csv",
    compression: Annotated[
        Compression, typer.Option("--compression", help="What files are packed in.")
    ] = "zip",
) -> None:
    """Never called: its parameters, named as those of the client, are what is shared."""
