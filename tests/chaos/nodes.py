"""Random kills among servers and workers that share a catalog; part of `make chaos`.

    python -m tests.chaos.nodes --kills 200 --seed 1

Two servers and three workers on PostgreSQL. Every export must have the text of a quiet run, and
leave its archive alone behind. Ends with exit status 1 at the first that has not.
"""

import argparse
import random
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.conftest import Caller, Server
from tests.many_nodes import WorkerProcess, import_contacts, new_caller, new_node, upsert
from tests.postgres import new_postgres

_EXPORT_S = 2.0
"""About how long an export takes: kills come at random moments within this."""
_END_S = 60.0


@dataclass
class Deployment:
    """Nodes under fire."""

    servers: list[Server]
    workers: list[WorkerProcess]
    caller: Caller
    chance: random.Random

    def kill_one(self) -> None:
        """SIGKILL to one of all nodes, which starts again."""
        victims: list[Server | WorkerProcess] = [*self.servers, *self.workers]
        victim = self.chance.choice(victims)
        victim.kill()
        victim.start()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any server, as a client behind a load balancer asks: again after 503."""
        end = time.monotonic() + _END_S
        while True:
            caller = replace(self.caller, server=self.chance.choice(self.servers))
            answer = caller.request(method, path, **options)
            if answer.status_code != 503:
                return answer
            assert time.monotonic() < end, answer.text
            time.sleep(0.1)

    def export(self, kills: int) -> list[bytes]:
        """The files of an export in whose course nodes die."""
        wanted = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
        id_ = self.ask("POST", "/exports/", json=wanted).json()["id"]
        for _ in range(kills):
            time.sleep(self.chance.uniform(0, _EXPORT_S))
            self.kill_one()
        end = time.monotonic() + _END_S
        while (export := self.ask("GET", f"/exports/{id_}").json())["status"] != "finished":
            assert export["status"] != "error", export
            assert time.monotonic() < end, export
            time.sleep(0.05)
        files = list(self.caller.members(export).values())
        assert self.ask("DELETE", f"/exports/{id_}").status_code == 204
        return files


def _end(node: Server | WorkerProcess) -> None:
    if not isinstance(node, Server) or node.running:
        node.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with ExitStack() as ending, new_postgres() as postgres:
        folder = Path(ending.enter_context(tempfile.TemporaryDirectory()))
        settings = {
            "OUTHAUL_CATALOG": postgres.new_database(),
            "OUTHAUL_TAKEOVER_LIMIT": "1000",
        }
        servers = [new_node(folder, name, **settings).start() for name in ("one", "two")]
        workers = [WorkerProcess(servers[0], folder / f"worker-{n}.log") for n in range(3)]
        nodes: list[Server | WorkerProcess] = [*servers, *workers]
        for node in nodes:
            ending.callback(_end, node)
        for worker in workers:
            worker.start()
        caller = new_caller(servers[0])
        upsert(caller, "first@example.com")
        import_contacts(caller, 20_000)
        deployment = Deployment(servers, workers, caller, random.Random(chosen.seed))
        expected = deployment.export(0)
        began, kills, exports = time.monotonic(), 0, 0
        while kills < chosen.kills:
            some = deployment.chance.randint(1, 3)
            assert deployment.export(some) == expected, f"other bytes after {kills} kills"
            kills, exports = kills + some, exports + 1
            if exports % 10 == 0:
                print(f"  {kills} kills, {exports} exports", flush=True)
        left = [path for path in (folder / "files" / "exports").rglob("*") if path.is_file()]
        print(
            f"{kills} kills: {exports} exports, all bytes equal, {len(left)} files left over,"
            f" {time.monotonic() - began:.0f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
