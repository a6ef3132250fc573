"""The OpenAPI document against the server it describes."""

import json
from pathlib import Path

import httpx

from tests.api_server import serving
from tests.soak.schemathesis_soak import send_generated


def test_generated_requests_get_only_documented_answers(tmp_path: Path):
    """Right, odd and wrong requests: no 5xx, and no answer that the document does not know."""
    with serving(tmp_path / "data", rate_limit=1_000_000, queue_limit=50) as address:
        schemas = httpx.get(f"{address.url}/openapi.json").json()["components"]["schemas"]
        assert '"null"' not in json.dumps(schemas)
        requests, report = send_generated(
            address.url, address.key, per_operation=5, seed=20261123, phases="coverage,fuzzing"
        )
    assert report == "", report
    assert requests > 400
