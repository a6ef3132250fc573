"""docs/guarantees.md claims nothing that no test shows."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUARANTEES = (ROOT / "docs" / "guarantees.md").read_text()


def unproven(document: str) -> list[str]:
    """The lines below the first section that name no test, or one that does not exist."""
    claims = document.partition("\n## ")[2].splitlines()[1:]
    return [line for line in claims if line and not line.startswith("## ") and not _proven(line)]


def _proven(line: str) -> bool:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", line)
    return bool(named) and all(_exists(ROOT / path, test) for path, test in named)


def _exists(path: Path, test: str) -> bool:
    return (
        path.exists() and re.search(rf"^def {test}\(", path.read_text(), re.MULTILINE) is not None
    )


def test_every_guarantee_names_its_tests() -> None:
    """Guarantees and non-guarantees alike; and there are some of both."""
    assert unproven(GUARANTEES) == []
    promised, refused = GUARANTEES.split("\n## ")[1:]
    assert promised.count("\n- ") > 10
    assert refused.count("\n- ") > 2


@pytest.mark.parametrize(
    "claim",
    [
        "- It is fast.",
        "It is fast.",
        "- It is fast. `tests/unit/test_guarantees.py::test_that_is_not_there`",
        "- It is fast. `tests/unit/test_not_there.py::test_every_guarantee_names_its_tests`",
    ],
)
def test_a_claim_without_a_test_is_found(claim: str) -> None:
    """Without a name, or with one that leads nowhere."""
    assert unproven(f"{GUARANTEES}{claim}\n") == [claim]
