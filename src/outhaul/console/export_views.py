"""What pages say of an export, made from what is known of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from outhaul.archive.manifest import ColumnEntry, Manifest
from outhaul.console import numbers
from outhaul.console.curl import curl
from outhaul.console.pace import Pace
from outhaul.console.visit import Visit
from outhaul.console.words import EXPORT_STATES, EXPORT_TYPES, FAILURES, Failure, State
from outhaul.domain.account import Scope
from outhaul.domain.errors import FailureCause
from outhaul.domain.export import Export, ExportStatus
from outhaul.ingest.segment_service import Segments

_MOST_TYPES_NAMED = 3


@dataclass(frozen=True, kw_only=True)
class ExportView:
    """An export as a row of the list shows it; the page of one export shows the same and more."""

    export: Export
    title: str
    narrowing: tuple[str, ...]
    """What it was narrowed down to, a phrase each."""
    state: State
    running: bool
    ended: bool
    percent: int
    pace: str
    """Rate and time left, or how long it took."""
    failure: Failure | None
    curl: str

    @property
    def id(self) -> str:
        return self.export.id


@dataclass(kw_only=True)
class TableView:
    """A file of the archive, or the folder of files that make up a data set."""

    name: str
    columns: tuple[ColumnEntry, ...]
    rows: int = 0
    bytes: int = 0
    compressed_bytes: int = 0
    slices: int = 0


def tables(manifest: Manifest) -> tuple[TableView, ...]:
    """What the archive holds, in its order; a data set of thousands of files is one line."""
    found: dict[str, TableView] = {}
    for member in manifest.members:
        folder, slash, _ = member.name.rpartition("/")
        name = f"{folder}/" if slash else member.name
        one = found.setdefault(name, TableView(name=name, columns=member.columns or ()))
        one.rows += member.rows
        one.bytes += member.bytes
        one.compressed_bytes += member.compressed_bytes
        one.slices += len(member.slices)
    return tuple(found.values())


class ExportViews:
    """Makes views; remembers what it has seen, to tell how fast things go."""

    def __init__(self, segments: Segments) -> None:
        self._segments = segments
        self._pace = Pace()

    def all(self, visit: Visit, exports: tuple[Export, ...]) -> list[ExportView]:
        """A view of each, in the same order."""
        names = self._segment_names(visit, exports)
        return [self._view(visit, export, names) for export in exports]

    def one(self, visit: Visit, export: Export) -> ExportView:
        """The view of this export."""
        return self.all(visit, (export,))[0]

    def _segment_names(self, visit: Visit, exports: tuple[Export, ...]) -> Mapping[str, str]:
        """By id, where the key may know them."""
        if not visit.may(Scope.SEGMENT_READ):
            return {}
        if all(export.request.filters.segment_id is None for export in exports):
            return {}
        return {segment.id: segment.name for segment in self._segments.all(visit.account.id)}

    def _view(self, visit: Visit, export: Export, names: Mapping[str, str]) -> ExportView:
        running = export.status is ExportStatus.IN_PROGRESS
        failed = export.status is ExportStatus.ERROR
        done = export.status is ExportStatus.FINISHED
        share = export.progress / export.total if export.total else float(done)
        return ExportView(
            export=export,
            title=EXPORT_TYPES[export.request.export_type],
            narrowing=narrowing(export, names, visit.account.timezone),
            state=EXPORT_STATES[export.status],
            running=running,
            ended=done or failed,
            percent=int(share * 100),
            pace=self._speed(export),
            failure=FAILURES[export.failure or FailureCause.INTERNAL] if failed else None,
            curl=curl(export.request, visit.links.server),
        )

    def _speed(self, export: Export) -> str:
        match export.status:
            case ExportStatus.QUEUED:
                return ""
            case ExportStatus.IN_PROGRESS:
                rate = self._pace.rate(export.id, export.progress)
                left = export.total - export.progress
                if not left:
                    return "putting the file together"
                if rate is None:
                    return "measuring"
                time_left = numbers.duration(left / rate)
                return f"{numbers.whole(rate)} rows/s, {time_left} left"
            case ExportStatus.FINISHED | ExportStatus.ERROR:
                if export.finished_at is None:
                    return ""
                took = max(export.finished_at - export.created_at, timedelta())
                return numbers.duration(took.total_seconds())


def narrowing(export: Export, names: Mapping[str, str], timezone: str) -> tuple[str, ...]:
    """The report's name, dates, types and segment in words."""
    filters, said = export.request.filters, []
    if export.request.report is not None:
        said.append(export.request.report.name)
    if filters.from_date and filters.to_date:
        first, last = (numbers.day(at, timezone) for at in (filters.from_date, filters.to_date))
        said.append(first if first == last else f"{first} to {last}")
    if filters.activity_types:
        named = filters.activity_types[:_MOST_TYPES_NAMED]
        more = len(filters.activity_types) - len(named)
        said.append(", ".join(named) + (f" and {more} more" if more else ""))
    if filters.segment_id:
        known = names.get(filters.segment_id)
        said.append(f"segment {known}" if known else f"segment {filters.segment_id}")
    if export.request.extras.changed_since is not None:
        said.append(f"changed since commit {export.request.extras.changed_since}")
    return tuple(said)
