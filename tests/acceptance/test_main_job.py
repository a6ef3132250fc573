"""The main job on a real server process, seen through the command line and HTTP only."""

import base64
import csv
import hashlib
import io
import json
import signal
import tarfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard

from tests.acceptance.conftest import (
    Caller,
    Copied,
    Server,
    StoppedShop,
    check_stored,
    import_file,
    new_caller,
    run,
)

StartServer = Callable[..., Server]

SEGMENT = "5f0a1b2c3d4e5f6071829304"
NASTY = 'Ünïcode, "quoted"; two\nlines 🎉 '


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> StoppedShop:
    return StoppedShop.make(tmp_path_factory.mktemp("stopped"), fill)


@pytest.fixture
def shop(stopped: StoppedShop, copied: Copied) -> Caller:
    caller = copied(stopped)
    caller.server.start()
    return caller


def fill(caller: Caller) -> None:
    """Three contacts, four activities, a segment of one contact."""
    folder = caller.server.data.parent
    contacts = folder / "contacts.jsonl"
    contacts.write_text(
        "".join(
            json.dumps(row, ensure_ascii=False) + "\n"
            for row in (
                {"id": "c1", "_email": "ana@example.com", "_name": NASTY, "_points": 5,
                 "_createdAt": "2026-01-02T03:04:05.678Z"},
                {"id": "c2", "_email": "bob@example.com", "_name": "",
                 "_createdAt": "2026-01-01T00:00:00Z"},
                {"id": "c3", "_email": "eve@example.com", "_createdAt": "2026-01-02T03:04:05.678Z"},
            )
        )
    )  # fmt: skip
    activities = folder / "activities.jsonl"
    activities.write_text(
        "".join(
            json.dumps(row) + "\n"
            for row in (
                {"id": "a2", "type": "search", "createdAt": "2026-03-02T00:00:00Z",
                 "email": "ana@example.com", "searchText": "red, \"shoes\""},
                {"id": "a1", "type": "purchase", "createdAt": "2026-03-01T12:00:00Z",
                 "email": "ana@example.com", "purchaseId": "p-1", "totalPrice": 19.9,
                 "products": [{"productId": "1", "quantity": 2, "unitPrice": 5},
                              {"productId": "2", "quantity": 1, "unitPrice": 9.9}]},
                {"id": "a3", "type": "search", "createdAt": "2026-03-03T00:00:00Z",
                 "contactId": "c2", "searchText": ""},
                {"id": "a4", "type": "login", "createdAt": "2026-04-03T00:00:00Z",
                 "contactId": "c2"},
            )
        )
    )  # fmt: skip
    segments = folder / "segments.csv"
    segments.write_text(f"segmentId,segmentName,email\n{SEGMENT},VIPs,ana@example.com\n")
    for kind, file in (("contacts", contacts), ("activities", activities), ("segments", segments)):
        import_file(caller, kind, file)


MARCH = {"fromDate": "2026-03-01T00:00:00Z", "toDate": "2026-03-31T23:59:59.999Z"}


def test_contacts_come_out_as_they_went_in(shop: Caller) -> None:
    """In order of creation and id; an empty text and a missing value differ in the bytes."""
    export = shop.finished()
    assert (export["progress"], export["total"]) == (3, 3)
    rows = shop.rows(export)
    assert [row["Tracker"] for row in rows] == ["c2", "c1", "c3"]
    assert rows[1]["Name"] == NASTY
    assert rows[1]["Creation date"] == "2026-01-02T03:04:05.678Z"
    [(name, text)] = shop.members(export).items()
    assert name == export["fileName"].removesuffix(".zip") + ".csv"
    assert text.startswith(b'"Tracker","Email","Name","Surname",')
    assert b'"c2","bob@example.com","",,' in text
    assert b'"c3","eve@example.com",,,' in text


