"""`/metrics` on an address of its own, which a proxy or firewall can keep to the inside."""

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import start_http_server

from outhaul.api.metrics import Metrics
from outhaul.domain.errors import OuthaulError


@contextmanager
def telling(metrics: Metrics, address: str | None) -> Iterator[None]:
    """Serve the metrics at `address` (host and port) meanwhile; None: do nothing.

    Raises OuthaulError where nobody can listen there.
    """
    if address is None:
        yield
        return
    host, _, port = address.rpartition(":")
    try:
        server, thread = start_http_server(int(port), host.strip("[]"), registry=metrics.registry)
    except (OSError, OverflowError) as error:
        raise OuthaulError(f"OUTHAUL_METRICS_ADDRESS {address}: cannot listen there") from error
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
