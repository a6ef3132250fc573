"""Traces for OpenTelemetry: every step of an export is a span, in one trace for each export.

Steps are done by different threads and processes at different times, which hand nothing to each
other but the catalog. So the trace's id is made of the export's, and the steps need not know of
each other. Needs the extra `telemetry`.
"""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags

from outhaul import __version__
from outhaul.catalog.due import Step
from outhaul.catalog.leases import Claim
from outhaul.domain.cancellation import Cancelled
from outhaul.domain.errors import FailureCause
from outhaul.domain.export import ArchiveFacts, SliceFacts, SlicePlan
from outhaul.domain.plan import ExportPlan


class Traces:
    """Sends spans to where the `OTEL_...` variables say, as a Watch."""

    def __init__(self) -> None:
        resource = Resource.create({"service.name": "outhaul", "service.version": __version__})
        self._provider = TracerProvider(resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._tracer = self._provider.get_tracer("outhaul", __version__)

    @contextmanager
    def step(self, claim: Claim) -> Iterator[None]:
        lease = claim.lease
        attributes: dict[str, str | int | bool] = {
            "outhaul.export": lease.export_id,
            "outhaul.account": lease.account_id,
            "outhaul.attempt": lease.attempt,
            "outhaul.taken_over": claim.taken_over,
        }
        if claim.slice_plan is not None:
            attributes["outhaul.member"] = claim.slice_plan.member.value
            attributes["outhaul.slice"] = claim.slice_plan.index
            attributes["outhaul.rows"] = claim.slice_plan.rows
        with self._tracer.start_as_current_span(
            f"export {lease.step}",
            context=_of_export(lease.export_id),
            attributes=attributes,
            # The text of an error may quote the data.
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except Cancelled:
                span.set_attribute("outhaul.cancelled", True)
                raise
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    def planned(self, plan: ExportPlan, parts: Sequence[SlicePlan]) -> None:
        rows = sum(part.rows for part in parts)
        trace.get_current_span().set_attributes(
            {"outhaul.rows": rows, "outhaul.unloaded": plan.unload is not None}
        )

    def unloaded(self, part: SlicePlan) -> None:  # noqa: ARG002 -- the span has its rows
        trace.get_current_span().set_attribute("outhaul.unloaded", True)

    def rendered(self, facts: SliceFacts) -> None:
        trace.get_current_span().set_attribute("outhaul.compressed_bytes", facts.compressed_bytes)

    def finished(self, archive: ArchiveFacts) -> None:
        trace.get_current_span().set_attribute("outhaul.archive_bytes", archive.bytes)

    def failed(self, step: Step, cause: FailureCause, *, ended: bool) -> None:
        """The span of the step has it already."""

    def hung(self, step: Step) -> None:
        """The span of the step ends when its thread wakes up."""

    def close(self) -> None:
        """Send what has not been sent yet."""
        self._provider.shutdown()


def _of_export(export_id: str) -> Context:
    digest = hashlib.sha256(export_id.encode()).digest()
    parent = SpanContext(
        trace_id=int.from_bytes(digest[:16]),
        span_id=int.from_bytes(digest[16:24]),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return trace.set_span_in_context(NonRecordingSpan(parent))
