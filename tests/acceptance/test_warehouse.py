"""A server whose accounts' data lies in an engine of the user's."""

import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.acceptance.conftest import Caller, Server, check_stored, new_caller, run

SEGMENT = "5f0a1b2c3d4e5f6071829304"
AT = "TIMESTAMP '2026-03-01 10:00:00'"
TABLES = {
    "people": f"SELECT * FROM (VALUES ('c2', 'bob@shop.example', 'Bob', {AT}, 41.5),"
    f" ('c1', 'ana@shop.example', 'Ana \"la jefa\"', {AT}, NULL))"
    " AS t(nr, mail, called, since, size)",
    "events": "SELECT 'a' || i AS nr, CASE WHEN i % 2 = 0 THEN 'search' ELSE 'login' END AS kind,"
    f" {AT} + INTERVAL (i) SECOND AS happened, 'c' || (i % 2 + 1) AS person,"
    " 'shoes ' || i AS looked_for FROM range(10) AS r(i)",
    "groups": f"SELECT '{SEGMENT}' AS grp, 'c1' AS person",
}
MAPPING = """
account = "{account}"
folder = "file://{files}"

[contacts]
path = "{folder}/people.parquet"
columns = {{ id = "nr", _email = "mail", _name = "called", _createdAt = "since" }}
custom = [{{ id = "shoeSize", name = "Shoe size", type = "decimal", column = "size" }}]

[activities]
path = "{folder}/events.parquet"
[activities.columns]
id = "nr"
type = "kind"
createdAt = "happened"
contactId = "person"
searchText = "looked_for"

[members]
path = "{folder}/groups.parquet"
columns = {{ segmentId = "grp", contactId = "person" }}
"""


@pytest.fixture(scope="module")
def caller(tmp_path_factory: pytest.TempPathFactory, sail: str) -> Iterator[Caller]:
    """Of an account whose contacts, events and segments are files that Sail reads."""
    folder = tmp_path_factory.mktemp("warehouse")
    for name, query in TABLES.items():
        duckdb.execute(f"COPY ({query}) TO '{folder}/{name}.parquet' (FORMAT parquet)")
    data = folder / "data"
    server = Server(data, {"OUTHAUL_WAREHOUSE": sail})
    made = new_caller(server)
    text = MAPPING.format(account=made.account, files=data / "files", folder=folder)
    (data / "warehouse.toml").write_text(text)
    server.start()
    yield made
    if server.running:
        server.kill()


def test_exports_come_out_of_the_users_own_tables(caller: Caller) -> None:
    """Contacts with a custom field, activities of a segment; the manifest names the tables, the
    file is proven, and nothing but archives is left among the files."""
    export = caller.finished(version="v6")
    assert [
        (row["Tracker"], row["Email"], row["Name"], row["Creation date"], row["Shoe size"])
        for row in caller.rows(export)
    ] == [
        ("c1", "ana@shop.example", 'Ana "la jefa"', "2026-03-01T10:00:00.000Z", ""),
        ("c2", "bob@shop.example", "Bob", "2026-03-01T10:00:00.000Z", "41.5"),
    ]
    dates = {"fromDate": "2026-03-01T10:00:02.000Z", "toDate": "2026-03-02T00:00:00.000Z"}
    filters = dates | {"segmentId": SEGMENT, "activityTypes": ["search"]}
    found = caller.finished(exportType="activities", filters=filters)
    assert [
        (row["Activity ID"], row["Email"], row["Search text"]) for row in caller.rows(found)
    ] == [(f"a{n}", "ana@shop.example", f"shoes {n}") for n in (2, 4, 6, 8)]

    manifest = caller.request("GET", f"/exports/{found['id']}/manifest").json()
    told = manifest["snapshot"]["warehouse"]
    assert told["guarantee"] == "asFound"
    assert [table["role"] for table in told["tables"]] == ["contacts", "activities", "members"]
    file = caller.server.data.parent / "export.zip"
    file.write_bytes(caller.download(found))
    proof = file.with_suffix(".json")
    proof.write_text(json.dumps(manifest))
    run("verify", file, "--manifest", proof)
    archives = [
        one for one in caller.request("GET", "/exports/").json()["results"] if "fileUrl" in one
    ]
    check_stored(caller, archives=len(archives))


