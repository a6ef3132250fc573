"""Random kills among servers and workers that share a catalog; part of `make chaos`.

    python -m tests.chaos.nodes --files s3 --rows sail --kills 200 --seed 1

Two servers and three workers on PostgreSQL, with files in a directory or in a bucket, and rows in
the store of a server or in a warehouse. Two callers have exports made, look, fetch and delete
without a pause, while one node after another is killed. Every file must have the text of a quiet
run and the SHA-256 of its manifest, and in the end nothing lies among the files but the archives
of the exports that were kept. Ends with exit status 1 otherwise; the seed repeats whom is killed.
"""

import argparse
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.chaos.deployment import END_S, WANTED, Deployment, deployed

_PAUSE_S = 2.0
"""At most so long until the next kill."""
_PROGRESS_EVERY = 5
"""After so many kills one export at least is let come to its end."""
_KEEP_EVERY = 10


@dataclass
class Callers:
    """What is asked of the deployment, and what has come of it."""

    deployment: Deployment
    expected: dict[str, list[bytes]]
    exports: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self.kept: list[tuple[str, str]] = []

    def run(self, seed: str, done: threading.Event) -> None:
        """One export after the other until it is done."""
        chance = random.Random(seed)
        while not done.is_set():
            # The large one less often: its bytes take time that kills had better hit.
            [kind] = chance.choices(["contacts", "activities"], [1, 12])
            id_ = self.deployment.create(kind, chance)
            assert self.deployment.finished(id_) == self.expected[kind], f"{kind} are others"
            with self._lock:
                self.exports += 1
                keep = self.exports % _KEEP_EVERY == 0
                if keep:
                    self.kept.append((kind, id_))
            if not keep:
                # Told by a server that was killed after it had done so, it is gone as well.
                assert self.deployment.ask("DELETE", f"/exports/{id_}").status_code in {204, 404}

    def get_further(self, *, until: Callable[[], bool]) -> None:
        """Return when one more export is done, or when it is `until`."""
        before = self.exports
        while self.exports == before and not until():
            time.sleep(0.1)  # The callers are at it.

    def look_back(self) -> None:
        """What was finished at any time is still the same."""
        for kind, id_ in self.kept:
            assert self.deployment.finished(id_) == self.expected[kind], f"{kind} are others now"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", choices=["local", "s3"], default="local")
    parser.add_argument("--rows", choices=["store", "sail"], default="store")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    chosen = parser.parse_args()
    print(f"files {chosen.files}, rows {chosen.rows}, seed {chosen.seed}", flush=True)
    with deployed(files=chosen.files, rows=chosen.rows) as deployment:
        chance = random.Random(chosen.seed)
        quiet = {kind: deployment.finished(deployment.create(kind, chance)) for kind in WANTED}
        callers, done = Callers(deployment, quiet), threading.Event()
        began = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            running = [
                pool.submit(callers.run, f"{chosen.seed} caller {number}", done)
                for number in range(2)
            ]
            for kills in range(1, chosen.kills + 1):
                time.sleep(chance.uniform(0, _PAUSE_S))
                deployment.kill_one(chance)
                if kills % _PROGRESS_EVERY == 0:
                    callers.get_further(until=lambda: any(one.done() for one in running))
                if kills % 10 == 0:
                    print(f"  {kills} kills, {callers.exports} exports", flush=True)
                if any(one.done() for one in running):
                    break
            done.set()
        for one in running:
            one.result()
        seconds = time.monotonic() - began
        callers.look_back()
        archives = len(callers.kept) + len(quiet)
        found = _cleaned(deployment, archives)
        print(
            f"{chosen.kills} kills: {callers.exports} exports, all bytes equal,"
            f" {deployment.rendered_again} slices by a later claim (to unload one is a claim too),"
            f" {deployment.refused} requests asked again, {seconds:.0f} s\n{found}",
            flush=True,
        )


def _cleaned(deployment: Deployment, archives: int) -> str:
    """What the doctor says, once the nodes have started for the last time and looked around."""
    deployment.start_all()
    end = time.monotonic() + END_S
    while deployment.left():
        assert time.monotonic() < end, deployment.left()
        time.sleep(0.5)  # The nodes look by themselves.
    found = deployment.files_found()
    assert found.endswith(f"{archives} archives, all in full length"), found
    return found


if __name__ == "__main__":
    main()
