"""`outhaul serve`: API and worker in one process."""

import asyncio
import gc
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from outhaul.api.app import create_app
from outhaul.api.forwarding import forwarding
from outhaul.cli import logs
from outhaul.cli.metrics import telling
from outhaul.cli.options import Catalog, Data, Files, settings
from outhaul.console.app import create_console
from outhaul.domain.errors import OuthaulError
from outhaul.edges import Edges
from outhaul.registry import Registry
from outhaul.settings import Settings
from outhaul.wiring import Outhaul
from outhaul.worker.ownership import Ownership

_GRACE_S = 5
_WAIT_S = 0.2


def serve(
    host: Annotated[
        str | None, typer.Option(help="Address to listen on [OUTHAUL_HOST; else 127.0.0.1].")
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="Port; 0 takes a free one [OUTHAUL_PORT; else 8080].")
    ] = None,
    data: Data = None,
    files: Files = None,
    catalog: Catalog = None,
    warehouse: Annotated[
        str | None,
        typer.Option(
            help="Engine whose tables are exported, such as sc://host:15002"
            " [OUTHAUL_WAREHOUSE]; see docs/warehouse.md."
        ),
    ] = None,
    warehouse_file: Annotated[
        Path | None,
        typer.Option(
            help="What its tables are called"
            " [OUTHAUL_WAREHOUSE_FILE; else warehouse.toml in the data directory]."
        ),
    ] = None,
) -> None:
    """Run the server until it is told to stop (SIGTERM or Ctrl-C).

    Example: outhaul serve --port 8080 --data /var/lib/outhaul
    """
    chosen = settings(
        host=host,
        port=port,
        data=data,
        files=files,
        catalog=catalog,
        warehouse=warehouse,
        warehouse_file=warehouse_file,
    )
    logs.configure(chosen.log_level, chosen.log_format)
    registry = Registry(chosen)
    ownership = Ownership(registry.data)
    while not ownership.take("serve"):
        if ownership.holder() == "serve":
            raise OuthaulError(f"another process serves {registry.data} already")
        # `outhaul import` owns the directory for as long as its file takes.
        time.sleep(_WAIT_S)
    try:
        _run(registry, chosen)
    finally:
        registry.close()
        ownership.give_up()


def _run(registry: Registry, chosen: Settings) -> None:
    outhaul = Outhaul(registry, chosen)
    edges = Edges(outhaul)
    # h11, because the other parser lower-cases the names of headers that clients match by case.
    config = uvicorn.Config(
        create_app(edges.services, create_console(edges.console, forwarding)),
        host=chosen.host,
        port=chosen.port,
        http="h11",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    with telling(outhaul.metrics, chosen.metrics_address):
        outhaul.start()
        # What there is now stays. The collector would look through all of it every few thousand
        # calls, and nobody is answered meanwhile: a tenth of a second, on slow machines a third.
        gc.collect()
        gc.freeze()
        try:
            asyncio.run(_Server(config, outhaul).serve())
        finally:
            # Else libraries would complain at the end of what is left of them.
            gc.unfreeze()
            outhaul.stop()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, outhaul: Outhaul) -> None:
        super().__init__(config)
        self._outhaul = outhaul

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Says where the server is once it can be reached."""
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            address = self.servers[0].sockets[0].getsockname()
            host = f"[{address[0]}]" if ":" in address[0] else address[0]
            url = f"http://{host}:{address[1]}"
            self._outhaul.reached_at(url, lost=self._end)
            print(f"Outhaul is ready at {url}", flush=True)

    def _end(self) -> None:
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on signals and then end normally; uvicorn would raise the signal once more."""
        kept = {
            number: signal.signal(number, self.handle_exit)
            for number in (signal.SIGTERM, signal.SIGINT)
        }
        try:
            yield
        finally:
            for number, handler in kept.items():
                signal.signal(number, handler)
