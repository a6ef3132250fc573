"""Whatever the domain knows has words on pages."""

import re

import pytest

from outhaul.console import numbers
from outhaul.console.words import (
    ACTIONS,
    EXPORT_STATES,
    EXPORT_TYPES,
    FAILURES,
    IMPORT_KINDS,
    IMPORT_STATES,
    MEMBERS,
    SCOPES,
)
from outhaul.domain.account import Scope
from outhaul.domain.audit import Action
from outhaul.domain.errors import FailureCause
from outhaul.domain.export import ExportStatus, ExportType, MemberKind
from outhaul.domain.imports import ImportKind, ImportStatus


def test_every_state_type_file_and_cause_has_words() -> None:
    """Nobody meets a word of the code, or a page that fails for want of one."""
    assert EXPORT_STATES.keys() == set(ExportStatus)
    assert IMPORT_STATES.keys() == set(ImportStatus)
    assert IMPORT_KINDS.keys() == set(ImportKind)
    assert EXPORT_TYPES.keys() == set(ExportType)
    assert MEMBERS.keys() == set(MemberKind)
    assert FAILURES.keys() == set(FailureCause)
    assert ACTIONS.keys() == set(Action)
    assert SCOPES.keys() == set(Scope)
    for failure in FAILURES.values():
        for text in (failure.explanation, failure.advice):
            assert text.endswith(".")
            assert re.search(r"[a-z][A-Z]", text) is None


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (7800, "2 h 10 min")],
)
def test_durations_are_short_and_never_odd(seconds: float, said: str) -> None:
    """No 60 s and no 60 min."""
    assert numbers.duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (999_960, "1.0 MB"),
        (1_000, "1.0 kB"),
        (5e14, "500.0 TB"),
    ],
)
def test_sizes_change_their_unit_in_time(count: float, said: str) -> None:
    """No 1000.0 kB."""
    assert numbers.size(count) == said
