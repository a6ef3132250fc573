"""The temporary folder of a worker, with processes that are killed."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from outhaul.worker.scratch import Scratch

LONG_AGO = 1_700_000_000

HOLDER = """
import sys
from outhaul.worker.scratch import Scratch
scratch = Scratch()
(scratch.path / "spilled").write_text("ann@example.com")
print(scratch.path, flush=True)
sys.stdin.read()
"""


def holding(folder: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process with a folder of its own, which is told to be of long ago."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        env=os.environ | {"TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    path = Path(process.stdout.readline().strip())
    os.utime(path, (LONG_AGO, LONG_AGO))
    return process, path


def test_what_a_killed_worker_left_goes_with_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder of a living process, a folder made a moment ago and whatever is no folder stay."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    killed, _ = holding(tmp_path)
    living, held = holding(tmp_path)
    new = tmp_path / "outhaul-worker-new"
    new.mkdir()
    link = tmp_path / "outhaul-worker-link"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link.symlink_to(elsewhere)
    os.utime(link, (LONG_AGO, LONG_AGO), follow_symlinks=False)
    killed.kill()
    killed.communicate()
    try:
        scratch = Scratch()
        kept = {elsewhere, held, link, new}
        assert set(tmp_path.iterdir()) == {scratch.path, *kept}
        assert (held / "spilled").exists()
        scratch.remove()
        assert set(tmp_path.iterdir()) == kept
    finally:
        living.communicate()
