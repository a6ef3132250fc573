"""A real Apache Spark of several processes on this machine: master, workers, Connect server.

`pyspark` from PyPI carries the whole engine. It must not lie in the same environment as the Spark
Connect client, whose modules have the same names: `make test-cluster` puts it into a folder.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

START_S = 180
CONNECT = "org.apache.spark.sql.connect.service.SparkConnectServer"
EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"


def until(condition: Callable[[], bool], what: str, seconds: float = START_S) -> None:
    """Wait until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.05)  # A look at other processes.


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Cluster:
    """Processes of one cluster; `stop` ends all of them."""

    home: Path
    """The folder `pyspark` of the package."""
    folder: Path
    java: Path | None = None
    """Home of the Java to use; None: the system's."""
    url: str = ""
    """Of the Connect server, once it runs."""
    settings: dict[str, str] = field(default_factory=dict)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, workers: int = 2) -> None:
        """Start everything, and wait until it is ready."""
        master, connect = free_port(), free_port()
        self._run(
            "master",
            "spark-class",
            ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--webui-port", "0"],
            ["--port", str(master)],
        )
        until(lambda: "ALIVE" in self.log("master"), "master")
        for number in range(workers):
            self._run(
                f"worker-{number}",
                "spark-class",
                ["org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1"],
                ["--cores", "1", "--memory", "700m", "--webui-port", "0"],
                ["--work-dir", str(self.folder / f"work-{number}"), f"spark://127.0.0.1:{master}"],
            )
        settings = {
            "spark.executor.memory": "600m",
            "spark.driver.host": "127.0.0.1",
            "spark.connect.grpc.binding.port": str(connect),
            "spark.ui.enabled": "false",
            "spark.sql.warehouse.dir": str(self.folder / "tables"),
        } | self.settings
        given = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
        self._run(
            "connect",
            "spark-submit",
            ["--master", f"spark://127.0.0.1:{master}"],
            given,
            ["--class", CONNECT, "--name", "outhaul"],
        )
        until(lambda: "Spark Connect server started" in self.log("connect"), "connect")
        until(lambda: len(self.executors()) == workers, "executors")
        self.url = f"sc://127.0.0.1:{connect}"

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def executors(self, folder: str = "") -> list[int]:
        """Process ids of this cluster's executors, or of those in one worker's folder."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
                here = (process / "cwd").readlink()
            except OSError:
                continue  # It has ended meanwhile.
            if EXECUTOR in words and here.is_relative_to(self.folder / folder):
                found.append(int(process.name))
        return found

    def kill_worker(self, number: int) -> None:
        """SIGKILL a worker with its executor, as when a machine is lost."""
        executors = self.executors(f"work-{number}")
        assert executors
        worker = self._processes[1 + number]
        worker.kill()
        worker.wait()
        for pid in executors:
            os.kill(pid, signal.SIGKILL)

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in self._processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _run(self, name: str, program: str, *arguments: Sequence[str]) -> None:
        environment = os.environ | {
            "SPARK_HOME": str(self.home),
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "800m" if name == "connect" else "256m",
        }
        if self.java is not None:
            environment["JAVA_HOME"] = str(self.java)
        with (self.folder / f"{name}.log").open("wb") as log:
            command = [
                str(self.home / "bin" / program),
                *(one for part in arguments for one in part),
            ]
            self._processes.append(
                subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, env=environment)
            )
