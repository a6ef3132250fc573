"""The README's session, run with curl and unzip against a real server."""

import json
import re
import subprocess
from pathlib import Path

from tests.acceptance.conftest import Server, new_caller, run

README = Path(__file__).parents[2] / "README.md"
CONTACTS = (
    {"id": "c1", "_email": "ana@example.com", "_name": 'Ana "la jefa"', "_surname": "Núñez, Ruiz",
     "_createdAt": "2026-01-02T00:00:00Z"},
    {"id": "c2", "_email": "bob@example.com", "_name": "Bob", "_createdAt": "2026-01-01T00:00:00Z"},
    {"id": "c3", "_email": "eve@example.com", "_createdAt": "2026-01-03T00:00:00Z"},
)  # fmt: skip


def session() -> list[tuple[str, str]]:
    """The commands with what they print."""
    found = re.search(r"<!-- session.*?```console\n(.*?)```", README.read_text(), re.DOTALL)
    assert found
    return [_split(step) for step in re.split(r"^\$ ", found[1], flags=re.MULTILINE)[1:]]


def _split(step: str) -> tuple[str, str]:
    lines = step.splitlines(keepends=True)
    end = next(number for number, line in enumerate(lines) if not line.endswith("\\\n")) + 1
    return "".join(lines[:end]), "".join(lines[end:])


def fits(printed: str, expected: str) -> bool:
    """Three dots stand for anything."""
    pattern = ".*".join(map(re.escape, expected.strip().split("...")))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


def test_the_readme_session_works_as_printed(server: Server, tmp_path: Path) -> None:
    """Create, look, download, unzip: every command prints what the README says."""
    caller = new_caller(server)
    file = tmp_path / "contacts.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in CONTACTS))
    run("import", "contacts", file, "--account", caller.account, "--data", server.data)
    environment = {"URL": server.url, "KEY": caller.key, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    steps = session()
    assert len(steps) == 4
    for command, expected in steps:
        done = subprocess.run(
            ["bash", "-ec", command], capture_output=True, text=True, cwd=tmp_path, env=environment
        )
        assert done.returncode == 0, (command, done.stderr)
        assert fits(done.stdout, expected), (command, done.stdout)
        if "-d '" in command:
            export = caller.wait(json.loads(done.stdout.removesuffix("201"))["id"])
            environment |= {"ID": export["id"], "FILE_URL": export["fileUrl"]}
