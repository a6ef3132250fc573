"""The slices of an export as a picture: a cell each, in the order of the file."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from outhaul.catalog.slices import SliceState
from outhaul.console import numbers
from outhaul.console.words import MEMBERS
from outhaul.domain.export import MemberKind
from outhaul.domain.instants import from_epoch_ms

WIDTH = 960
_GAP = 3
_MOST_A_LINE = 48
_HIGH, _LOW = 28, 18


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A slice; lengths in units of the picture."""

    x: float
    y: float
    state: str
    """`waiting`, `running` or `done`."""
    label: str


@dataclass(frozen=True, kw_only=True)
class Strip:
    """The slices of one file of the archive."""

    title: str
    done: int
    cells: tuple[Cell, ...]
    cell_width: float
    cell_height: int
    width: int
    height: int


def strips(states: Sequence[SliceState], timezone: str) -> tuple[Strip, ...]:
    """One strip for each file that has slices."""
    by_member = {
        member: tuple(held) for member, held in groupby(states, key=lambda state: state.plan.member)
    }
    return tuple(
        _strip(member, by_member[member], timezone) for member in MemberKind if member in by_member
    )


def _strip(member: MemberKind, states: Sequence[SliceState], timezone: str) -> Strip:
    # Equal lines: 60 slices make two lines of 30, not one of 48 and one of 12.
    lines = -(-len(states) // _MOST_A_LINE)
    a_line = -(-len(states) // lines)
    height = _HIGH if lines == 1 else _LOW
    width = (WIDTH + _GAP) / a_line - _GAP
    return Strip(
        title=MEMBERS[member],
        done=sum(state.facts is not None for state in states),
        cells=tuple(
            Cell(
                x=round(index % a_line * (width + _GAP), 2),
                y=index // a_line * (height + _GAP),
                state=_state(state),
                label=_label(index, state, timezone),
            )
            for index, state in enumerate(states)
        ),
        cell_width=round(width, 2),
        cell_height=height,
        width=WIDTH,
        height=lines * (height + _GAP) - _GAP,
    )


def _state(state: SliceState) -> str:
    if state.facts is not None:
        return "done"
    return "running" if state.held else "waiting"


def _label(index: int, state: SliceState, timezone: str) -> str:
    rows = f"Slice {index + 1}: {numbers.whole(state.plan.rows)} rows"
    if state.plan.member is not MemberKind.REPORT:
        # Rows of a report have no instants.
        rows += f" from {numbers.instant(from_epoch_ms(state.plan.first.created_ms), timezone)}"
    told = {"waiting": "waiting", "running": "being written"}.get(_state(state))
    if state.facts is not None:
        told = f"done, {numbers.size(state.facts.compressed_bytes)} compressed"
    again = f", attempt {state.attempt}" if state.attempt > 1 else ""
    return f"{rows}; {told}{again}"
