import json
import re
from dataclasses import replace

import jsonschema_rs
import pytest

from tests.api_fakes import HEALTHY, Edge


@pytest.fixture(scope="module")
def document():
    return Edge().ask("GET", "/openapi.json", key=None).json()


def test_health_is_200_only_when_every_part_is_well():
    """Each part's state is told; one that fails makes the whole 503."""
    well = Edge().ask("GET", "/health", key=None)
    assert well.status_code == 200
    parts = {"catalog": "ok", "store": "ok", "files": "ok", "worker": "ok"}
    assert well.json() == {"status": "ok"} | parts
    for part in parts:
        ill = Edge(report=replace(HEALTHY, **{part: "no answer"})).ask("GET", "/health", key=None)
        assert ill.status_code == 503
        assert ill.json() == {"status": "failing"} | parts | {part: "no answer"}


def test_the_start_page_points_to_the_others():
    """Whoever opens the server finds documentation and health."""
    page = Edge().ask("GET", "/", key=None).json()
    assert page["docs"] == "https://exports.example/docs"
    for name in ("docs", "openapi.json", "health"):
        assert Edge().ask("GET", "/" + name, key=None).status_code == 200


def test_the_documentation_loads_nothing_from_elsewhere():
    """Every address in the page is relative and served; the policy forbids the rest."""
    page = Edge().ask("GET", "/docs", key=None)
    assert "default-src 'none'; script-src 'self'" in page.headers["content-security-policy"]
    assert "<script>" not in page.text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(addresses) == 5
    for address in addresses:
        assert Edge().ask("GET", "/" + address, key=None).status_code == 200, address


def test_every_documented_example_fits_its_schema(document):
    """Requests and answers shown to readers are valid."""
    checked = 0
    for path in document["paths"].values():
        for operation in path.values():
            bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
            for content in (body.get("content", {}).get("application/json") for body in bodies):
                if content is None:
                    continue
                schema = content["schema"] | {"components": document["components"]}
                validator = jsonschema_rs.Draft202012Validator(schema)
                shown = [example["value"] for example in content.get("examples", {}).values()]
                shown += [content["example"]] if "example" in content else []
                for example in shown:
                    validator.validate(example)
                    checked += 1
    assert checked > 20


def test_the_document_knows_no_nulls_and_no_foreign_error_shape(document):
    """Absent properties are left out, and every error has the contract's shape."""
    text = json.dumps(document["components"]["schemas"])
    assert '"null"' not in text
    assert "HTTPValidationError" not in json.dumps(document)


def test_every_call_documents_its_answers_and_the_rate(document):
    """All statuses of the contract stand there, and the headers of each that has them."""
    create = document["paths"]["/exports/"]["post"]["responses"]
    assert set(create) == {"201", "400", "401", "403", "413", "415", "422", "429", "500", "503"}
    assert "content" not in create["401"]
    assert "content" not in create["429"]
    assert "Retry-After" in create["429"]["headers"]
    assert set(create["503"]["headers"]) == {"Retry-After"}
    assert "X-RateLimit-Limit" in create["201"]["headers"]
    assert "headers" not in create["401"]
