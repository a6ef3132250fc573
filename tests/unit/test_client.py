"""The client against a server of the plain contract that cuts lines, refuses and forgets."""

import asyncio
import logging
import subprocess
import sys
import time
import traceback
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from outhaul.client import (
    AsyncClient,
    Client,
    ClientError,
    CreateUnclear,
    DownloadBroken,
    ExportFailed,
    Forbidden,
    InvalidRequest,
    KeyRefused,
    NotFound,
    NotUnderstood,
    Progress,
    QueueFull,
    Refused,
    Retry,
    Unreachable,
    Violation,
    WaitedTooLong,
    read_arrow,
    read_pandas,
    read_polars,
)
from tests.bare_server import KEY, REPORT, BareServer, Handler, bare_server

QUICK = Retry(attempts=4, first_s=0.01, most_s=0.02)
CONTACTS = '"Email","Name"\n"ana@example.com",""\n"bob@example.com",\n'


@pytest.fixture
def bare() -> Iterator[BareServer]:
    with bare_server() as server:
        yield server


@pytest.fixture
def client(bare: BareServer) -> Iterator[Client]:
    with Client(bare.url, KEY, retry=QUICK) as opened:
        yield opened


def test_servers_of_the_contract_hear_of_no_extension(bare: BareServer, client: Client) -> None:
    """What is asked for as the contract has it anyway is not sent; the rest is."""
    bodies: list[dict[str, Any]] = []

    def rows(body: dict[str, Any]) -> dict[str, str]:
        bodies.append(body)
        return {}

    bare.rows = rows
    client.export_contacts(
        columns=None, bom=False, formula_guard=False, file_format="csv", compression="zip"
    )
    client.export_contacts(columns=["id"], bom=True, compression="gzip", changed_since=0)
    plain = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
    assert bodies == [
        plain,
        plain | {"columns": ["id"], "bom": True, "compression": "gzip", "changedSince": 0},
    ]


def members(path: Path) -> dict[str, str]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def big(_: dict[str, Any]) -> dict[str, str]:
    return {"contacts": '"Email"\n' + "".join(f'"{n}@example.com"\n' for n in range(2000))}


def test_importing_the_client_loads_nothing_of_the_server() -> None:
    """Only httpx and its own modules: a fresh interpreter says what was loaded."""
    program = "import sys, outhaul.client; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    names = set(loaded.stdout.split())
    assert "httpx" in names
    assert not names & {"fastapi", "starlette", "sqlalchemy", "alembic", "duckdb", "pydantic"}
    assert not names & {"isal", "obstore", "typer", "pandas", "polars", "pyarrow"}
    ours = {name for name in names if name.startswith("outhaul")}
    assert {name for name in ours if not name.startswith("outhaul.client")} == {"outhaul"}


def test_contacts_come_from_a_server_without_any_extension(
    bare: BareServer, client: Client, tmp_path: Path
) -> None:
    """Create, wait, download, check; the callback hears of rows and then of bytes."""
    heard: list[Progress] = []
    done = client.fetch_contacts(tmp_path / "contacts.zip", progress=heard.append)
    assert members(done.path) == {"contacts.csv": CONTACTS}
    assert done.checked_against == "zip"
    assert done.bytes == done.path.stat().st_size == len(bare.archive(done.exports[0].id))
    assert heard[0].phase == "waiting"
    assert (heard[-1].phase, heard[-1].done) == ("downloading", done.bytes)
    assert list(tmp_path.iterdir()) == [done.path]
    assert "Authorization" not in bare.requests("GET /storage/")[0], "a link is enough by itself"


def test_the_async_twin_does_the_same(bare: BareServer, tmp_path: Path) -> None:
    """Same calls, awaited; two at the same time."""

    async def both() -> list[Path]:
        async with AsyncClient(bare.url, KEY, retry=QUICK) as client:
            done = await asyncio.gather(
                client.fetch_contacts(tmp_path / "a.zip"),
                client.fetch_contacts(tmp_path / "b.zip", delimiter=";"),
            )
            assert len((await client.exports()).exports) == 2
            await client.delete(done[0].exports[0])
            with pytest.raises(NotFound):
                await client.get(done[0].exports[0])
            return [one.path for one in done]

    for path in asyncio.run(both()):
        assert members(path) == {"contacts.csv": CONTACTS}


