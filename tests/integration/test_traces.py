"""Traces as a collector gets them, from a real server."""

import hashlib
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from outhaul.domain.errors import UnsafeSettings
from tests.api_server import idle_outhaul, serving
from tests.integration.test_metrics import finished_export


class Collector(HTTPServer):
    """Keeps every span that is sent to it, with its raw bytes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.spans: list[Any] = []
        self.raw = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        assert isinstance(self.server, Collector)
        body = self.rfile.read(int(self.headers["content-length"]))
        told = ExportTraceServiceRequest.FromString(body)
        self.server.raw += body
        self.server.spans += [
            span for one in told.resource_spans for scope in one.scope_spans for span in scope.spans
        ]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
        pass


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with Collector() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.url)
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
        yield server
        server.shutdown()
        thread.join()


def attributes(span: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_the_steps_of_an_export_are_one_trace(collector: Collector, tmp_path: Path) -> None:
    """Plan, slice and assembly with what they were about; what is stored is not among it."""
    with serving(tmp_path / "data", traces=True) as address:
        export = finished_export(address)
    spans = {span.name: span for span in collector.spans}
    assert set(spans) == {"export plan", "export slices", "export assemble"}
    trace_id = hashlib.sha256(export["id"].encode()).digest()[:16]
    assert {span.trace_id for span in spans.values()} == {trace_id}
    for span in spans.values():
        assert attributes(span)["outhaul.export"] == export["id"]
        assert span.end_time_unix_nano > span.start_time_unix_nano
    assert attributes(spans["export slices"])["outhaul.rows"] == 1
    assert attributes(spans["export slices"])["outhaul.member"] == "contacts"
    assert attributes(spans["export assemble"])["outhaul.archive_bytes"] > 0
    assert b"ana@example.com" not in collector.raw


def test_an_error_is_told_by_its_kind(
    collector: Collector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by its text, which may quote what is stored."""

    def broken(*_given: object, **_named: object) -> None:
        raise ValueError("ana@example.com")

    monkeypatch.setattr("outhaul.pipeline.pipeline.Pipeline.plan", broken)
    with serving(tmp_path / "data", traces=True, fault_limit=1) as address:
        assert finished_export(address)["status"] == "error"
    [span] = collector.spans
    assert span.status.message == "ValueError"
    assert b"ana@example.com" not in collector.raw


def test_without_the_extra_the_setting_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what to install."""
    monkeypatch.setitem(sys.modules, "outhaul.worker.traces", None)
    with (
        pytest.raises(UnsafeSettings, match=r"pip install 'outhaul\[telemetry\]'"),
        idle_outhaul(tmp_path / "data", traces=True),
    ):
        pass
