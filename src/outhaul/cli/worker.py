"""`outhaul worker`: a process that only works."""

import signal
import threading
import time

from outhaul.cli import logs
from outhaul.cli.metrics import telling
from outhaul.cli.options import Catalog, Files, settings
from outhaul.registry import Registry
from outhaul.wiring import WorkerNode


def worker(catalog: Catalog = None, files: Files = None) -> None:
    """Work on exports beside servers that share the catalog, until told to stop.

    Example: outhaul worker --catalog postgresql://outhaul@db/outhaul --files s3://exports

    Stopped once (SIGTERM or Ctrl-C) it ends the work in hand, for at most OUTHAUL_DRAIN_SECONDS;
    stopped again it gives it back at once.
    """
    chosen = settings(catalog=catalog, files=files)
    chosen.check_node()
    logs.configure(chosen.log_level, chosen.log_format)
    stop, now = threading.Event(), threading.Event()

    def told(_number: int, _frame: object) -> None:
        (now if stop.is_set() else stop).set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
    registry = Registry(chosen)
    try:
        node = WorkerNode(registry, chosen)
        with telling(node.metrics, chosen.metrics_address):
            node.start()
            print("Outhaul works", flush=True)
            stop.wait()
            until = time.monotonic() + chosen.drain_seconds
            node.stop(lambda: now.is_set() or time.monotonic() >= until)
    finally:
        registry.close()