def test_a_cut_line_is_taken_up_where_it_broke(
    bare: BareServer, client: Client, tmp_path: Path
) -> None:
    """Far more cuts than retries, since each brings the file further; no byte is sent twice."""
    bare.rows, bare.cut_after = big, 3000
    done = client.fetch_contacts(tmp_path / "contacts.zip")
    assert done.path.read_bytes() == bare.archive(done.exports[0].id)
    asked = [headers.get("Range") for headers in bare.requests("GET /storage/")]
    assert asked[:3] == [None, "bytes=3000-", "bytes=6000-"]
    assert len(asked) > QUICK.attempts
    assert bare.served == done.bytes


def test_an_expired_link_is_renewed_midway(
    bare: BareServer, client: Client, tmp_path: Path
) -> None:
    """Every link is good once: the export is read again for a fresh one."""
    bare.rows, bare.cut_after, bare.link_uses = big, 15_000, 1
    done = client.fetch_contacts(tmp_path / "contacts.zip")
    assert done.path.read_bytes() == bare.archive(done.exports[0].id)
    assert len({path for _, path, _ in bare.asked if path.startswith("/storage/")}) == 3


def test_another_process_goes_on_with_what_is_there(
    bare: BareServer, client: Client, tmp_path: Path
) -> None:
    """A first attempt that gives up leaves a .part; the next one asks only for the rest."""
    bare.rows, bare.cut_after = big, 5000
    export = client.wait(client.export_contacts())
    bare.fail("GET /storage/", lambda _: False, *[Handler.drop] * 10)
    with pytest.raises(Unreachable):
        client.download(export, tmp_path / "contacts.zip")
    [left] = tmp_path.iterdir()
    assert left.name == f"contacts.zip.{export.id}.part"
    assert left.stat().st_size == 5000
    bare.faults.clear()
    bare.cut_after = None
    with Client(bare.url, KEY) as other:
        done = other.download(export.id, tmp_path / "contacts.zip")
    assert done.path.read_bytes() == bare.archive(export.id)
    assert bare.served == done.bytes
    assert list(tmp_path.iterdir()) == [done.path]


def test_a_part_that_was_whole_is_only_checked(
    bare: BareServer, client: Client, tmp_path: Path
) -> None:
    """Ended between the last byte and the check: nothing is fetched again."""
    export = client.wait(client.export_contacts())
    data = bare.archive(export.id)
    (tmp_path / f"c.zip.{export.id}.part").write_bytes(data)
    assert client.download(export, tmp_path / "c.zip").path.read_bytes() == data
    assert bare.served == 0


def test_a_part_with_wrong_bytes_is_fetched_again_from_the_start(
    bare: BareServer, client: Client, tmp_path: Path
) -> None:
    """The check finds it; what is kept in the end is the file."""
    bare.rows = big
    export = client.wait(client.export_contacts())
    (tmp_path / f"c.zip.{export.id}.part").write_bytes(b"x" * 1000)
    done = client.download(export, tmp_path / "c.zip")
    assert done.path.read_bytes() == bare.archive(export.id)


