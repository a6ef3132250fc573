"""An earlier version's nodes are replaced by today's while exports run; part of `make chaos`.

    python -m tests.chaos.upgrade --from COMMIT

Needs the history: the earlier version is taken out of it, by default the last one without the
newest migration. Two servers and three workers of it share PostgreSQL; one after the other is told
to end (SIGTERM) and comes back as what is checked out here, workers first. Callers have exports
made all the while, and every file has the text that the earlier version gave by itself. Ends with
exit status 1 otherwise.
"""

import argparse
import random
import subprocess
import sys
import tarfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from outhaul.catalog import layout
from tests.acceptance.conftest import OUTHAUL
from tests.chaos.deployment import WANTED, deployed
from tests.chaos.nodes import Callers

_HERE = Path(__file__).parents[2]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from", dest="commit", default=None)
    parser.add_argument("--files", choices=["local", "s3"], default="local")
    chosen = parser.parse_args()
    if chosen.commit is None and not (_HERE / ".git").exists():
        print("no history of git here: nothing to upgrade from", flush=True)
        return
    commit = chosen.commit or _before_the_newest_migration()
    told = _git("log", "-1", "--format=%h of %cs: %s", commit).decode().strip()
    print(f"from {told}", flush=True)
    with TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(_git("archive", commit, "src"))) as archive:
            archive.extractall(folder, filter="data")
        earlier = ["env", f"PYTHONPATH={folder}/src", sys.executable, "-m", "outhaul"]
        _replace_all(earlier, files=chosen.files)


def _replace_all(earlier: list[str], *, files: str) -> None:
    with deployed(files=files, rows="store", program=earlier) as deployment:
        chance = random.Random(1)
        quiet = {kind: deployment.finished(deployment.create(kind, chance)) for kind in WANTED}
        callers, done = Callers(deployment, quiet), threading.Event()
        began = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            running = [pool.submit(callers.run, str(number), done) for number in range(2)]
            try:
                for node in reversed(deployment.nodes):
                    assert node.stop() == 0, "it did not end by itself"
                    node.program = OUTHAUL
                    node.start()
                    # The others go on; both versions are at work.
                    callers.get_further(until=lambda: any(one.done() for one in running))
            finally:
                done.set()
        for one in running:
            one.result()
        callers.look_back()
        print(
            f"{len(deployment.nodes)} nodes replaced in {time.monotonic() - began:.0f} s,"
            f" {callers.exports} exports meanwhile, all bytes equal,"
            f" {deployment.refused} requests asked again",
            flush=True,
        )


def _before_the_newest_migration() -> str:
    newest = max((layout.MIGRATIONS / "versions").glob("[0-9]*.py"))
    added = _git("log", "-1", "--diff-filter=A", "--format=%H", "--", str(newest)).decode().strip()
    if not added:
        sys.exit("the newest migration is not in the history: name a commit with --from")
    return f"{added}~1"


def _git(*arguments: str) -> bytes:
    found = subprocess.run(["git", *arguments], cwd=_HERE, capture_output=True)
    if found.returncode:
        sys.exit(f"this needs the history of git: {found.stderr.decode().strip()}")
    return found.stdout


if __name__ == "__main__":
    main()