def test_what_only_stored_data_can_do_is_refused(caller: Caller) -> None:
    """Changes and estimates get a reason, an unknown segment is named; nothing is a fault."""
    patch = caller.request("PATCH", "/contacts/ana@shop.example", json={"_name": "Eve"})
    assert patch.status_code == 409, patch.text
    assert "warehouse" in patch.json()["detail"]
    wanted = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
    estimate = caller.request("POST", "/exports/estimate", json=wanted)
    assert estimate.status_code == 409, estimate.text
    unknown = wanted | {"filters": {"segmentId": "0" * 24}}
    refused = caller.request("POST", "/exports/", json=unknown)
    assert refused.status_code == 422, refused.text
    assert refused.json()["validationErrors"][0]["path"] == "/filters/segmentId"
    described = caller.request("GET", "/exports/describe", params={"exportType": "contacts"})
    assert "shoeSize" in described.text


def test_a_warehouse_that_is_away_ends_the_export_in_error(tmp_path: Path) -> None:
    """Its cause tells that asking again may help."""
    data = tmp_path / "data"
    server = Server(data, {"OUTHAUL_WAREHOUSE": "sc://127.0.0.1:9", "OUTHAUL_FAULT_LIMIT": "1"})
    caller = new_caller(server)
    text = MAPPING.format(account=caller.account, files=data / "files", folder=tmp_path)
    (data / "warehouse.toml").write_text(text)
    server.start()
    try:
        export = caller.wait(caller.create()["id"])
        assert export["status"] == "error"
        assert export["error"]["cause"] == "warehouseUnavailable"
        assert export["error"]["retryHelps"]
        segment = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
        answer = caller.request(
            "POST", "/exports/", json=segment | {"filters": {"segmentId": SEGMENT}}
        )
        assert answer.status_code == 503, answer.text
    finally:
        server.kill()


def test_a_mapping_that_cannot_be_is_refused_at_start(tmp_path: Path) -> None:
    """In one line that names what is missing."""
    refused = run(
        "serve", "--data", tmp_path, "--port", "0", "--warehouse", "sc://127.0.0.1:9", check=False
    )
    assert refused.returncode == 1
    assert "there is no" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_mapping_is_drafted_and_checked_by_commands(tmp_path: Path) -> None:
    """`init` writes the file once; `check` says what is wrong, by its exit status too."""
    people = f"SELECT 'c1' AS id, {AT} AS created_at, 'ana@shop.example' AS email"
    events = f"SELECT 'a1' AS id, 'login' AS type, {AT} AS created_at, 'c1' AS contact_id"
    for name, query in (("people", people), ("events", events)):
        duckdb.execute(f"COPY ({query}) TO '{tmp_path}/{name}.parquet' (FORMAT parquet)")
    options = ["--warehouse", "chdb://memory", "--data", f"{tmp_path}/data"]
    drafting = ["warehouse", "init", "--account", "6a037e9d4be1d07c8a000001"]
    drafting += ["--contacts", f"{tmp_path}/people.parquet"]
    drafting += ["--activities", f"{tmp_path}/events.parquet"]
    path = Path(run(*drafting, *options).stdout.strip())
    again = run(*drafting, *options, check=False)
    assert again.returncode == 1
    assert "is there already" in again.stderr
    assert "Nothing is wrong." in run("warehouse", "check", *options).stdout
    path.write_text(path.read_text().replace('_email = "email"', '_email = "mail"'))
    wrong = run("warehouse", "check", *options, "--json", check=False)
    assert wrong.returncode == 1
    assert json.loads(wrong.stdout)["wrong"] == 1
