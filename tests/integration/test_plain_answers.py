"""Programs of the plain contract see what they always saw."""

import pytest

from tests import recorded


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return recorded.record(tmp_path_factory.mktemp("recorded"))


@pytest.mark.parametrize("name", recorded.kept())
def test_a_plain_answer_is_what_it_was_byte_for_byte(found: dict[str, str], name: str):
    """Status, headers and body of every recorded talk, and the text of files; but for ids,
    instants, links and digests, which differ from run to run."""
    assert found[name] == recorded.kept()[name]


def test_every_talk_is_recorded(found: dict[str, str]):
    """A talk that is in no file would be compared with nothing."""
    assert list(found) == list(recorded.kept())
