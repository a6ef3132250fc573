"""The whole job once: a sample shop, the real server, two exports over HTTP, and their checks.

    python -m demo

Everything it makes lies in `demo-data`, which the next run replaces. Exit status 0 says that every
check held, 1 that one did not or that the demo could not go on, 130 that it was interrupted.
"""

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from demo.checks import Check, Member, check_archive, check_rows, first_lines, member_name
from demo.client import ExportCaller
from demo.failure import DemoFailed
from demo.screen import Screen, Timing, survive_any_encoding
from demo.server import outhaul, running_server
from demo.shop import Shop, make_shop
from demo.source import (
    Expected,
    Narrowing,
    expected_activities,
    expected_contacts,
    expected_product_lines,
)

FOLDER = Path("demo-data")

# October in Madrid: 31 days of which one has 25 hours.
FROM, TO = "2026-09-30T22:00:00.000Z", "2026-10-31T22:59:59.999Z"
ACTIVITY_TYPES = ("web-page-visited", "purchase")

_FORMAT = {"delimiter": ",", "dateFormat": "ISO"}


@dataclass(frozen=True, kw_only=True)
class Download:
    """An export that has finished, and its file."""

    export: Mapping[str, Any]
    archive: Path


def main() -> int:
    """Run the demo; returns the exit status."""
    survive_any_encoding()
    # A plain kill would end Python without its `finally`, and leave the server running.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    screen = Screen()
    try:
        failed = _run(screen, _fresh_folder())
    except DemoFailed as failure:
        screen.verdict(f"The demo could not go on. {failure}", passed=False)
        return 1
    except KeyboardInterrupt:
        screen.verdict("Interrupted; nothing is left running.", passed=False)
        return 130
    for check in failed:
        screen.verdict(f"Failed: {check.claim} ({check.found}).", passed=False)
    if not failed:
        screen.verdict("All checks passed.", passed=True)
    return 1 if failed else 0


def _fresh_folder() -> Path:
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="run-", dir=FOLDER.resolve()))


def _run(screen: Screen, folder: Path) -> list[Check]:
    """Do everything; returns the checks that did not hold."""
    screen.section("Sample shop")
    began = time.perf_counter()
    shop = make_shop(folder / "shop")
    screen.took("make the shop", began, rows=shop.contact_count + shop.activity_count)
    days = (shop.until - shop.starts).days
    screen.say(
        f"{shop.contact_count:,} contacts and {shop.activity_count:,} activities over {days} days"
    )

    data, log = folder / "server-data", folder / "server.log"
    data.mkdir()
    account = outhaul(
        *("accounts", "create", "Demo shop", "--timezone", "Europe/Madrid", "--language", "en"),
        data=data,
    )
    scopes = ("--scope", "export:read", "--scope", "export:write")
    key = outhaul("keys", "create", account, *scopes, data=data)

    screen.section("Server")
    narrowing = Narrowing(
        segment_id=shop.large_segment_id,
        activity_types=ACTIVITY_TYPES,
        from_date=FROM,
        to_date=TO,
    )
    began = time.perf_counter()
    with running_server(data=data, log=log) as address:
        screen.took("start the server", began)
        screen.say(f"ready at {address}")
        imports = _import(screen, shop, account=account, data=data)
        screen.section("Exports over HTTP")
        with httpx.Client(base_url=address, trust_env=False, timeout=30) as http:
            caller = ExportCaller(http, key=key)
            contacts = _export(screen, caller, folder, {"exportType": "contacts"})
            activities = _export(screen, caller, folder, _activities_body(narrowing))
        began = time.perf_counter()
    screen.took("stop the server", began)

    screen.section("Checks, with Python's zipfile and csv against the source files")
    began = time.perf_counter()
    checks = [
        *imports,
        *_check(screen, contacts, {Member.CONTACTS: expected_contacts(shop)}),
        *_check(
            screen,
            activities,
            {
                Member.ACTIVITIES: expected_activities(shop, narrowing),
                Member.PRODUCTS: expected_product_lines(shop, narrowing),
            },
        ),
    ]
    screen.took("check both", began)

    screen.section("Timings")
    screen.timings()
    screen.section("Files")
    for path in (contacts.archive, activities.archive, shop.contacts.parent, log):
        screen.say(str(path))
    return [check for check in checks if not check.held]


def _import(screen: Screen, shop: Shop, *, account: str, data: Path) -> list[Check]:
    """Leave the three files to the running server; returns whether it took every row."""
    checks = []
    for kind, path, rows, options in (
        ("contacts", shop.contacts, shop.contact_count, ("--create-fields",)),
        ("activities", shop.activities, shop.activity_count, ()),
        ("segments", shop.segments, None, ()),
    ):
        began = time.perf_counter()
        said = outhaul("import", kind, str(path), "--account", account, *options, data=data)
        screen.took(f"import {kind}", began, rows=rows)
        screen.say(f"{kind}: {said}")
        taken_whole = "rows taken, 0 rows refused" in said
        checks.append(Check(claim=f"all {kind} were taken in", held=taken_whole, found=said))
    return checks


def _activities_body(narrowing: Narrowing) -> dict[str, Any]:
    return {
        "exportType": "activities",
        "filters": {
            "segmentId": narrowing.segment_id,
            "activityTypes": list(narrowing.activity_types),
            "fromDate": narrowing.from_date,
            "toDate": narrowing.to_date,
        },
    }


def _export(
    screen: Screen, caller: ExportCaller, folder: Path, body: Mapping[str, Any]
) -> Download:
    """Create an export, wait for it and download its file."""
    kind = body["exportType"]
    export_id = caller.create({**body, **_FORMAT})
    with screen.bar(f"export {kind}") as progress:
        export = caller.wait(export_id, progress)
    # The server's own instants: ours would be rounded up to the next poll.
    created, finished = (datetime.fromisoformat(export[at]) for at in ("createdAt", "finishedAt"))
    screen.add(
        Timing(
            step=f"export {kind}",
            seconds=(finished - created).total_seconds(),
            rows=export["total"],
        )
    )
    archive = folder / export["fileName"]
    began = time.perf_counter()
    with screen.bar(f"download {kind}", in_bytes=True) as progress:
        caller.download(export["fileUrl"], archive, progress)
    screen.add(
        Timing(
            step=f"download {kind}",
            seconds=time.perf_counter() - began,
            bytes=archive.stat().st_size,
        )
    )
    screen.say(f"{kind}: {export['total']:,} rows in {archive.name}")
    return Download(export=export, archive=archive)


def _check(screen: Screen, download: Download, expected: Mapping[Member, Expected]) -> list[Check]:
    """Check an archive, each member against what it should hold."""
    export, archive = download.export, download.archive
    rows = sum(len(wanted.rows) for wanted in expected.values())
    checks = check_archive(archive, expected)
    readable = all(check.held for check in checks)
    counted = Check(
        claim=f"the server counted {rows:,} rows in all, as the source has",
        held=export["progress"] == export["total"] == rows,
        found=f"progress {export['progress']:,}, total {export['total']:,}",
    )
    checks.append(counted)
    screen.checks(archive.name, checks)
    if not readable:
        return checks
    for member, wanted in expected.items():
        name = member_name(archive, member)
        of_member = check_rows(archive, name, wanted)
        screen.lines(name, first_lines(archive, name, 4))
        screen.checks("compared with the source:", of_member)
        checks += of_member
    return checks


if __name__ == "__main__":
    sys.exit(main())
