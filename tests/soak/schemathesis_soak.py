"""Generated requests against a running server, until a number of them has been sent.

Every answer has to be one that the server's own OpenAPI document describes, and none may be 5xx.
It starts nothing: point it at a server whose rate limit is out of the way, for instance

    OUTHAUL_RATE_LIMIT=1000000 outhaul serve
    python -m tests.soak.schemathesis_soak --url http://127.0.0.1:8080 --key ID:SECRET

"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
    "use_after_free",
    "ensure_resource_availability",
    "ignored_auth",
)
"""All but the one that expects every request of the right shape to be accepted: the 31 days and
the account's segments are rules that a schema cannot state."""


def send_generated(
    url: str, key: str, *, per_operation: int, seed: int, phases: str = "coverage,fuzzing,stateful"
) -> tuple[int, str]:
    """One round. Gives the number of requests made and, if any failed, the report ("": none)."""
    command = [
        str(Path(sys.executable).with_name("schemathesis")),
        "run",
        f"{url}/openapi.json",
        f"--header=Authorization: apiKey {key}",
        f"--checks={','.join(_CHECKS)}",
        f"--phases={phases}",
        f"--max-examples={per_operation}",
        f"--seed={seed}",
        # The tool cannot write JSON Lines; tests/integration/test_bulk_api.py sends them.
        "--exclude-operation-id=createActivities",
        "--generation-database=none",
        "--continue-on-failure",
        "--no-color",
    ]
    # The tool leaves notes of its run in the folder where it is started.
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    report = done.stdout + done.stderr
    found = re.search(r"([\d,]+) generated", report)
    requests = int(found[1].replace(",", "")) if found else 0
    return requests, "" if done.returncode == 0 and requests else report


def main() -> int:
    """Rounds with one seed after another; stops at the first that finds something."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--key", required=True, help="ID:SECRET with both export scopes")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--per-operation", type=int, default=300, help="in one round, at most")
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    chosen = parser.parse_args()
    sent, seed = 0, chosen.seed
    while sent < chosen.requests:
        requests, report = send_generated(
            chosen.url, chosen.key, per_operation=chosen.per_operation, seed=seed
        )
        sent += requests
        sys.stdout.write(f"seed {seed}: {requests} requests, {sent} in all\n")
        if report:
            sys.stdout.write(report)
            return 1
        seed += 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
