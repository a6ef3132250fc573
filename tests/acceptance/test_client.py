"""The client against a real server process, and the examples of its documentation."""

import gzip
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from outhaul.archive.manifest import read_manifest
from outhaul.archive.verify import verify
from outhaul.client import Client, NotFound, Progress, read_polars
from tests.acceptance.conftest import Caller, Copied, Server, StoppedShop, import_file, new_caller

DOCUMENT = Path(__file__).parents[2] / "docs" / "client.md"


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> StoppedShop:
    return StoppedShop.make(tmp_path_factory.mktemp("stopped"), fill)


@pytest.fixture
def shop(stopped: StoppedShop, copied: Copied) -> Caller:
    caller = copied(stopped)
    caller.server.start()
    return caller


def fill(caller: Caller) -> None:
    """2,000 contacts, and an activity on every day of the first quarter."""
    folder = caller.server.data.parent
    contacts, activities = folder / "contacts.jsonl", folder / "activities.jsonl"
    contacts.write_text(
        "".join(json.dumps({"id": f"c{n}", "_email": f"c{n}@x.org"}) + "\n" for n in range(2000))
    )
    activities.write_text(
        "".join(
            json.dumps({"id": f"a{month}-{day}", "type": "search", "contactId": "c1",
                        "createdAt": f"2026-{month:02}-{day:02}T10:00:00Z", "searchText": ""})
            + "\n"
            for month, days in ((1, 31), (2, 28), (3, 31))
            for day in range(1, days + 1)
        )
    )  # fmt: skip
    for kind, file in (("contacts", contacts), ("activities", activities)):
        import_file(caller, kind, file)


def test_a_quarter_of_activities_in_one_file(shop: Caller, tmp_path: Path) -> None:
    """Every day once, in order; empty texts stay what they are."""
    with Client(shop.server.url, shop.key) as client:
        done = client.fetch_activities(
            tmp_path / "a.zip", from_date="2026-01-01", to_date="2026-03-31T23:59:59.999Z"
        )
    frame = read_polars(done.path)
    assert frame["Activity ID"].to_list() == [
        f"a{month}-{day}"
        for month, days in ((1, 31), (2, 28), (3, 31))
        for day in range(1, days + 1)
    ]
    assert set(frame["Search text"].to_list()) == {""}
    assert frame["URL"].null_count() == 90
    assert done.checked_against == "digest"
    assert verify(done.path, None).differences == ()


def test_what_only_outhaul_knows_is_asked_for(shop: Caller, tmp_path: Path) -> None:
    """Columns, format and compression give the file that they say; a quarter is one export where
    a long window is allowed, and cannot be joined of other files than ZIPs of CSV."""
    first, last = "2026-01-01", "2026-03-31T23:59:59.999Z"
    with Client(shop.server.url, shop.key) as client:
        done = client.fetch_activities(
            tmp_path,
            from_date=first,
            to_date=last,
            activity_types=["search"],
            columns=["activityId", "searchText"],
            file_format="jsonl",
            compression="gzip",
            allow_long_window=True,
        )
        with pytest.raises(ValueError, match="31 days"):
            client.fetch_activities(
                tmp_path / "z", from_date=first, to_date=last, compression="zstd"
            )
        assert len(done.exports) == 1
        rows = [json.loads(line) for line in gzip.decompress(done.path.read_bytes()).splitlines()]
        assert done.path.name.endswith(".jsonl.gz")
        assert rows[0] == {"activityId": "a1-1", "searchText": ""}
        assert len(rows) == 90
        with pytest.raises(ValueError, match="no ZIP"):
            read_polars(done.path)
        marked = client.fetch_contacts(tmp_path / "bom.zip", columns=["_email", "id"], bom=True)
        assert read_polars(marked.path)["Email"][0].endswith("@x.org")
        changed = client.fetch_contacts(tmp_path / "c.zip", changed_since=0, formula_guard=True)
        assert read_polars(changed.path).height == 2000
        text = client.manifest(changed.exports[0])
    assert text is not None
    assert json.loads(text)["extras"] == {"changedSince": 0, "formulaGuard": True}


def test_parquet_is_asked_for_and_read_with_its_types(shop: Caller, tmp_path: Path) -> None:
    """Into a file or right into a table; windows cannot be joined of it, and it is said what to
    do instead."""
    first, last = "2026-01-01", "2026-03-31T23:59:59.999Z"
    with Client(shop.server.url, shop.key) as client:
        with pytest.raises(ValueError, match="allow a long window"):
            client.fetch_activities(
                tmp_path / "z", from_date=first, to_date=last, file_format="parquet"
            )
        export = client.export_activities(
            from_date=first, to_date=last, file_format="parquet", allow_long_window=True
        )
        client.wait(export)
        frame = client.read(export, read_polars)
        assert frame.height == 90
        assert frame["creationDate"][1] == datetime(2026, 1, 2, 10, tzinfo=UTC)
        assert client.read(export, read_polars, product_lines=True).height == 0


def test_the_manifest_that_it_gets_proves_the_file(shop: Caller, tmp_path: Path) -> None:
    """As `outhaul verify` reads it."""
    with Client(shop.server.url, shop.key) as client:
        done = client.fetch_contacts(tmp_path / "c.zip")
        text = client.manifest(done.exports[0])
        assert text is not None
        assert verify(done.path, read_manifest(text)).differences == ()
        client.delete(done.exports[0])
        with pytest.raises(NotFound):
            client.download(done.exports[0], tmp_path / "again.zip")


def test_a_killed_server_is_waited_for(start_server: Callable[..., Server], tmp_path: Path) -> None:
    """Killed while the client waits and started again on the same port: the file arrives."""
    server = start_server(OUTHAUL_SLICE_ROWS="1000")
    server.port = int(server.url.rsplit(":", 1)[1])
    killed = threading.Event()
    caller = new_caller(server)
    contacts = tmp_path / "c.jsonl"
    contacts.write_text("".join(json.dumps({"id": f"c{n}"}) + "\n" for n in range(20_000)))
    import_file(caller, "contacts", contacts)

    def kill_once(_: Progress) -> None:
        if not killed.is_set():
            killed.set()
            server.kill()
            threading.Thread(target=server.start).start()

    with Client(server.url, caller.key) as client:
        done = client.fetch_contacts(tmp_path / "c.zip", progress=kill_once)
    assert verify(done.path, None).members[0][1] == 20_000


def test_the_examples_of_the_document_run(shop: Caller, tmp_path: Path) -> None:
    """All of them in one program, in their order."""
    body = {"name": "Searches", "dimensions": ["date"], "metrics": ["numberOfSearches"]}
    report = {"REPORT_ID": shop.request("POST", "/reports/", json=body).json()["id"]}
    program = "\n".join(re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(), re.DOTALL))
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", program],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"OUTHAUL_URL": shop.server.url, "OUTHAUL_KEY": shop.key} | report,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "contacts.zip" in done.stdout
    assert "/filters/toDate must not be before fromDate" in done.stdout
    names = {path.name for path in tmp_path.iterdir()}
    assert {"contacts.zip", "activities.zip", "a.zip", "b.zip", "march.zip"} <= names
    assert not [name for name in names if name.endswith((".part", ".windows"))]
