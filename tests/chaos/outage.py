"""The database is away for long while an export is made; part of `make chaos`.

    python -m tests.chaos.outage --seconds 30

PostgreSQL is stopped, as by a crash, in the middle of an export of the deployment of
`tests.chaos.nodes`. Meanwhile every request that needs the catalog is answered 503 with
`Retry-After`, by every server, and none 500; afterwards the export ends by itself with the text of
a quiet run, and everything else goes on. Ends with exit status 1 otherwise.
"""

import argparse
import collections
import random
import time
from dataclasses import replace

import httpx

from tests.chaos.deployment import END_S, Deployment, deployed

_WANTED = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", choices=["local", "s3"], default="s3")
    parser.add_argument("--rows", choices=["store", "sail"], default="store")
    parser.add_argument("--seconds", type=float, default=30)
    chosen = parser.parse_args()
    chance = random.Random(1)
    with deployed(files=chosen.files, rows=chosen.rows) as deployment:
        first = deployment.create("activities", chance)
        expected = deployment.finished(first)
        second = deployment.create("activities", chance)
        end = time.monotonic() + END_S
        while deployment.ask("GET", f"/exports/{second}").json()["progress"] == 0:
            assert time.monotonic() < end, "nobody begins"
        answers = _meanwhile(deployment, first, second, chosen.seconds)
        began = time.monotonic()
        assert deployment.finished(second) == expected, "other bytes after the outage"
        took = time.monotonic() - began
        assert deployment.finished(first) == expected
        assert deployment.finished(deployment.create("activities", chance)) == expected
        print(
            f"{chosen.seconds:.0f} s without the database: {answers[503]} requests answered 503"
            f" with Retry-After, none 500; the export ended {took:.1f} s after the start, all"
            " bytes equal",
            flush=True,
        )


def _meanwhile(
    deployment: Deployment, finished: str, running: str, seconds: float
) -> collections.Counter[int]:
    """How often which status was answered while the database was away."""
    link = httpx.URL(deployment.ask("GET", f"/exports/{finished}").json()["fileUrl"])
    answers: collections.Counter[int] = collections.Counter()
    deployment.postgres.stop("immediate")
    try:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for server in deployment.servers:
                caller = replace(deployment.caller, server=server)
                at_this = link.copy_with(port=server.port)
                for answer in (
                    caller.request("GET", "/exports/"),
                    caller.request("GET", f"/exports/{running}"),
                    caller.request("GET", f"/exports/{finished}/manifest"),
                    caller.request("DELETE", f"/exports/{finished}"),
                    caller.request("POST", "/exports/", json=_WANTED),
                    caller.request("POST", "/exports/estimate", json=_WANTED),
                    caller.request("PATCH", "/contacts/0@shop.example", json={"_points": 1}),
                    httpx.get(at_this, timeout=30),
                ):
                    answers[answer.status_code] += 1
                    told = f"{answer.request.method} {answer.request.url.path}: {answer.text[:200]}"
                    assert answer.status_code == 503, told
                    assert answer.headers.get("retry-after"), told
                health = caller.request("GET", "/health")
                state = health.json()
                assert (health.status_code, state["catalog"]) == (
                    503,
                    "failing (CatalogUnavailable)",
                ), state
                metrics = caller.request("GET", "/metrics")
                assert (metrics.status_code, "outhaul_catalog_up 0.0" in metrics.text) == (
                    200,
                    True,
                )
            time.sleep(0.2)  # A client that asks again.
    finally:
        deployment.postgres.start()
    return answers


if __name__ == "__main__":
    main()
