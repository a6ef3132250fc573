"""GET /exports/describe, held against the files that exports really give."""

import csv
import io
import zipfile
from collections.abc import Iterator

import httpx
import pytest

from tests.api_client import Client
from tests.api_server import serving

DAY = {"fromDate": "2026-03-01T00:00:00Z", "toDate": "2026-03-02T00:00:00Z"}


@pytest.fixture
def client(tmp_path) -> Iterator[Client]:
    with serving(tmp_path / "data", rate_limit=1_000_000) as address:
        yield Client(address)


def headers(client: Client, export_type: str, version: str) -> list[list[str]]:
    filters = DAY if export_type == "activities" else {}
    done = client.export(exportType=export_type, version=version, filters=filters)
    archive = httpx.get(done["fileUrl"], timeout=30)
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        return [
            next(csv.reader(io.StringIO(opened.read(name).decode()))) for name in opened.namelist()
        ]


@pytest.mark.parametrize("version", ["v1", "v2", "v3", "v4", "v5", "v6"])
@pytest.mark.parametrize("export_type", ["contacts", "activities"])
def test_a_description_names_the_headers_of_the_files(client: Client, export_type, version):
    """Members, labels and their order are those of an export made right after; an own field is
    among them, and a column of activities says which types fill it."""
    client.done("POST", "/contact-fields", 201, json={"id": "tier", "name": "Tier", "type": "text"})
    told = client.done("GET", f"/exports/describe?exportType={export_type}&version={version}", 200)
    assert (told["exportType"], told["version"]) == (export_type, version)
    labels = [[column["label"] for column in member["columns"]] for member in told["members"]]
    assert labels == headers(client, export_type, version)
    by_id = {column["id"]: column for column in told["members"][0]["columns"]}
    if export_type == "contacts":
        assert by_id["tier"] == {"id": "tier", "label": "Tier", "type": "text"}
    else:
        assert by_id["searchText"]["activityTypes"] == ["product-searched", "search"]
        assert "activityTypes" not in by_id["creationDate"]


def test_wrong_parameters_are_named(client: Client):
    """A missing type and an unknown version are both told, with where they stand."""
    faults = client.faults("GET", "/exports/describe?version=v9")
    assert set(faults) == {"/exportType", "/version"}


def test_a_description_cannot_be_deleted(client: Client):
    """Its path looks like that of an export; the answer names what is possible."""
    for path in ("/exports/describe", "/exports/describe/"):
        answer = client.ask("DELETE", path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