def test_activities_of_a_month_with_their_product_lines(shop: Caller) -> None:
    """Both files of the archive, joined by Activity ID."""
    export = shop.finished(exportType="activities", filters=MARCH)
    stem = export["fileName"].removesuffix(".zip")
    members = shop.members(export)
    assert list(members) == [f"{stem}.csv", f"{stem}-product.csv"]
    rows = shop.rows(export)
    assert [(row["Activity ID"], row["Tracker"], row["Email"]) for row in rows] == [
        ("a1", "c1", "ana@example.com"),
        ("a2", "c1", "ana@example.com"),
        ("a3", "c2", "bob@example.com"),
    ]
    products = members[f"{stem}-product.csv"].decode().splitlines()
    assert [line.split(",")[0] for line in products] == ['"Activity ID"', '"a1"', '"a1"']
    assert export["total"] == 5, "product lines are rows too"


def test_filters_narrow_rows_and_columns(shop: Caller) -> None:
    """A segment and a type: only its contacts' activities, only that type's columns."""
    export = shop.finished(
        exportType="activities",
        delimiter=";",
        dateFormat="L",
        filters=MARCH | {"segmentId": SEGMENT, "activityTypes": ["search"]},
    )
    [text] = shop.members(export).values()
    assert text.decode() == (
        '"Activity type";"Creation date";"Email";"Tracker";"Activity ID";"Search text"\n'
        '"search";"03/02/2026";"ana@example.com";"c1";"a2";"red, ""shoes"""\n'
    )


def test_an_export_without_rows_has_its_header(caller: Caller) -> None:
    """Nothing stored: the archive still opens and holds the header line."""
    export = caller.finished()
    [text] = caller.members(export).values()
    assert text.count(b"\n") == 1
    assert export["total"] == 0


def test_accounts_cannot_see_each_other(shop: Caller) -> None:
    """Neither exports nor files, contacts or segments of another account."""
    other = new_caller(shop.server, "Another shop")
    export = shop.finished()
    path = f"/exports/{export['id']}"
    assert other.request("GET", path).status_code == 404
    assert other.request("DELETE", path).status_code == 404
    assert other.request("GET", "/exports/").json()["results"] == []
    assert other.rows(other.finished()) == []
    refused = other.request(
        "POST",
        "/exports/",
        json={
            "exportType": "contacts",
            "delimiter": ",",
            "dateFormat": "ISO",
            "filters": {"segmentId": SEGMENT},
        },
    )
    assert refused.status_code == 422
    assert refused.json()["validationErrors"][0]["path"] == "/filters/segmentId"
    stranger = httpx.get(export["fileUrl"].replace(export["id"], other.finished()["id"]))
    assert stranger.status_code == 403, "a link opens nothing but its own file"


