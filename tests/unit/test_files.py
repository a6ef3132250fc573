import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from obstore.exceptions import GenericError
from obstore.store import MemoryStore

from outhaul.domain.errors import FileMissing, StorageFull, StorageUnavailable
from outhaul.files.object_store import Files, open_files

MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "files"


@pytest.fixture
def local(folder: Path) -> Files:
    return open_files(str(folder))


@pytest.fixture(params=["directory", "memory", "bucket"])
def files(request, folder: Path) -> Files:
    if request.param == "bucket":
        return open_files(request.getfixturevalue("bucket").url)
    return open_files({"directory": str(folder), "memory": "memory://"}[request.param])


def content(files: Files, key: str, *args: int) -> bytes:
    return b"".join(files.read(key, *args))


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_what_was_written_is_read(files):
    """A file holds the joined chunks, `write` and `size` count them, an empty file is a file."""
    assert files.write("exports/1/a", iter([b"one", b"", b"two"])) == 6
    assert files.write("exports/1/empty", []) == 0
    assert content(files, "exports/1/a") == b"onetwo"
    assert files.size("exports/1/a") == 6
    assert content(files, "exports/1/empty") == b""
    assert files.size("exports/1/empty") == 0


def test_a_second_write_replaces_the_first(files):
    """The key stands for the last file written, also when that is shorter."""
    files.write("a", [b"long text"])
    files.write("a", [b"short"])
    assert content(files, "a") == b"short"


def test_a_range_is_read(files):
    """`start` is included, `end` excluded; an end behind the file means its end."""
    files.write("a", [b"0123456789"])
    assert content(files, "a", 3) == b"3456789"
    assert content(files, "a", 3, 5) == b"34"
    assert content(files, "a", 8, 100) == b"89"
    assert content(files, "a", 4, 4) == b""
    assert content(files, "a", 10) == b""


def test_a_big_file_passes_in_chunks_of_one_mib(files):
    """Nothing is lost where one chunk, window or upload part ends and the next begins."""
    blocks = [os.urandom(MIB) for _ in range(19)]
    assert files.write("big", (block[:-1] for block in blocks)) == 19 * (MIB - 1)
    whole = b"".join(block[:-1] for block in blocks)
    chunks = list(files.read("big", 5))
    assert b"".join(chunks) == whole[5:]
    assert max(map(len, chunks)) == MIB


def test_a_file_is_made_of_others(files):
    """A source may read other files while it is written, as an archive reads its slices."""
    for number in range(3):
        files.write(f"slices/{number}", [bytes([number]) * 3 * MIB])
    keys = [f"slices/{number}" for number in range(3)]
    assert files.write("archive", (chunk for key in keys for chunk in files.read(key))) == 9 * MIB
    assert content(files, "archive") == b"".join(bytes([n]) * 3 * MIB for n in range(3))


def failing() -> Iterator[bytes]:
    yield bytes(20 * MIB)
    raise RuntimeError("the source broke")


def test_a_source_that_breaks_leaves_no_file(files, folder):
    """The source's own error comes out, and neither a file nor a piece of one stays."""
    with pytest.raises(RuntimeError, match="the source broke"):
        files.write("exports/1/a", failing())
    assert list(files.keys("")) == []
    with pytest.raises(FileMissing):
        files.size("exports/1/a")
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert files.sweep() == 0, "an upload was left open"


def test_a_source_that_breaks_leaves_the_file_before_it(files):
    """A replacement that fails changes nothing."""
    files.write("a", [b"before"])
    with pytest.raises(RuntimeError, match="the source broke"):
        files.write("a", failing())
    assert content(files, "a") == b"before"


def test_a_missing_file_is_told_at_once(files):
    """`read` raises when it is called, not when the first chunk is taken; the key is known."""
    with pytest.raises(FileMissing) as caught:
        files.read("exports/1/none")
    assert caught.value.key == "exports/1/none"
    with pytest.raises(FileMissing):
        files.size("exports/1/none")


