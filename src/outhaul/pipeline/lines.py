"""What a file's text is made of: what stands before its rows, and each row's line."""

from outhaul.domain.export import ExportRequest, Frozen
from outhaul.domain.extras import FileFormat
from outhaul.pipeline.layout import MemberLayout
from outhaul.render.dates import Between
from outhaul.render.json_line import json_line_sql
from outhaul.render.line import header, line_sql


def title(member: MemberLayout, request: ExportRequest) -> bytes:
    """What stands before the first row; nothing where rows name their values."""
    if request.extras.format is FileFormat.JSONL:
        return b""
    return header(
        member.columns,
        request.delimiter,
        bom=request.extras.bom,
        formula_guard=request.extras.formula_guard,
    )


def row_sql(
    member: MemberLayout,
    request: ExportRequest,
    frozen: Frozen,
    created: Between,
    types: frozenset[str],
    *,
    stored: bool,
) -> str:
    """A scalar expression that gives one finished line of a table with rows of these types;
    `created` bounds their creation instants, `stored` is as for `line_sql`."""
    if request.extras.format is FileFormat.JSONL:
        return json_line_sql(
            member.columns,
            types=types,
            date_format=request.date_format,
            frozen=frozen,
            created=created,
            stored=stored,
        )
    return line_sql(
        member.columns,
        types=types,
        delimiter=request.delimiter,
        date_format=request.date_format,
        frozen=frozen,
        created=created,
        formula_guard=request.extras.formula_guard,
        stored=stored,
    )
