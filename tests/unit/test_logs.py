"""The log: constant events, facts beside them, and nothing that somebody stored."""

import ast
import json
import logging
import re
from pathlib import Path

import pytest

from outhaul.cli.logs import ConsoleFormatter, JsonFormatter

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "outhaul").rglob("*.py"))
SERVER = [path for path in SOURCES if "client" not in path.parts]


def record(with_error: bool = False, **facts: object) -> logging.LogRecord:
    error = None
    if with_error:
        try:
            _fails()
        except ValueError as caught:
            error = (type(caught), caught, caught.__traceback__)
    logger = logging.getLogger("outhaul.worker")
    return logger.makeRecord(
        logger.name, logging.ERROR, __file__, 1, "step failed", (), error, extra=facts
    )


def _fails() -> None:
    try:
        raise KeyError("ana@example.com")
    except KeyError as error:
        raise ValueError("what about ana@example.com") from error


def test_people_read_a_line() -> None:
    """Time, level, event, and the facts in their order."""
    line = ConsoleFormatter(with_texts=False).format(record(export="6b06", step="plan"))
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT[\d:.]{12}Z ERROR step failed export=6b06 step=plan", line
    )


def test_programs_read_an_object() -> None:
    """The same as members; what is no JSON of itself as text, accents as they are."""
    line = JsonFormatter(with_texts=False).format(record(export="6b06", path=Path("/ñ"), rows=3))
    told = json.loads(line)
    assert told.pop("at").endswith("Z")
    assert told == {
        "level": "ERROR",
        "event": "step failed",
        "logger": "outhaul.worker",
        "export": "6b06",
        "path": "/ñ",
        "rows": 3,
    }
    assert "\n" not in line
    assert "/ñ" in line


@pytest.mark.parametrize("formatter", [ConsoleFormatter, JsonFormatter])
def test_an_exception_is_told_by_kind_and_place(formatter) -> None:
    """With its cause, and without the texts, which quote data; at DEBUG with them."""
    told = formatter(with_texts=False).format(record(with_error=True))
    assert "ana@example.com" not in told
    assert told.index("ValueError") < told.index("KeyError")
    assert f"{Path(__file__).name}:" in told
    assert "_fails" in told
    assert "ana@example.com" in formatter(with_texts=True).format(record(with_error=True))


def _log_calls() -> list[tuple[str, ast.Call]]:
    return [
        (f"{path.name}:{node.lineno}", node)
        for path in SERVER
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in {"_log", "logging"}
        and node.func.attr in {"debug", "info", "warning", "error", "exception", "critical"}
    ]


def test_every_event_is_constant_and_described() -> None:
    """No event is put together from parts, and docs/operating.md has it."""
    described = (ROOT / "docs" / "operating.md").read_text()
    calls = _log_calls()
    assert len(calls) > 10
    for place, call in calls:
        [event] = call.args
        assert isinstance(event, ast.Constant), place
        assert isinstance(event.value, str), place
        assert "%" not in event.value, place
        assert f"`{event.value}`" in described, (place, event.value)


def test_every_fact_is_described() -> None:
    """Facts are names of ids, counts, kinds and durations that docs/operating.md lists."""
    described = (ROOT / "docs" / "operating.md").read_text()
    facts = {
        key.value
        for _, call in _log_calls()
        for keyword in call.keywords
        if keyword.arg == "extra"
        for node in ast.walk(keyword.value)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }
    assert {"export", "account", "import"} <= facts
    assert [fact for fact in facts if f"`{fact}`" not in described] == []
