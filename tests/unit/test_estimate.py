"""How long an export takes, learned from those before it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outhaul.domain.estimate import PastRun, expected_seconds
from outhaul.domain.export import Delimiter
from outhaul.render.line import values_in

runs = st.builds(PastRun, bytes=st.integers(0, 10**12), seconds=st.floats(0, 10**5))


def test_past_runs_on_a_line_tell_the_time_of_the_next() -> None:
    """A machine that takes 1 s and 20 s a gigabyte is known after twenty runs, within 5 %."""
    sizes = [n * 50_000_000 for n in range(1, 21)]
    past = [PastRun(bytes=size, seconds=1 + 20 * size / 1e9) for size in sizes]
    for size in (60_000_000, 700_000_000, 3_000_000_000):
        assert expected_seconds(size, past) == pytest.approx(1 + 20 * size / 1e9, rel=0.05)


def test_without_past_runs_a_machine_is_taken_for_a_usual_one() -> None:
    """Something between a moment and a minute for a gigabyte."""
    assert 0 < expected_seconds(0, []) < 1
    assert 1 < expected_seconds(10**9, []) < 60


@given(past=st.lists(runs, max_size=50), size=st.integers(0, 10**11))
def test_more_text_never_takes_less_time(past: list[PastRun], size: int) -> None:
    """Whatever the past was, the answer is positive and grows with the text."""
    seconds = expected_seconds(size, past)
    assert seconds > 0
    assert expected_seconds(size * 2, past) >= seconds


@given(
    values=st.lists(st.none() | st.text(st.sampled_from('ab",;\n ')), min_size=1),
    delimiter=st.sampled_from(Delimiter),
)
def test_finished_lines_are_read_back(values: list[str | None], delimiter: Delimiter) -> None:
    """Missing and empty values stay apart; quotes and line ends within values stay whole."""
    cells = ["" if one is None else '"' + one.replace('"', '""') + '"' for one in values]
    assert list(values_in(delimiter.value.join(cells) + "\n", delimiter)) == values
