"""What Prometheus asks for: counts of this process's own work, and the state of the catalog."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Histogram, PlatformCollector
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from outhaul import __version__
from outhaul.catalog.census import Census
from outhaul.catalog.due import Step
from outhaul.catalog.leases import Claim
from outhaul.domain.errors import CatalogUnavailable, FailureCause
from outhaul.domain.export import ArchiveFacts, ExportStatus, SliceFacts, SlicePlan
from outhaul.domain.plan import ExportPlan

_STEP_BUCKETS_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class Metrics:
    """Hears of the worker's steps, as its Watch; tells Prometheus. No label is of an account or an
    export: those would be without number."""

    def __init__(self, census: Callable[[], Census]) -> None:
        """`census` is asked at every scrape."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.registry.register(_Catalog(census))

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"outhaul_{name}", text, labels, registry=self.registry)

        self._seconds = Histogram(
            "outhaul_step_seconds",
            "How long steps of exports took that came to a good end.",
            ["step"],
            buckets=_STEP_BUCKETS_S,
            registry=self.registry,
        )
        self._rows = counter("rows", "Rows rendered.")
        self._text = counter("text_bytes", "Bytes of CSV rendered.")
        self._compressed = counter("compressed_bytes", "Bytes of slices after compression.")
        self._archives = counter("archive_bytes", "Bytes of finished archives.")
        self._ended = counter("exports_ended", "Exports that ended, by how.", "status")
        self._faults = counter("step_faults", "Faults of steps, by cause.", "step", "cause")
        self._takeovers = counter(
            "lease_takeovers", "Steps taken over from workers that died or hung.", "step"
        )
        self._unloads = counter(
            "unloads", "Slices unloaded by the store, snapshots by a warehouse.", "source"
        )
        self._unloaded = counter("unloaded_rows", "Rows in them.", "source")
        # A series that appears with its first event hides that event from `rate`.
        for source in ("store", "warehouse"):
            self._unloads.labels(source)
            self._unloaded.labels(source)
        for step in Step:
            self._takeovers.labels(step)
            self._seconds.labels(step)
        for status in (ExportStatus.FINISHED, ExportStatus.ERROR):
            self._ended.labels(status)

    @contextmanager
    def step(self, claim: Claim) -> Iterator[None]:
        if claim.taken_over:
            self._takeovers.labels(claim.lease.step).inc()
        started = time.monotonic()
        yield
        self._seconds.labels(claim.lease.step).observe(time.monotonic() - started)

    def planned(self, plan: ExportPlan, parts: Sequence[SlicePlan]) -> None:
        if plan.warehouse is not None:
            self._count_unload("warehouse", parts)

    def unloaded(self, part: SlicePlan) -> None:
        self._count_unload("store", [part])

    def rendered(self, facts: SliceFacts) -> None:
        self._rows.inc(facts.rows)
        self._text.inc(facts.text_bytes)
        self._compressed.inc(facts.compressed_bytes)

    def finished(self, archive: ArchiveFacts) -> None:
        self._archives.inc(archive.bytes)
        self._ended.labels(ExportStatus.FINISHED).inc()

    def failed(self, step: Step, cause: FailureCause, *, ended: bool) -> None:
        self._faults.labels(step, cause).inc()
        if ended:
            self._ended.labels(ExportStatus.ERROR).inc()

    def hung(self, step: Step) -> None:
        self._takeovers.labels(step).inc()

    def text(self, accept: str) -> tuple[bytes, str]:
        """The body and its media type, in the format that the Accept header prefers."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type

    def _count_unload(self, source: str, parts: Sequence[SlicePlan]) -> None:
        self._unloads.labels(source).inc()
        self._unloaded.labels(source).inc(sum(part.rows for part in parts))


class _Catalog(Collector):
    """The state of all accounts together, the same from every process that shares the catalog."""

    def __init__(self, census: Callable[[], Census]) -> None:
        self._census = census

    def describe(self) -> list[Metric]:
        # Without this the registry would ask the catalog for names.
        return []

    def collect(self) -> Iterator[Metric]:
        info = InfoMetricFamily("outhaul", "The version of Outhaul.")
        info.add_metric([], {"version": __version__})
        yield info
        up = partial(GaugeMetricFamily, "outhaul_catalog_up", "Whether the catalog answers.")
        try:
            census = self._census()
        except CatalogUnavailable:
            yield up(value=0)
            return
        yield up(value=1)
        for name, counts in (("exports", census.exports), ("imports", census.imports)):
            gauge = GaugeMetricFamily(
                f"outhaul_{name}", f"{name.title()} by state.", labels=["status"]
            )
            for status, count in counts.items():
                gauge.add_metric([status], count)
            yield gauge
        yield GaugeMetricFamily(
            "outhaul_queue_age_seconds",
            "For how long the oldest export has been waiting that nobody has begun.",
            value=census.waiting_s,
        )
