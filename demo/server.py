"""The `outhaul` command: single calls, and the server as a process of its own."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from demo.failure import DemoFailed

_READY_WITHIN_S = 30
_STOPPED_WITHIN_S = 20
_READY = re.compile(r"ready at (http://\S+)")


def outhaul(*arguments: str, data: Path) -> str:
    """Run one command to its end and return what it printed. Its progress bar stays visible.

    Raises DemoFailed when it does not succeed.
    """
    done = subprocess.run(
        _command(*arguments, data=data),
        cwd=data.parent,
        env=_environment(),
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=False,
    )
    if done.returncode != 0:
        command = " ".join(arguments[:2])
        raise DemoFailed(f"`outhaul {command}` ended with status {done.returncode}.")
    return done.stdout.strip()


@contextmanager
def running_server(*, data: Path, log: Path) -> Iterator[str]:
    """A server on a free port, stopped at the end whatever happens meanwhile; gives its address.

    Raises DemoFailed when it does not get ready, or does not end with status 0 on SIGTERM.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            _command("serve", "--port", "0", data=data),
            cwd=data.parent,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # In a session of its own, Ctrl-C reaches the demo alone, which then stops the server.
            start_new_session=True,
        )
    try:
        yield _address(process, log)
    finally:
        status = _stop(process)
    if status != 0:
        raise DemoFailed(f"The server ended with status {status}; its log is {log}.")


def _command(*arguments: str, data: Path) -> list[str]:
    return [sys.executable, "-m", "outhaul", *arguments, "--data", str(data)]


def _environment() -> dict[str, str]:
    """Ours without Outhaul's settings: the demo must not touch a real installation."""
    return {name: value for name, value in os.environ.items() if not name.startswith("OUTHAUL_")}


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where the server says it listens, once it answers there."""
    deadline = time.monotonic() + _READY_WITHIN_S
    with httpx.Client(trust_env=False) as client:
        while time.monotonic() < deadline and process.poll() is None:
            said = _READY.search(log.read_text("utf-8", "replace"))
            if said and _is_healthy(client, said[1]):
                return said[1]
            time.sleep(0.05)
    last = log.read_text("utf-8", "replace").strip().rpartition("\n")[2]
    raise DemoFailed(f"The server did not get ready; its log, {log}, ends with: {last}")


def _is_healthy(client: httpx.Client, address: str) -> bool:
    try:
        return client.get(f"{address}/health").is_success
    except httpx.TransportError:
        return False


def _stop(process: subprocess.Popen[bytes]) -> int:
    """Ask the process to end and return its status; kill it when it does not listen."""
    process.terminate()
    try:
        return process.wait(_STOPPED_WITHIN_S)
    except BaseException as interruption:
        process.kill()
        status = process.wait()
        if isinstance(interruption, subprocess.TimeoutExpired):
            return status
        raise