def test_a_file_that_stays_wrong_is_never_kept(
    bare: BareServer, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither under its name nor as a part."""
    export = client.wait(client.export_contacts())
    data = bytearray(bare.archive(export.id))
    data[60] ^= 1
    monkeypatch.setattr(bare, "archive", lambda _: bytes(data))
    with pytest.raises(DownloadBroken):
        client.download(export, tmp_path / "c.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_broken_create_is_not_repeated_when_it_had_happened(
    bare: BareServer, client: Client
) -> None:
    """The server created and the line broke: the list shows it, and there is one export."""
    body: dict[str, Any] = {"exportType": "contacts", "delimiter": ",", "dateFormat": "ISO"}
    bare.fail(
        "POST /exports/", lambda handler: handler.create(body, answer=False) and handler.drop()
    )
    export = client.export_contacts()
    assert [one["id"] for one in bare.exports] == [export.id]
    assert len(bare.requests("POST")) == 1


def test_a_broken_create_is_repeated_when_it_had_not_happened(
    bare: BareServer, client: Client
) -> None:
    """With the same Idempotency-Key; an older export that asks for something else is not taken."""
    client.export_contacts(delimiter=";")
    bare.fail("POST /exports/", Handler.drop, lambda handler: handler.answer(503))
    export = client.export_contacts()
    assert (export.delimiter, len(bare.exports)) == (",", 2)
    keys = [headers["Idempotency-Key"] for headers in bare.requests("POST")]
    assert len(set(keys[1:])) == 1
    assert keys[0] != keys[1]


@pytest.mark.parametrize("zone", ["+14:00", "+00:00", "-12:00"])
def test_a_broken_create_of_a_report_is_found_in_the_list(
    bare: BareServer, client: Client, zone: str
) -> None:
    """Whatever the account's zone is: servers tell the instants that the days mean."""

    def create(handler: Handler) -> bool:
        for report_id, first, last in (
            ("b" * 24, "2026-03-01", "2026-03-31"),
            ("a" * 24, "2026-02-27", "2026-03-31"),
            ("A" * 24, "2026-03-01", "2026-03-31"),
        ):
            instants = {
                "fromDate": f"{first}T00:00:00.000{zone}",
                "toDate": f"{last}T23:59:59.999{zone}",
            }
            asked = {"delimiter": ",", "filters": {"reportId": report_id, **instants}}
            handler.create(asked | REPORT, answer=False)
        return handler.drop()

    bare.fail("POST /exports/type/", create)
    days: dict[str, Any] = {"from_day": date(2026, 3, 1), "to_day": "2026-03-31"}
    export = client.export_report("a" * 24, **days)
    assert export.id == bare.exports[2]["id"]
    assert len(bare.requests("POST")) == 1
    assert len(bare.exports) == 3


def test_a_create_whose_fate_nobody_knows_raises(bare: BareServer, client: Client) -> None:
    """The key may not read the list."""
    bare.fail("POST /exports/", Handler.drop)
    bare.fail("GET /exports/?", lambda handler: handler.answer(403, {"detail": "No."}))
    with pytest.raises(CreateUnclear):
        client.export_contacts()
    assert len(bare.requests("POST")) == 1


def test_a_pause_that_the_server_asks_for_is_kept(bare: BareServer, client: Client) -> None:
    """429 with Retry-After: the next attempt comes no earlier."""
    bare.fail("POST /exports/", lambda handler: handler.answer(429, Retry_After="1"))
    start = time.monotonic()
    client.export_contacts()
    assert 1 <= time.monotonic() - start < 3
    assert len(bare.requests("POST")) == 2


def test_a_queue_without_room_is_waited_for_if_asked(bare: BareServer, client: Client) -> None:
    """E0301 is an error of its own, unless there is time."""

    def full(handler: Handler) -> bool:
        return handler.answer(400, {"status": 400, "code": "E0301", "detail": "5 are waiting."})

    bare.fail("POST /exports/", full, full)
    with pytest.raises(QueueFull, match="5 are waiting"):
        client.export_contacts()
    client.export_contacts(wait_for_slot_s=10)
    assert len(bare.exports) == 1


def test_refusals_are_types_with_what_the_server_said(bare: BareServer, client: Client) -> None:
    """Status, code, detail and every violation; nothing is repeated."""
    violation = {"name": "toDate", "path": "/filters/toDate", "reason": "must be later"}
    problem = {"status": 422, "title": "No", "detail": "Bad.", "validationErrors": [violation]}
    bare.fail("POST", lambda handler: handler.answer(422, problem))
    with pytest.raises(InvalidRequest) as invalid:
        client.export_activities(from_date="2026-01-02", to_date="2026-01-01")
    assert invalid.value.validation_errors == (Violation(**violation),)
    assert str(invalid.value) == "422: Bad.; /filters/toDate: must be later"
    bare.fail("GET /exports/?", lambda handler: handler.answer(403, {"detail": "No scope."}))
    with pytest.raises(Forbidden, match="No scope"):
        client.exports()
    with pytest.raises(NotFound, match="No such export"):
        client.get("0" * 24)
    assert len(bare.asked) == 3


def test_a_page_that_is_no_api_is_told_so(bare: BareServer, client: Client) -> None:
    """A wrong address answers 200 with something else."""
    bare.fail("GET /exports/?", lambda handler: handler.answer(200, ["hello"]))
    with pytest.raises(NotUnderstood):
        client.exports()


def test_an_export_that_fails_or_lasts_raises(bare: BareServer, client: Client) -> None:
    """With the cause where the server tells one; a time that is over leaves the export running."""
    export = client.export_contacts()
    bare.exports[0]["status"] = "inProgress"
    bare.fail("GET /exports/0", *[lambda handler: handler.answer(200, bare.exports[0])] * 20)
    with pytest.raises(WaitedTooLong):
        client.wait(export, timeout_s=0.3)
    bare.exports[0] |= {
        "status": "error",
        "error": {"cause": "storageFull", "detail": "No room.", "retryHelps": True},
    }
    with pytest.raises(ExportFailed, match="No room") as failed:
        client.wait(export)
    assert (failed.value.cause, failed.value.retry_helps) == ("storageFull", True)


@pytest.mark.parametrize(
    "fault",
    [Handler.drop, lambda handler: handler.answer(503), lambda handler: handler.answer(401)],
)
def test_the_key_is_in_no_text(
    bare: BareServer, client: Client, caplog: pytest.LogCaptureFixture, fault: Any
) -> None:
    """Not in reprs, logs, errors or their causes."""
    caplog.set_level(logging.DEBUG)
    bare.fail("GET /exports/?", *[fault] * 9)
    with pytest.raises(ClientError) as caught:
        client.exports()
    assert isinstance(caught.value, Unreachable | Refused | KeyRefused)
    told = "".join(traceback.format_exception(caught.value))
    texts = (told, caplog.text, repr(client), repr(vars(client)["_session"]))
    assert not [text for text in texts if "keySecret" in text]


def test_nothing_there_is_unreachable(tmp_path: Path) -> None:
    """After a few attempts, with the cause in words."""
    with (
        Client("http://127.0.0.1:9", KEY, retry=QUICK) as client,
        pytest.raises(Unreachable, match="ConnectError"),
    ):
        client.export_contacts()


def test_a_long_span_becomes_one_archive(bare: BareServer, client: Client, tmp_path: Path) -> None:
    """Windows that touch; each file once, its header once; nothing else is left behind."""

    def rows(asked: dict[str, Any]) -> dict[str, str]:
        start = asked["filters"]["fromDate"]
        return {
            f"a-{start[:10]}": f'"At","Line\nend"\n"{start}","x"\n',
            f"a-{start[:10]}-product": '"Activity ID"\n',
        }

    bare.rows = rows
    heard: list[Progress] = []
    done = client.fetch_activities(
        tmp_path / "a.zip",
        from_date="2026-01-01",
        to_date="2026-03-15T12:00:00Z",
        activity_types=["search"],
        progress=heard.append,
    )
    filters = [one["filters"] for one in bare.exports]
    assert [(one["fromDate"], one["toDate"]) for one in filters] == [
        ("2026-01-01T00:00:00.000Z", "2026-01-30T23:59:59.999Z"),
        ("2026-01-31T00:00:00.000Z", "2026-03-01T23:59:59.999Z"),
        ("2026-03-02T00:00:00.000Z", "2026-03-15T12:00:00.000Z"),
    ]
    assert members(done.path) == {
        "a-2026-01-01.csv": '"At","Line\nend"\n'
        + "".join(f'"{one["fromDate"]}","x"\n' for one in filters),
        "a-2026-01-01-product.csv": '"Activity ID"\n',
    }
    assert [one.id for one in done.exports] == [one["id"] for one in bare.exports]
    assert {(one.window, one.windows) for one in heard} == {(1, 3), (2, 3), (3, 3)}
    assert list(tmp_path.iterdir()) == [done.path]


def test_a_report_is_fetched_as_other_exports_are(
    bare: BareServer, client: Client, tmp_path: Path
) -> None:
    """Create, wait, download and check, by both clients; progress is told."""
    bodies: list[dict[str, Any]] = []

    def rows(body: dict[str, Any]) -> dict[str, str]:
        bodies.append(body)
        return {"report": '"day";"numberOfPurchases"\n"1";"2"\n'}

    bare.rows = rows
    heard: list[Progress] = []
    days: dict[str, Any] = {"from_day": "2026-03-01", "to_day": date(2026, 4, 1)}
    done = client.fetch_report(
        tmp_path / "r.zip", "a" * 24, **days, delimiter=";", progress=heard.append
    )
    assert members(done.path) == {"report.csv": '"day";"numberOfPurchases"\n"1";"2"\n'}
    assert {one.phase for one in heard} == {"waiting", "downloading"}

    async def again() -> Path:
        async with AsyncClient(bare.url, KEY, retry=QUICK) as twin:
            return (await twin.fetch_report(tmp_path / "s.zip", "a" * 24, **days)).path

    assert members(asyncio.run(again())) == members(done.path)
    filters = {"reportId": "a" * 24, "fromDate": "2026-03-01", "toDate": "2026-04-01"}
    assert bodies == [{"delimiter": one, "filters": filters} | REPORT for one in ";,"]


@pytest.mark.parametrize(
    ("from_day", "to_day", "message"),
    [
        ("2026-03-01", "2026-04-02", "32 days apart and may be 31: exports of a report cannot"),
        ("1 March", "2026-04-02", "from_day: '1 March' is no day such as 2026-03-05"),
        ("2026-03-01", "20260331", "to_day: '20260331' is no day"),
        ("2026-03-01", datetime(2026, 3, 31, tzinfo=UTC), "to_day: .* is no day"),
    ],
)
def test_days_that_no_report_can_have_are_told_at_once(
    bare: BareServer, client: Client, from_day: Any, to_day: Any, message: str
) -> None:
    """Nothing is asked of the server, and no half of a span is exported."""
    with pytest.raises(ValueError, match=message):
        client.export_report("a" * 24, from_day=from_day, to_day=to_day)
    assert bare.asked == []


def test_windows_with_other_columns_are_not_mixed(
    bare: BareServer, client: Client, tmp_path: Path
) -> None:
    """Better no file than one whose columns do not fit its header."""
    bare.rows = lambda _: {f"a{len(bare.exports)}": f'"column {len(bare.exports)}"\n'}
    with pytest.raises(DownloadBroken, match="other columns"):
        client.fetch_activities(tmp_path / "a.zip", from_date="2026-01-01", to_date="2026-03-01")


TEXT = '"Code","Name"\n"007",""\n"8",\n"9","two\nlines; ""quoted"""\n'
ROWS = [
    {"Code": "007", "Name": ""},
    {"Code": "8", "Name": None},
    {"Code": "9", "Name": 'two\nlines; "quoted"'},
]


def test_tables_tell_missing_from_empty_and_guess_no_types(
    bare: BareServer, client: Client
) -> None:
    """The same three rows from all three readers."""
    bare.rows = lambda _: {"contacts": TEXT}
    export = client.wait(client.export_contacts())
    assert client.read(export, read_arrow).to_pylist() == ROWS
    assert client.read(export, read_polars).to_dicts() == ROWS
    frame = client.read(export, read_pandas)
    assert frame["Code"].tolist() == ["007", "8", "9"]
    assert frame["Name"].isna().tolist() == [False, True, False]
    assert client.read(export, read_polars, guess_types=True)["Code"].to_list() == [7, 8, 9]
    assert client.read(export, read_arrow, guess_types=True)["Code"].to_pylist() == [7, 8, 9]
    with pytest.raises(ValueError, match="no product lines"):
        client.read(export, read_arrow, product_lines=True)


def test_a_server_without_ranges_sends_the_whole_file_again(
    bare: BareServer, client: Client, tmp_path: Path
) -> None:
    """The bytes are not put behind those that came before."""

    def without_ranges(handler: Handler) -> bool:
        del handler.headers["Range"]
        return False

    bare.rows = big
    export = client.wait(client.export_contacts())
    data = bare.archive(export.id)
    (tmp_path / f"c.zip.{export.id}.part").write_bytes(data[:5000])
    bare.fail("GET /storage/", without_ranges)
    assert client.download(export, tmp_path / "c.zip").path.read_bytes() == data
    assert bare.served == len(data)
