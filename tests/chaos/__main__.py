"""Random kills, freezes and cut downloads on real servers, one at a time; part of `make chaos`.

    python -m tests.chaos --kills 1000 --freezes 200 --cuts 1000 --seed 1

Every export must have the text of a quiet run, and every download its export's SHA-256. Ends with
exit status 1 at the first that has not; the seed repeats the same choices.
"""

import argparse
import hashlib
import random
import signal
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.acceptance.conftest import Caller, check_stored
from tests.crash.cell import CrashShop

_EXPORT_S = 0.4
"""About how long an export takes: disturbances come at random moments within this."""
_START_S = 1.5
"""About how long a start takes; the export goes on before the server answers."""
_LEASE_S = 0.2


@dataclass
class Chaos:
    """A server under fire, and what has come of it so far."""

    shop: CrashShop
    caller: Caller
    chance: random.Random
    exports: int = 0

    def kills(self, count: int) -> None:
        """SIGKILL at random moments of an export's life and of the start that goes on with it."""
        id_, starting = self._create(), False
        for _ in range(count):
            time.sleep(self.chance.uniform(0, _START_S if starting else _EXPORT_S))
            self.caller.server.kill()
            self.caller.server.spawn()
            starting = self.chance.random() < 0.5
            if starting:
                continue
            self.caller.server.ready()
            if self._ended(id_):
                self._check(id_)
                id_ = self._create()
        if starting:
            self.caller.server.ready()
        self._check(id_)

    def freezes(self, count: int) -> None:
        """SIGSTOP at random moments, SIGCONT after the lease has run out or before."""
        id_ = self._create()
        for _ in range(count):
            time.sleep(self.chance.uniform(0, _EXPORT_S))
            self.caller.server.send(signal.SIGSTOP)
            time.sleep(self.chance.uniform(0, 2 * _LEASE_S))
            self.caller.server.send(signal.SIGCONT)
            if self._ended(id_):
                self._check(id_)
                id_ = self._create()
        self._check(id_)

    def cuts(self, count: int, *, restart_every: int = 50) -> None:
        """Downloads cut at random bytes, each resumed with a renewed link until it is whole; now
        and then the server is killed between two parts."""
        export = self.caller.finished()
        digest = self._manifest_sha256(export)
        done = 0
        while done < count:
            received, etag = b"", ""
            while True:
                link = self.caller.get(export["id"])["fileUrl"]
                headers = {"Range": f"bytes={len(received)}-", "If-Range": etag} if received else {}
                with httpx.stream("GET", link, headers=headers, timeout=30) as answer:
                    assert answer.status_code == (206 if received else 200), answer.status_code
                    etag = answer.headers["etag"]
                    left = int(answer.headers["content-length"])
                    wanted = self.chance.randrange(1, left + 1) if done < count else left
                    for chunk in answer.iter_raw():
                        received += chunk[:wanted]
                        wanted -= min(wanted, len(chunk))
                        left -= len(chunk)
                        if not wanted:
                            break
                if hashlib.sha256(received).hexdigest() == digest:
                    break
                done += 1
                if done % restart_every == 0:
                    self.caller.server.kill()
                    self.caller.server.start()
        print(f"  {done} cuts, every file whole in the end", flush=True)

    def _create(self) -> str:
        known = {export["id"] for export in self._listed()}
        with suppress(httpx.TransportError):
            self.caller.create()
        [id_] = {export["id"] for export in self._listed()} - known
        return str(id_)

    def _listed(self) -> list[dict[str, Any]]:
        return list(self.caller.request("GET", "/exports/").json()["results"])

    def _ended(self, id_: str) -> bool:
        return self.caller.get(id_)["status"] in {"finished", "error"}

    def _check(self, id_: str) -> None:
        export = self.caller.wait(id_)
        assert export["status"] == "finished", export
        archive = self.caller.download(export)
        assert hashlib.sha256(archive).hexdigest() == self._manifest_sha256(export)
        assert list(self.caller.members(export).values()) == [self.shop.text]
        assert self.caller.request("DELETE", f"/exports/{id_}").status_code == 204
        self.exports += 1

    def _manifest_sha256(self, export: dict[str, Any]) -> str:
        manifest = self.caller.request("GET", f"/exports/{export['id']}/manifest").json()
        return str(manifest["archive"]["sha256"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    for kind, count in (("kills", 1000), ("freezes", 200), ("cuts", 1000)):
        parser.add_argument(f"--{kind}", type=int, default=count)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "quiet").mkdir()
        shop = CrashShop.with_contacts(folder / "quiet")
        caller = shop.copy(
            folder, OUTHAUL_LEASE_SECONDS=str(_LEASE_S), OUTHAUL_TAKEOVER_LIMIT="1000"
        )
        caller.server.start()
        chaos = Chaos(shop, caller, random.Random(chosen.seed))
        try:
            for name, run, count in (
                ("kills", chaos.kills, chosen.kills),
                ("freezes", chaos.freezes, chosen.freezes),
                ("cuts", chaos.cuts, chosen.cuts),
            ):
                _part(chaos, name, run, count)
        finally:
            if caller.server.running:
                caller.server.kill()


def _part(chaos: Chaos, name: str, run: Callable[[int], None], count: int) -> None:
    if not count:
        return
    began, before = time.monotonic(), chaos.exports
    run(count)
    made, took = chaos.exports - before, time.monotonic() - began
    print(f"{count} {name}: {made} exports, all bytes equal, {took:.0f} s", flush=True)
    if name == "kills":
        chaos.caller.server.kill()
        chaos.caller.server.start()
        check_stored(chaos.caller, archives=1)


if __name__ == "__main__":
    main()
