"""The commands that speak to a server, against a real one."""

import json
import os
import re
import socket
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from outhaul.archive.verify import verify
from outhaul.cli.app import main
from outhaul.client.calls import Retry
from tests.acceptance.conftest import OUTHAUL, Caller, Server, import_file, new_caller, run
from tests.bare_server import KEY, Handler, bare_server


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """Three contacts and a search on the first of three months, on one server for all tests."""
    folder = tmp_path_factory.mktemp("remote")
    server = Server(folder / "data").start()
    try:
        caller = new_caller(server)
        contacts, activities = folder / "contacts.jsonl", folder / "activities.jsonl"
        contacts.write_text(
            "".join(f'{{"id": "c{n}", "_email": "c{n}@x.org"}}\n' for n in range(3))
        )
        activities.write_text(
            "".join(
                f'{{"id": "a{month}", "type": "search", "contactId": "c1",'
                f' "createdAt": "2026-0{month}-01T10:00:00Z"}}\n'
                for month in (1, 2, 3)
            )
        )
        for kind, file in (("contacts", contacts), ("activities", activities)):
            import_file(caller, kind, file)
        yield caller
    finally:
        server.kill()


@pytest.fixture
def shop(running: Caller, monkeypatch: pytest.MonkeyPatch) -> Caller:
    """Variables say where the server is and who asks."""
    monkeypatch.setenv("OUTHAUL_URL", running.server.url)
    monkeypatch.setenv("OUTHAUL_KEY", running.key)
    return running


