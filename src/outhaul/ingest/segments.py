"""Segments: one row a member."""

from outhaul.domain.errors import ImportRefused
from outhaul.domain.export import FieldType
from outhaul.ingest.sources import Source, open_source
from outhaul.ingest.staged import STAGED, Layout, Rule, StagedField, stage
from outhaul.ingest.work import Piece, Work, line_pieces
from outhaul.store.commits import Commit
from outhaul.store.segments import add_members
from outhaul.store.staging import Staging

_COLUMNS = ("segmentId", "segmentName", "email", "contactId")


def prepare(staging: Staging, work: Work) -> tuple[Source, list[Piece]]:
    """Stage a file of segment members."""
    source = open_source(work.path, staging.connection, known=None)
    unknown = [id_ for id_ in source.columns if id_ not in _COLUMNS]
    if unknown:
        raise ImportRefused(
            f"The file has unknown columns: {', '.join(unknown)}."
            f" A file of segments may have {', '.join(_COLUMNS)}."
        )
    if not {"segmentId", "segmentName"} <= set(source.columns) or not (
        {"email", "contactId"} & set(source.columns)
    ):
        raise ImportRefused(
            "The file needs the columns segmentId, segmentName, and email or contactId."
        )
    total = stage(staging, source, _LAYOUT)
    table = staging.table(STAGED)

    def write(commit: Commit, first: int, until: int) -> int:
        return add_members(commit, table, first, until)

    return source, line_pieces(staging, total, work.record_chunk, write)


_LAYOUT = Layout(
    ids=["contactId"],
    fields=[
        StagedField(id="segmentId", type=FieldType.TEXT, column="segmentId"),
        StagedField(id="segmentName", type=FieldType.TEXT, column="segmentName"),
        StagedField(id="email", type=FieldType.EMAIL, column="email"),
    ],
    rules=[
        Rule(
            broken="coalesce(NOT regexp_full_match(\"segmentId\", '[0-9a-f]{24}'), true)",
            reason="segmentId must be 24 hex digits, letters in lower case",
        ),
        Rule(
            broken="coalesce(\"segmentName\", '') = ''",
            reason="segmentName must not be empty",
        ),
        Rule(
            broken='email IS NULL AND "contactId" IS NULL',
            reason="the row needs an email or a contactId",
        ),
    ],
)
