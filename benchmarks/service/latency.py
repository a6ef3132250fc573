"""How long a client waits: a tiny export alone, and polling while big exports run."""

import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.product import serving
from benchmarks.service.callers import Call, seconds_of
from benchmarks.service.shops import (
    CONTACTS,
    Line,
    activities,
    add_account,
    ask,
    client,
    percentile,
    wait,
)
from demo.shop import make_shop

_POLLS = 400


def tiny(folder: Path) -> Iterator[Line]:
    """200 exports of 100 contacts, one after another."""
    shop = make_shop(folder / "tiny", contacts=100, activities=1000, days=30)
    key = add_account(folder / "data", "Tiny", {"contacts": shop.contacts})
    seconds = []
    with serving(folder) as server, client(server, key) as http:
        for _ in range(200):
            started = time.monotonic()
            id_ = ask(http, CONTACTS)
            done = wait(http, id_, every_s=0.005)
            seconds.append(time.monotonic() - started)
            if done["total"] != shop.contact_count:
                raise RuntimeError("a tiny export has other rows than were imported")
            http.delete(f"/exports/{id_}").raise_for_status()
    for share, goal in ((0.5, 150), (0.99, 500)):
        seen = 1000 * percentile(seconds, share)
        yield Line(
            what=f"tiny export (100 rows), POST to finished, p{share * 100:.0f} of 200",
            seen=f"{seen:.0f} ms",
            goal=f"< {goal} ms",
            met=seen < goal,
        )


def polling(folder: Path) -> Iterator[Line]:
    """One client, then eight, ask for an export and for the list while four exports run."""
    with serving(folder, MEMORY_LIMIT="256MB") as server:
        ids = [ask(server.http, activities(31)) for _ in range(4)]
        for clients in (1, 8):
            paths = (f"/exports/{ids[-1]}", "/exports/")
            calls = [Call(method="GET", path=path) for path in paths]
            answers = seconds_of(server, [calls * (_POLLS // clients)] * clients)
            for call, name in zip(calls, ("GET /exports/{id}", "GET /exports/"), strict=True):
                times = [seconds for asked, seconds in answers if asked == call]
                half, most = (1000 * percentile(times, share) for share in (0.5, 0.99))
                yield Line(
                    what=f"{name}, four exports running, {clients} client(s), p50 and p99",
                    seen=f"{half:.1f} and {most:.1f} ms",
                    goal="p99 < 50 ms",
                    met=most < 50,
                )
        running = [server.http.get(f"/exports/{id_}").json()["status"] for id_ in ids]
        if running.count("finished") == len(ids):
            raise RuntimeError("the exports were over before the polling was")
        for id_ in ids:
            server.http.delete(f"/exports/{id_}").raise_for_status()
