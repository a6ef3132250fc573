"""An export as its JSON resource (contract section 4)."""

from typing import Any

from starlette.requests import Request

from outhaul.api.services import Services
from outhaul.api.wire import ErrorEcho, ExportResource, FiltersEcho
from outhaul.domain.errors import FailureCause
from outhaul.domain.export import Export, ExportStatus, Filters
from outhaul.domain.instants import to_text
from outhaul.domain.members import file_extension

_FAILURES = {
    FailureCause.PARITY_BROKEN: "The rows read did not match the rows counted; nothing was kept.",
    FailureCause.STORAGE_FULL: "The server has no room for the file.",
    FailureCause.STORAGE_UNAVAILABLE: "The storage of the server failed or could not be reached.",
    FailureCause.OUT_OF_MEMORY: "The server may not use as much memory as this export needs.",
    FailureCause.ERASED: "A contact in the file has been erased, and the file with it;"
    " an export made now is without that contact.",
    FailureCause.ERASED_TOO_OFTEN: "Contacts were erased time and again while the export ran.",
    FailureCause.WORKER_LOST: "The work stopped without a word too often; the log may say where.",
    FailureCause.WAREHOUSE_UNAVAILABLE: "The warehouse with the data was away, or failed.",
    FailureCause.WAREHOUSE_REFUSED: "The warehouse has rows that no file can show; the log tells"
    " which.",
    FailureCause.INTERNAL: "The server met a fault of its own; its log has the details.",
}


def base_url(services: Services, request: Request) -> str:
    """The base of every URL in this answer, without a slash at its end."""
    return (services.public_url or str(request.base_url)).rstrip("/")


def resource_of(export: Export, services: Services, base: str) -> dict[str, Any]:
    """The JSON object; a finished export gets a newly signed `fileUrl` below `base`."""
    request = export.request
    finished = export.status is ExportStatus.FINISHED
    ended = finished or export.status is ExportStatus.ERROR
    resource = ExportResource(
        id=export.id,
        export_type=request.export_type,
        status=export.status,
        origin=export.origin,
        version=request.version,
        date_format=request.date_format,
        delimiter=request.delimiter,
        filters=_echo(request.filters),
        created_at=to_text(export.created_at),
        finished_at=to_text(export.finished_at) if export.finished_at else None,
        progress=export.progress,
        total=export.total,
        file_name=export.file_name if finished else None,
        file_extension=file_extension(request) if finished else None,
        file_url=base + services.exports.file_path(export) if finished else None,
        waiting_for=None if ended or services.worker_alive() else "worker",
        error=_failure(export.failure) if export.status is ExportStatus.ERROR else None,
        **request.extras.asked,
    )
    return resource.model_dump(mode="json", by_alias=True, exclude_none=True)


def _echo(filters: Filters) -> FiltersEcho | None:
    if filters == Filters():
        return None
    return FiltersEcho(
        activity_types=None if filters.activity_types is None else list(filters.activity_types),
        from_date=to_text(filters.from_date) if filters.from_date else None,
        to_date=to_text(filters.to_date) if filters.to_date else None,
        segment_id=filters.segment_id,
        report_id=filters.report_id,
    )


def _failure(cause: FailureCause | None) -> ErrorEcho:
    known = cause or FailureCause.INTERNAL
    return ErrorEcho(cause=known, retry_helps=known.retry_helps, detail=_FAILURES[known])