def outhaul(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str
) -> tuple[int, str, str]:
    """The command within this process: status, standard output and error."""
    monkeypatch.setattr("sys.argv", ["outhaul", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return ended.value.code, told.out, told.err


def test_from_the_wish_to_the_verified_file(
    shop: Caller,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A summary on standard output, the file whole, no bars without a terminal; afterwards the
    export is listed, shown, fetched again, and too late to cancel."""
    file = tmp_path / "contacts.zip"
    done = run("export", "contacts", "--delimiter", ";", "-o", file)
    assert ".csv: 3 rows\n" in done.stdout
    assert "Checked against its manifest." in done.stdout
    assert done.stderr == ""
    assert not verify(file, None).differences
    with zipfile.ZipFile(file) as archive:
        assert archive.read(archive.namelist()[0]).startswith(b'"Tracker";"Email"')

    def exports(*arguments: str, status: int = 0) -> str:
        ended, out, err = outhaul(capsys, monkeypatch, "exports", *arguments)
        assert ended == status, err
        return out or err

    listed = json.loads(exports("list", "--json"))
    export_id = listed["exports"][0]["id"]
    assert (len(listed["exports"]), listed["hasNext"]) == (1, False)
    assert export_id in exports("list")
    shown = exports("show", export_id)
    assert "status: finished" in shown
    assert "fileUrl" not in shown
    again = json.loads(exports("download", export_id, "-o", str(tmp_path / "b.zip"), "--json"))
    assert (again["exportIds"], again["whole"]) == ([export_id], True)
    assert again["checkedAgainst"] == "manifest"
    assert (tmp_path / "b.zip").read_bytes() == file.read_bytes()
    assert "has ended already" in exports("cancel", export_id, status=1)


def test_a_quarter_of_activities_for_a_script(shop: Caller, tmp_path: Path) -> None:
    """Over 31 days several exports become one file; the output is one JSON object."""
    file = tmp_path / "activities.zip"
    told = json.loads(
        run("export", "activities", "--from", "2026-01-01", "--to", "2026-03-31",
            "--type", "search", "--version", "v5", "--json", "-o", file).stdout
    )  # fmt: skip
    assert (told["file"], told["bytes"]) == (str(file), file.stat().st_size)
    assert [member["rows"] for member in told["members"]] == [3]
    assert len(told["exportIds"]) == 3


def test_a_report_is_exported_and_verified(shop: Caller, tmp_path: Path) -> None:
    """Days are the account's; the summary is that of other exports, for people and for scripts; a
    span that no report can have is wrong use."""
    body = {"name": "Searches", "dimensions": ["date"], "metrics": ["numberOfSearches"]}
    report_id = shop.request("POST", "/reports/", json=body).json()["id"]
    file = tmp_path / "r.zip"
    days = ("--from", "2026-01-01", "--to", "2026-02-01")
    asked = ("export", "report", report_id, *days, "--delimiter", ";")
    done = run(*asked, "-o", file)
    assert "Searches-20260101-20260201-" in done.stdout
    assert ".csv: 2 rows\n" in done.stdout
    assert "Checked against its manifest." in done.stdout
    with zipfile.ZipFile(file) as archive:
        text = archive.read(archive.namelist()[0]).decode()
    assert text == '"date";"numberOfSearches"\n"2026-01-01";"1"\n"2026-02-01";"1"\n'
    told = json.loads(run(*asked, "--json", "-o", tmp_path / "s.zip").stdout)
    assert [member["rows"] for member in told["members"]] == [2]
    assert (told["whole"], told["checkedAgainst"]) == (True, "manifest")
    quarter = ("--from", "2026-01-01", "--to", "2026-03-31")
    refused = run("export", "report", report_id, *quarter, "-o", file, check=False)
    assert refused.returncode == 2
    assert "cannot be joined" in refused.stderr
    unknown = run("export", "report", "0" * 24, *days, "-o", tmp_path / "no.zip", check=False)
    assert unknown.returncode == 2
    assert "/filters/reportId: must be the id of a report" in unknown.stderr
    assert not (tmp_path / "no.zip").exists()


def test_extensions_have_options(shop: Caller, tmp_path: Path) -> None:
    """Chosen columns, marked and compressed; a script goes on from the commit that it is told."""
    file = tmp_path / "contacts.csv.zst"
    told = json.loads(
        run("export", "contacts", "--column", "_email", "--column", "id", "--bom",
            "--formula-guard", "--compression", "zstd", "--json", "-o", file).stdout
    )  # fmt: skip
    assert told["checkedAgainst"] == "manifest"
    with zstandard.open(file, "rb") as text:
        assert text.read().startswith(b'\xef\xbb\xbf"Email","Tracker"\n"c')
    again = json.loads(
        run("export", "contacts", "--changed-since", str(told["snapshot"]), "--format", "jsonl",
            "--json", "-o", tmp_path / "changes.zip").stdout
    )  # fmt: skip
    assert [member["rows"] for member in again["members"]] == [0, 0]
    long = json.loads(
        run("export", "activities", "--from", "2026-01-01", "--to", "2026-03-31",
            "--allow-long-window", "--product-column", "price", "--json",
            "-o", tmp_path / "long.zip").stdout
    )  # fmt: skip
    assert [member["rows"] for member in long["members"]] == [3, 0]
    assert len(long["exportIds"]) == 1


def test_parquet_is_a_format(shop: Caller, tmp_path: Path) -> None:
    """Verified after the download, told as one table; what does not fit is refused by name."""
    file = tmp_path / "contacts.zip"
    told = run("export", "contacts", "--format", "parquet", "-o", file).stdout
    assert re.search(r"export-contacts-\S+: [\d,]+ rows in 1 files", told)
    assert "Checked against its manifest" in told
    wrong = ("--format", "parquet", "--date-format", "L", "-o", file)
    refused = run("export", "contacts", *wrong, check=False)
    assert refused.returncode == 2
    assert "dateFormat" in refused.stderr


def test_failures_of_servers_have_their_statuses(
    shop: Caller, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """2 for a request with mistakes, 1 for what is not there, 4 for a wrong key; one line, without
    the key."""
    wrong = ("export", "activities", "--from", "2026-03-02", "--to", "2026-03-01")
    for arguments, status, message in (
        (wrong, 2, "/filters/"),
        (("export", "activities", "--from", "soon", "--to", "2026-03-01"), 2, "soon"),
        (("exports", "show", "0" * 24), 1, "404"),
        (("exports", "list", "--key", "wrong:secretly"), 4, "401"),
        (("exports", "list", "--url", "example.com"), 2, "http://"),
    ):
        failed, out, err = outhaul(capsys, monkeypatch, *arguments)
        assert (failed, out) == (status, "")
        assert err.count("\n") == 1
        assert message in err
        assert "secretly" not in err


def test_the_shell_completes_commands() -> None:
    """The words that bash asks for are the commands."""
    asked = {"_OUTHAUL_COMPLETE": "complete_bash", "COMP_WORDS": "outhaul expo", "COMP_CWORD": "1"}
    told = subprocess.run(
        [Path(OUTHAUL[0]).with_name("outhaul")],
        env=os.environ | asked, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert told.stdout.split() == ["export", "exports"], told


@pytest.mark.parametrize("there", ["nobody", "another program"])
def test_a_server_that_is_none_ends_in_status_3(
    there: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody listens, or somebody does who speaks no such API; one line says so."""
    monkeypatch.setattr(Retry, "pause", lambda *_: 0.001)
    with bare_server() as bare, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        host, port = unused.getsockname()
        url = f"http://{host}:{port}" if there == "nobody" else bare.url
        bare.fail("GET /exports/", lambda handler: handler.answer(200, ["welcome"]))
        server = ("--url", url, "--key", KEY)
        status, out, err = outhaul(capsys, monkeypatch, "exports", "list", *server)
    assert (status, out) == (3, "")
    assert err.startswith("outhaul: ")
    assert err.count("\n") == 1


def test_a_file_that_is_not_whole_ends_in_status_5(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One altered byte is found even when the server tells neither manifest nor digest."""

    def altered(handler: Handler) -> bool:
        data = bytearray(handler.bare.archive(f"{1:024x}"))
        place = data.index(b"ana@example.com")
        data[place] ^= 1
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data)
        return True

    file = tmp_path / "contacts.zip"
    with bare_server() as bare:
        bare.fail("GET /storage/", *[altered] * 20)
        wish = ("export", "contacts", "-o", str(file), "--url", bare.url, "--key", KEY)
        status, _, err = outhaul(capsys, monkeypatch, *wish)
    assert status == 5, err
    assert err
