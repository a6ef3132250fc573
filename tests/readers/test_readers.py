"""Archives of ours, opened by the programs that people have."""

import csv
import io
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from itertools import repeat
from pathlib import Path

import pytest

from outhaul.archive.container import Member, Part, archive_bytes, archive_size
from outhaul.archive.deflate import SliceCompressor
from outhaul.files.object_store import Files, open_files
from tests.readers.programs import PROGRAMS, Found, content

CREATED = datetime(2026, 3, 5, 14, 7, 9, tzinfo=UTC)
HEADER = '"Tracker","Email","Name","Surname","Notes"\n'

Archive = tuple[Path, Found]
"""An archive on disk and what it must hold."""

every_program = pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)


def contacts(numbers: Iterable[int]) -> str:
    """Rows with what breaks naive CSV: accents, emoji, quotes, delimiters and line breaks."""
    text = io.StringIO()
    rows = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    for number in numbers:
        rows.writerow(
            (
                f"{number:024x}",
                f"persona{number}@ejemplo.es",
                "Zoë «Ñandú» 🙂👩‍👩‍👧",
                'dice "hola", y; adiós',
                f"línea 1\nlínea 2\r\n\t{number}",
            )
        )
    return text.getvalue()


def stored_slice(files: Files, key: str, text: str) -> Part:
    compressor = SliceCompressor()
    files.write(key, [compressor.write(text.encode()), compressor.finish()])
    return Part(
        text_bytes=compressor.text_bytes,
        crc32=compressor.crc32,
        compressed_bytes=compressor.compressed_bytes,
        read=lambda: files.read(key),
    )


def written(folder: Path, members: list[Member]) -> Path:
    files = open_files(str(folder))
    assert files.write("archive.zip", archive_bytes(members)) == archive_size(members)
    return folder / "archive.zip"


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Archive:
    """Two members: 41 slices of contacts, one of them empty; and one with nothing but a header."""
    folder = tmp_path_factory.mktemp("small")
    files = open_files(str(folder))
    texts = [HEADER, *(contacts(range(n * 500, n * 500 + 500)) for n in range(39)), ""]
    parts = [stored_slice(files, f"slices/{n}", text) for n, text in enumerate(texts)]
    header = stored_slice(files, "slices/header", HEADER)
    path = written(
        folder,
        [
            Member(name="contacts.csv", modified=CREATED, parts=parts),
            Member(name="products.csv", modified=CREATED, parts=[header]),
        ],
    )
    return path, {
        "contacts.csv": content(text.encode() for text in texts),
        "products.csv": content([HEADER.encode()]),
    }


@pytest.fixture(scope="module")
def odd(tmp_path_factory) -> Archive:
    """A name with accents and an emoji, and a member of no slices at all."""
    folder = tmp_path_factory.mktemp("odd")
    part = stored_slice(open_files(str(folder)), "slices/0", HEADER)
    path = written(
        folder,
        [
            Member(name="contactos año 🙂.csv", modified=CREATED, parts=[part]),
            Member(name="empty.csv", modified=CREATED, parts=[]),
        ],
    )
    return path, {"contactos año 🙂.csv": content([HEADER.encode()]), "empty.csv": content([])}


@pytest.fixture(scope="module")
def big(tmp_path_factory) -> Archive:
    """More than 4 GiB of text in one member, and another behind it."""
    folder = tmp_path_factory.mktemp("big")
    files = open_files(str(folder))
    line = '"0123456789abcdef01234567","persona@ejemplo.es","Zoë",,\n'
    text = line * ((16 << 20) // len(line.encode()))
    part = stored_slice(files, "slices/0", text)
    header = stored_slice(files, "slices/1", HEADER)
    count = (1 << 32) // part.text_bytes + 1
    path = written(
        folder,
        [
            Member(name="activities.csv", modified=CREATED, parts=[part] * count),
            Member(name="products.csv", modified=CREATED, parts=[header]),
        ],
    )
    activities = content(repeat(text.encode(), count))
    assert activities.bytes > 1 << 32
    return path, {"activities.csv": activities, "products.csv": content([HEADER.encode()])}


@every_program
def test_an_archive_of_slices_is_read_whole(program: Callable[[Path], Found], small: Archive):
    """Every byte of two members comes out, and nothing else."""
    path, expected = small
    assert program(path) == expected


@every_program
def test_odd_names_and_empty_members_are_read(program: Callable[[Path], Found], odd: Archive):
    """A name beyond ASCII is told right, and a member may have no text."""
    path, expected = odd
    assert program(path) == expected


@every_program
def test_a_member_of_more_than_4_gib_is_read_whole(program: Callable[[Path], Found], big: Archive):
    """Zip64 headers are followed; what lies behind the big member is found."""
    path, expected = big
    assert program(path) == expected


@every_program
def test_a_damaged_archive_is_not_read(program: Callable[[Path], Found], small, tmp_path):
    """These programs would notice: one flipped bit in a slice gives an error or another text."""
    path, expected = small
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    broken = tmp_path / "damaged.zip"
    broken.write_bytes(damaged)
    try:
        found: Found | None = program(broken)
    except Exception:  # noqa: BLE001  each program has its own way to fail
        found = None
    assert found != expected