def test_a_file_that_goes_while_it_is_read_is_an_error(files):
    """A reader never takes the part it got for the whole."""
    files.write("a", [bytes(20 * MIB)])
    chunks = files.read("a")
    next(chunks)
    files.delete(["a"])
    with pytest.raises(FileMissing):
        list(chunks)


def test_a_file_that_shrinks_while_it_is_read_is_an_error(local, folder):
    """The promised length is delivered or an error raised."""
    local.write("a", [bytes(3 * MIB)])
    chunks = local.read("a")
    next(chunks)
    os.truncate(folder / "a", MIB + 1)
    with pytest.raises(StorageUnavailable):
        list(chunks)


def test_deleting_is_repeatable(files):
    """Named files go, missing ones are fine wherever they stand, others stay."""
    for key in ("a/1", "a/2", "a/3"):
        files.write(key, [b"x"])
    files.delete(["a/0", "a/1", "b/9", "a/3"])
    files.delete(["a/1"])
    files.delete([])
    assert list(files.keys("")) == ["a/2"]


def test_a_prefix_is_a_folder(files):
    """Listing and deleting below `a` touch `a/...` alone, not `ab`."""
    keys = {"a/1", "a/b/2", "ab/3", "c"}
    for key in keys:
        files.write(key, [b"x"])
    assert set(files.keys("")) == keys
    assert set(files.keys("a")) == {"a/1", "a/b/2"}
    files.delete_prefix("a")
    assert set(files.keys("")) == {"ab/3", "c"}
    files.delete_prefix("a")
    assert list(files.keys("none")) == []


def test_a_check_leaves_nothing(files):
    """A store that can be written says so by returning, and holds no trace of the question."""
    files.write("a", [b"x"])
    files.check()
    assert list(files.keys("")) == ["a"]


def test_a_memory_of_its_own(files):
    """Two stores in memory share nothing; a store object made elsewhere is taken as it is."""
    other = open_files("memory://")
    files.write("a", [b"x"])
    assert list(other.keys("")) == []
    assert list(Files(MemoryStore()).keys("")) == []


def test_many_threads_write_and_delete_side_by_side(files):
    """Folders that appear and vanish under other writers cost nobody a file."""
    faults: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for turn in range(25):
                key = f"exports/{turn % 3}/{number}"
                files.write(key, [b"x" * number])
                assert files.size(key) == number
                files.delete([key])
        except BaseException as fault:  # noqa: BLE001  a thread's fault must reach the test
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert list(files.keys("")) == []


# A local directory only.


def test_a_directory_is_made_for_its_owner_alone(local, folder):
    """The files hold personal data: a directory that Outhaul makes is closed to others."""
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_relative_directory_stays_where_it_was_opened(tmp_path, monkeypatch):
    """A later change of the working directory does not move the files."""
    monkeypatch.chdir(tmp_path)
    files = open_files("files")
    monkeypatch.chdir("/")
    files.write("a", [b"x"])
    assert (tmp_path / "files" / "a").read_bytes() == b"x"


def test_empty_folders_go_with_their_last_file(local, folder):
    """Deleting leaves no empty folders, and never removes the directory itself."""
    local.write("exports/1/slices/0", [b"x"])
    local.write("exports/2/archive.zip", [b"x"])
    local.delete_prefix("exports/1")
    assert tree(folder) == {"exports", "exports/2", "exports/2/archive.zip"}
    local.delete(["exports/2/archive.zip"])
    assert tree(folder) == set()
    assert folder.is_dir()


@pytest.fixture
def synced(monkeypatch) -> list[str]:
    """The paths given to fsync, in order."""
    paths: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        paths.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return paths


def test_a_written_file_and_its_folders_are_synced(local, folder, synced):
    """When `write` returns, the disk was asked to keep the file and the way to it."""
    local.write("exports/1/a", [b"x"])
    assert synced == [
        f"{folder}/exports/1/a",
        f"{folder}/exports/1",
        f"{folder}/exports",
        f"{folder}",
    ]


