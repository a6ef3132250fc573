"""Programs that people open ZIPs with, each as a function from an archive to what it found."""

import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, NamedTuple

HERE = Path(__file__).parent
UTF8 = os.environ | {"LC_ALL": "C.UTF-8"}
CHUNK_BYTES = 1 << 20


class Content(NamedTuple):
    """A member's text, told by its length and hex digest."""

    bytes: int
    sha256: str


Found = dict[str, Content]
"""What an archive holds, by member name."""


def content(chunks: Iterable[bytes]) -> Content:
    digest = hashlib.sha256()
    length = 0
    for chunk in chunks:
        digest.update(chunk)
        length += len(chunk)
    return Content(length, digest.hexdigest())


def python(archive: Path) -> Found:
    with zipfile.ZipFile(archive) as opened:
        found = {}
        for name in opened.namelist():
            with opened.open(name) as text:
                found[name] = content(_chunks(text))
        return found


def unzip(archive: Path) -> Found:
    _need("unzip", package="unzip")
    names = _lines("unzip", "-Z1", archive)
    return {name: _output("unzip", "-p", archive, name) for name in names}


def seven_zip(archive: Path) -> Found:
    _need("7z", package="p7zip-full")
    listing = _lines("7z", "l", "-slt", "-ba", archive)
    names = [line.removeprefix("Path = ") for line in listing if line.startswith("Path = ")]
    return {name: _output("7z", "x", "-so", archive, name) for name in names}


def bsdtar(archive: Path) -> Found:
    _need("bsdtar", package="libarchive-tools")
    names = _lines("bsdtar", "-tf", archive)
    return {name: _output("bsdtar", "-xOf", archive, name) for name in names}


def java_zip_file(archive: Path) -> Found:
    return _java("directory", archive)


def java_zip_input_stream(archive: Path) -> Found:
    return _java("stream", archive)


def node_yauzl(archive: Path) -> Found:
    _need("node", package="nodejs")
    if not (HERE / "node" / "node_modules" / "yauzl").is_dir():
        raise AssertionError("yauzl is missing: run `npm ci` in tests/readers/node")
    return _told(_lines("node", HERE / "node" / "read.js", archive))


PROGRAMS: tuple[Callable[[Path], Found], ...] = (
    python,
    unzip,
    seven_zip,
    bsdtar,
    java_zip_file,
    java_zip_input_stream,
    node_yauzl,
)


def _java(way: str, archive: Path) -> Found:
    _need("javac", package="default-jdk-headless")
    return _told(_lines("java", HERE / "Reader.java", way, archive))


def _told(lines: Iterable[str]) -> Found:
    """What our readers in other languages print: `bytes sha256 name` a line."""
    found = {}
    for line in lines:
        length, sha256, name = line.split(" ", 2)
        found[name] = Content(int(length), sha256)
    return found


def _need(program: str, *, package: str) -> None:
    if shutil.which(program) is None:
        raise AssertionError(
            f"{program} is missing: install the Debian package {package}, "
            "or all readers with tests/readers/install.sh"
        )


def _lines(*command: str | Path) -> list[str]:
    """What the command prints; fails with all it said when it does not end well."""
    ended = subprocess.run(
        command,
        env=UTF8,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert ended.returncode == 0, ended.stdout
    return ended.stdout.splitlines()


def _output(*command: str | Path) -> Content:
    with subprocess.Popen(
        command, env=UTF8, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        found = content(_chunks(process.stdout))
    assert process.returncode == 0, f"{command} ended with {process.returncode}"
    return found


def _chunks(text: IO[bytes]) -> Iterable[bytes]:
    return iter(lambda: text.read(CHUNK_BYTES), b"")
