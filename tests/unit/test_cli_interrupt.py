"""Ctrl-C during an export: it is left running, unless somebody at the terminal says otherwise."""

import sys
from typing import Any, cast

import pytest
import typer

from outhaul.cli.bars import ExportBars
from outhaul.cli.export import fetch
from outhaul.client import Client, Downloaded, Progress
from outhaul.client.models import read_export


class _Deletes:
    def __init__(self) -> None:
        self.deleted: list[str] = []

    def delete(self, export: Any) -> None:
        self.deleted.append(export.id)


def _interrupt(client: _Deletes, status: str = "inProgress") -> None:
    def run(bars: ExportBars) -> Downloaded:
        export = read_export({"id": "e1", "status": status})
        bars(Progress(phase="waiting", done=1, total=2, export=export))
        raise KeyboardInterrupt

    with pytest.raises(typer.Abort):
        fetch(cast("Client", client), run, as_json=False)


def _at_a_terminal(monkeypatch: pytest.MonkeyPatch, answer: bool) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(typer, "confirm", lambda *_, **__: answer)


@pytest.mark.parametrize("answer", [True, False])
def test_somebody_at_the_terminal_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: bool
) -> None:
    """The export is deleted exactly when the answer is yes."""
    client = _Deletes()
    _at_a_terminal(monkeypatch, answer)
    _interrupt(client)
    assert client.deleted == (["e1"] if answer else [])
    told = capsys.readouterr().err
    assert ("is cancelled" if answer else "outhaul exports download e1") in told


def test_a_script_is_not_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """It goes on, and standard error says how to fetch it."""
    client = _Deletes()
    _interrupt(client)
    assert client.deleted == []
    assert "outhaul exports download e1" in capsys.readouterr().err


def test_a_finished_export_is_never_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelling would delete a file that is already there."""
    client = _Deletes()
    _at_a_terminal(monkeypatch, answer=True)
    _interrupt(client, "finished")
    assert client.deleted == []