def test_a_deletion_is_synced_in_what_is_left(local, folder, synced):
    """An erased file does not come back after a power cut: the folder that lost it is synced."""
    local.write("exports/1/a", [b"x"])
    local.write("exports/2/a", [b"x"])
    synced.clear()
    local.delete(["exports/1/a"])
    assert synced == [f"{folder}/exports"]


def test_a_new_directory_is_synced_into_its_parents(tmp_path, synced):
    """Each folder made on the way is kept by the folder that holds it."""
    open_files(str(tmp_path / "data" / "files"))
    assert set(synced) == {f"{tmp_path}/data", f"{tmp_path}"}


WRITER = """
import sys
from outhaul.files.object_store import open_files

def chunks():
    for _ in range(40):
        yield bytes(1 << 20)
    print("written", flush=True)
    sys.stdin.readline()

open_files(sys.argv[1]).write("exports/1/a", chunks())
"""


def test_a_killed_write_leaves_no_file_and_is_swept(folder):
    """After kill -9 in the middle of a write no key exists, and `sweep` removes what is left."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with writer:
        assert writer.stdin is not None
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        writer.send_signal(signal.SIGKILL)
    files = open_files(str(folder))
    assert list(files.keys("")) == []
    assert tree(folder) == {"exports", "exports/1", "exports/1/a#1"}
    files.write("exports/2/b", [b"x"])
    files.sweep()
    assert tree(folder) == {"exports", "exports/2", "exports/2/b"}


def test_memory_needs_no_sweeping():
    """`sweep` can be called whatever the store is."""
    files = open_files("memory://")
    files.write("a", [b"x"])
    files.sweep()
    assert content(files, "a") == b"x"


def test_a_full_disk_is_told_as_such(local, monkeypatch):
    """ENOSPC from the operating system becomes StorageFull, with the key."""

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageFull) as caught:
        local.write("exports/1/a", [b"x"])
    assert caught.value.key == "exports/1/a"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("No space left on device (os error 28)", StorageFull),
        ("Disk quota exceeded (os error 122)", StorageFull),
        ("Input/output error (os error 5)", StorageUnavailable),
        ("Service unavailable", StorageUnavailable),
    ],
)
@pytest.mark.parametrize("type_", [GenericError, OSError])
def test_a_full_disk_is_known_by_obstores_message(reason, expected, type_):
    """obstore gives the error number in its text only; both types were seen on a full disk."""

    class Broken(MemoryStore):
        def head(self, *args, **options):
            raise type_(
                f"Generic LocalFileSystem error: Unable to copy data to file: {reason}\n\n"
                'Debug source:\nGeneric {\n    store: "LocalFileSystem",\n}'
            )

    with pytest.raises(expected) as caught:
        Files(Broken()).size("exports/1/a")
    assert caught.value.key == "exports/1/a"


def test_a_file_in_the_way_of_a_folder_is_a_fault_of_the_storage(local):
    """Faults of the disk come out as StorageUnavailable, with the vendor's error as cause."""
    local.write("a", [b"x"])
    with pytest.raises(StorageUnavailable) as caught:
        local.write("a/b", [b"x"])
    assert caught.value.key == "a/b"
    assert caught.value.__cause__ is not None


def test_a_directory_that_is_gone_fails_the_check(local, folder):
    """What cannot be written is told by the check, as /health needs it."""
    folder.rmdir()
    folder.write_bytes(b"now a file")
    with pytest.raises(StorageUnavailable):
        local.check()


def test_a_place_that_cannot_be_a_directory_is_refused(tmp_path):
    """Opening tells at once that files cannot be kept there."""
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(StorageUnavailable):
        open_files(str(tmp_path / "taken" / "files"))
    with pytest.raises(StorageUnavailable):
        open_files(str(tmp_path / "taken"))


def test_a_bucket_that_cannot_be_reached_is_unavailable(monkeypatch):
    """An address where nobody listens is told as StorageUnavailable, by any method."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    files = open_files("s3://bucket/outhaul")
    with pytest.raises(StorageUnavailable):
        files.size("a")
