"""The command line: what it prints, and how it fails."""

import json
import re
import sys
from pathlib import Path

import pytest

from tests.acceptance.conftest import run


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve",),
        ("import",),
        ("verify",),
        ("doctor",),
        ("accounts", "create"),
        ("accounts", "list"),
        ("accounts", "set"),
        ("accounts", "block"),
        ("accounts", "unblock"),
        ("keys", "create"),
        ("keys", "list"),
        ("keys", "revoke"),
        ("export", "contacts"),
        ("export", "activities"),
        ("export", "report"),
        ("exports", "list"),
        ("exports", "show"),
        ("exports", "cancel"),
        ("exports", "download"),
    ],
)
def test_every_command_explains_itself_with_an_example(arguments: tuple[str, ...]) -> None:
    """--help has an example that begins with the command."""
    text = run(*arguments, "--help").stdout
    assert f"Example: outhaul {' '.join(arguments)}" in " ".join(text.split())


def test_help_lists_every_command(tmp_path: Path) -> None:
    text = run("--help").stdout
    listed = re.findall(r"^  ([a-z]+) ", text.partition("Commands:")[2], re.MULTILINE)
    assert set(listed) == {
        *("serve", "worker", "import", "verify", "doctor", "backup", "restore", "accounts"),
        *("keys", "catalog", "export", "exports", "warehouse"),
    }


@pytest.mark.parametrize("arguments", ["--version", "verify --help", "export contacts --help"])
def test_what_needs_no_server_does_not_load_one(arguments: str) -> None:
    program = (
        f"import sys; sys.argv[1:] = {arguments.split()}\n"
        "from outhaul.cli.app import main\n"
        "try: main()\n"
        "finally: print('loaded', {'fastapi', 'sqlalchemy'} & {*sys.modules})"
    )
    assert run(program=[sys.executable, "-c", program]).stdout.endswith("loaded set()\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("accounts", "create"), "name"),
        (("accounts", "create", "x", "--timezone", "Mars/Base"), "Mars/Base"),
        (("accounts", "create", "x", "--language", "de"), "language"),
        (("accounts", "block", "0" * 24), "no account " + "0" * 24),
        (("keys", "create", "0" * 24, "--scope", "export:read"), "no account " + "0" * 24),
        (("keys", "create", "0" * 24), "scope"),
        (("keys", "create", "0" * 24, "--scope", "everything"), "everything"),
        (("keys", "revoke", "nothing"), "no key nothing"),
        (("import", "contacts", "/nowhere.csv", "--account", "0" * 24), "/nowhere.csv"),
        (("serve", "--port", "hello"), "port"),
        (("nonsense",), "nonsense"),
    ],
)
def test_wrong_use_is_one_clear_line_and_status_2(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    """On standard error, naming what is wrong; nothing on standard output."""
    data = () if arguments == ("nonsense",) else ("--data", tmp_path / "data")
    failed = run(*arguments, *data, check=False)
    assert failed.returncode == 2, failed
    assert failed.stdout == ""
    assert failed.stderr.count("\n") == 1
    assert failed.stderr.startswith("outhaul: ")
    assert message in failed.stderr


def test_a_file_to_verify_has_to_be_there() -> None:
    """Status 2 and its name; status 1 is kept for files that are not whole."""
    failed = run("verify", "/nowhere.zip", check=False)
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "/nowhere.zip" in failed.stderr


def test_a_wrong_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the variable."""
    monkeypatch.setenv("OUTHAUL_RATE_LIMIT", "none")
    failed = run("accounts", "list", "--data", tmp_path, check=False)
    assert failed.returncode == 2
    assert failed.stderr.startswith("outhaul: OUTHAUL_RATE_LIMIT: ")


def test_accounts_and_keys_are_listed_without_secrets(tmp_path: Path) -> None:
    """The secret is shown once, by create."""
    data = ("--data", tmp_path)
    account = run("accounts", "create", "A shop", "--timezone", "Europe/Madrid", *data).stdout
    assert re.fullmatch(r"[0-9a-f]{24}\n", account)
    key = run("keys", "create", account.strip(), "--scope", "export:read", *data).stdout
    assert re.fullmatch(r"[0-9A-Za-z]{22}:[0-9A-Za-z]{22}\n", key)
    key_id, secret = key.strip().split(":")
    listed = run("keys", "list", *data).stdout
    assert key_id in listed
    assert secret not in listed
    assert not any(
        secret.encode() in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )
    assert "Europe/Madrid" in run("accounts", "list", *data).stdout


def test_refused_rows_are_written_down_and_do_not_stop_the_rest(tmp_path: Path) -> None:
    """Works without a server as well; the data directory may come from a variable."""
    data = ("--data", tmp_path / "data")
    account = run("accounts", "create", "A shop", *data).stdout.strip()
    file = tmp_path / "contacts.csv"
    file.write_text("_email,_points\na@example.com,1\nnonsense,2\nb@example.com,many\n")
    done = run("import", "contacts", file, "--account", account, *data)
    assert done.stdout == (
        f"1 rows taken, 2 rows refused\nRefused rows and reasons: {file}.rejected.jsonl\n"
    )
    refused = [json.loads(line) for line in Path(f"{file}.rejected.jsonl").read_text().splitlines()]
    assert [row["line"] for row in refused] == [3, 4]
    assert "_email" in refused[0]["reason"]
    assert "_points" in refused[1]["reason"]


def test_unknown_contact_fields_are_listed_unless_they_may_be_created(tmp_path: Path) -> None:
    """Nothing is taken from a file whose columns are not understood."""
    data = ("--data", tmp_path / "data")
    account = run("accounts", "create", "A shop", *data).stdout.strip()
    file = tmp_path / "contacts.csv"
    file.write_text("_email,shoeSize,colour\na@example.com,42,red\n")
    arguments = ("import", "contacts", file, "--account", account, *data)
    failed = run(*arguments, check=False)
    assert failed.returncode == 1
    assert "shoeSize" in failed.stderr
    assert "colour" in failed.stderr
    assert "--create-fields" in failed.stderr
    assert run(*arguments, "--create-fields").stdout == "1 rows taken, 0 rows refused\n"