def test_a_deleted_export_takes_its_file_along(shop: Caller) -> None:
    """204, then 404 for the export and for a link that was good a moment ago."""
    export = shop.finished()
    assert httpx.head(export["fileUrl"]).status_code == 200
    answer = shop.request("DELETE", f"/exports/{export['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert shop.request("GET", f"/exports/{export['id']}").status_code == 404
    assert httpx.get(export["fileUrl"]).status_code == 404


def test_a_blocked_account_gets_403_until_unblocked(shop: Caller) -> None:
    """Requests and file links alike."""
    export = shop.finished()
    run("accounts", "block", shop.account, "--data", shop.server.data)
    assert shop.request("GET", "/exports/").status_code == 403
    assert httpx.get(export["fileUrl"]).status_code in {403, 404}
    run("accounts", "unblock", shop.account, "--data", shop.server.data)
    assert shop.request("GET", "/exports/").status_code == 200
    assert httpx.get(export["fileUrl"]).status_code == 200


def test_the_server_stops_cleanly_on_sigterm(server: Server) -> None:
    """Exit status 0; health was good before."""
    health = httpx.get(server.url + "/health")
    assert health.status_code == 200
    assert {"catalog", "store", "files"} <= health.json().keys()
    assert server.stop(signal.SIGTERM) == 0


def test_a_second_server_on_the_same_data_is_refused(server: Server) -> None:
    """One clear line that names the directory."""
    second = run("serve", "--port", "0", "--data", server.data, check=False)
    assert second.returncode == 1
    assert second.stderr.count("\n") == 1
    assert str(server.data) in second.stderr


def make_contacts(path: Path, count: int) -> None:
    path.write_text(
        "_email,_name,_surname,_createdAt\n"
        + "".join(
            f'u{n}@example.com,"Näme, {n * 7919 % count}",{"x" * (n % 90)},'
            f"2026-01-01T00:{n // 60 % 60:02}:{n % 60:02}Z\n"
            for n in range(count)
        )
    )


@pytest.mark.parametrize("kills", [1, 4])
def test_killed_again_and_again_the_export_is_the_same(
    start_server: StartServer, tmp_path: Path, kills: int
) -> None:
    """kill -9 while it runs, start again: it goes on at once, with the bytes of a quiet run."""
    count = 60_000
    make_contacts(tmp_path / "contacts.csv", count)
    server = start_server(OUTHAUL_SLICE_ROWS="2000")
    caller = new_caller(server)
    import_file(caller, "contacts", tmp_path / "contacts.csv")
    quiet = caller.finished()
    expected = next(iter(caller.members(quiet).values()))
    assert expected.count(b"\n") == count + 1

    export_id = caller.create()["id"]
    seen = 0
    for _ in range(kills):
        while (now := caller.get(export_id))["progress"] <= seen and now["status"] != "finished":
            pass
        server.kill()
        seen = now["progress"]
        server.start()
    restarted = time.monotonic()
    export = caller.wait(export_id)
    assert time.monotonic() - restarted < 25, "dead leases are not waited for"
    assert export["status"] == "finished"
    assert (export["progress"], export["total"]) == (count, count)
    assert next(iter(caller.members(export).values())) == expected
    check_stored(caller, archives=2)


@pytest.mark.parametrize(
    "asked",
    [
        {"format": "jsonl", "compression": "zstd", "changedSince": 0},
        {"format": "parquet", "changedSince": 0},
    ],
)
def test_a_killed_export_in_another_format_is_the_same(
    start_server: StartServer, tmp_path: Path, asked: dict[str, Any]
) -> None:
    """JSON Lines in a tar of zstd, or Parquet: after kill -9 every file in it is that of a quiet
    run, and nothing else is left on the disk."""
    count = 12_000
    make_contacts(tmp_path / "contacts.csv", count)
    server = start_server(OUTHAUL_SLICE_ROWS="1000")
    caller = new_caller(server)
    import_file(caller, "contacts", tmp_path / "contacts.csv")
    whole = caller.finished(**asked)
    expected = texts_of(caller.download(whole))
    assert (whole["total"], len(expected) > 1) == (count, True)
    export_id = caller.create(**asked)["id"]
    while (now := caller.get(export_id))["progress"] == 0 and now["status"] != "finished":
        pass
    server.kill()
    server.start()
    export = caller.wait(export_id)
    assert (export["status"], export["total"]) == ("finished", count)
    assert texts_of(caller.download(export)) == expected
    assert list((server.data / "scratch").iterdir()) == []


def texts_of(data: bytes) -> list[bytes]:
    """The files in a ZIP or a tar of zstd; their names hold the export's uuid."""
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [archive.read(name) for name in archive.namelist()]
    text = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read()
    with tarfile.open(fileobj=io.BytesIO(text)) as tar:
        return [tar.extractfile(entry).read() for entry in tar]  # type: ignore[union-attr]  # files


def test_an_import_killed_halfway_applies_nothing_twice(
    start_server: StartServer, tmp_path: Path
) -> None:
    """The server dies during an import; the next one ends it; every row is there once."""
    count = 40_000
    make_contacts(tmp_path / "contacts.csv", count)
    server = start_server()
    caller = new_caller(server)
    arguments = ("import", "contacts", tmp_path / "contacts.csv", "--account", caller.account)
    results: list[str] = []
    watching = threading.Thread(
        target=lambda: results.append(run(*arguments, "--data", server.data).stdout)
    )
    watching.start()
    time.sleep(0.8)  # Somewhere within the import; every moment must be right.
    server.kill()
    server.start()
    watching.join()
    assert results == [f"{count:,} rows taken, 0 rows refused\n"]
    emails = [row["Email"] for row in caller.rows(caller.finished())]
    assert len(emails) == len(set(emails)) == count


def test_a_deleted_running_export_stops_and_leaves_no_files(
    start_server: StartServer, tmp_path: Path
) -> None:
    """Its work ends within moments, and its slices go."""
    make_contacts(tmp_path / "contacts.csv", 60_000)
    server = start_server(OUTHAUL_SLICE_ROWS="1000")
    caller = new_caller(server)
    import_file(caller, "contacts", tmp_path / "contacts.csv")
    export_id = caller.create()["id"]
    while caller.get(export_id)["progress"] == 0:
        pass
    assert caller.request("DELETE", f"/exports/{export_id}").status_code == 204
    until = time.monotonic() + 5
    files = server.data / "files"
    while (left := [p for p in files.rglob("*") if p.is_file()]) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == []
    assert caller.finished()["total"] == 60_000, "the server goes on with other work"


def test_the_manifest_proves_the_file(shop: Caller, tmp_path: Path) -> None:
    """Every number of it is that of the file, for the API, for `outhaul verify` and by hand."""
    export = shop.finished(exportType="activities", filters=MARCH)
    answer = shop.request("GET", f"/exports/{export['id']}/manifest")
    assert answer.headers["content-type"] == "application/json"
    manifest = answer.json()
    download = httpx.get(export["fileUrl"])
    sha256 = hashlib.sha256(download.content).digest()
    assert download.headers["etag"] == f'"{sha256.hex()}"'
    assert download.headers["repr-digest"] == f"sha-256=:{base64.b64encode(sha256).decode()}:"
    assert manifest["archive"] == {
        "fileName": export["fileName"],
        "bytes": len(download.content),
        "sha256": sha256.hex(),
    }
    assert manifest["rows"] == export["total"]
    texts = shop.members(export)
    assert [member["name"] for member in manifest["members"]] == list(texts)
    for member, text in zip(manifest["members"], texts.values(), strict=True):
        rows = list(csv.reader(io.StringIO(text.decode(), newline="")))
        assert member["rows"] == len(rows) - 1
        assert [column["label"] for column in member["columns"]] == rows[0]
        assert (member["bytes"], member["crc32"]) == (len(text), f"{zlib.crc32(text):08x}")
    first = manifest["members"][0]
    assert (first["slices"][0]["first"], first["slices"][-1]["last"]) == (
        {"createdAt": "2026-03-01T12:00:00.000Z", "id": "a1"},
        {"createdAt": "2026-03-03T00:00:00.000Z", "id": "a3"},
    )

    file, proof = tmp_path / export["fileName"], tmp_path / "manifest.json"
    file.write_bytes(download.content)
    proof.write_bytes(answer.content)
    said = run("verify", file, "--manifest", proof).stdout
    assert f"it is export {export['id']} as of commit {manifest['snapshot']['number']}" in said
    assert "agrees with itself" in run("verify", file).stdout
    other = shop.finished(exportType="activities", filters=MARCH)
    file.write_bytes(shop.download(other))
    refused = run("verify", file, "--manifest", proof, check=False)
    assert refused.returncode == 1
    assert "archive: SHA-256" in refused.stderr
    assert refused.stderr.endswith("differences\n")


def test_a_manifest_is_its_accounts_alone(shop: Caller) -> None:
    """404 for what is not the caller's, or not there at all."""
    other = new_caller(shop.server, "Another shop")
    export = shop.finished()
    assert other.request("GET", f"/exports/{export['id']}/manifest").status_code == 404
    assert shop.request("GET", f"/exports/{'0' * 24}/manifest").status_code == 404
