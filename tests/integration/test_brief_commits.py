"""Commits that come one upon the other, and what they note for the next."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from outhaul.domain.export import FieldType
from outhaul.store.commits import Commit, Commits, newest
from outhaul.store.contact_fields import ContactFields
from outhaul.store.engine import Engine
from outhaul.store.field_definitions import present, present_in

FIRST, SECOND = "a" * 24, "b" * 24


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = Engine(tmp_path, memory_limit="256MB", threads=1, max_attached=1)
    yield opened
    opened.close()


@pytest.fixture
def commits(engine: Engine) -> Commits:
    return Commits(engine)


class _Undone(Exception):
    pass


def commit(commits: Commits, account: str, *, undone: bool = False) -> Commit:
    """A brief commit that sees the account's fields as they are."""
    try:
        with commits.open(account, source="test", brief=True) as opened:
            assert present_in(opened) == present(opened.connection)
            if undone:
                raise _Undone
    except _Undone:
        assert undone
    return opened


def test_numbers_and_instants_go_on_whatever_happens(engine: Engine, commits: Commits) -> None:
    """After commits that are undone or fail, after other writers, and after the file was let go
    of for another account's while an idle session of it was kept."""
    seen = []
    for account in (FIRST, FIRST, SECOND, FIRST):
        commit(commits, account, undone=True)
        seen.append(commit(commits, account))
        with commits.open(account, source="long") as long:
            seen.append(long)
        with Commits(engine).open(account, source="another") as another:
            seen.append(another)
        with engine.session(account) as connection:
            snapshot = newest(connection)
        assert (snapshot.number, snapshot.at) == (another.number, another.at)
    of_first = [*seen[:6], *seen[9:]]
    assert [one.number for one in of_first] == list(range(1, 10))
    assert [one.number for one in seen[6:9]] == [1, 2, 3]
    instants = [one.at for one in of_first]
    assert instants == sorted(instants)


def test_what_is_noted_of_fields_follows_every_change_of_them(
    engine: Engine, commits: Commits
) -> None:
    """Made in a commit that stays, or in one that is undone after others have seen them in it."""
    fields = ContactFields(engine)
    assert present_in(commit(commits, FIRST)) == ()
    with commits.open(FIRST, source="test") as adding:
        fields.add(adding, [("one", "One", FieldType.TEXT)])
    assert [field.id for field in present_in(commit(commits, FIRST))] == ["one"]
    with suppress(_Undone), commits.open(FIRST, source="test") as adding:
        fields.add(adding, [("two", "Two", FieldType.TEXT)])
        assert [field.id for field in present_in(adding)] == ["one", "two"]
        raise _Undone
    assert [field.id for field in present_in(commit(commits, FIRST))] == ["one"]


def test_a_session_is_used_again_unless_something_went_wrong_in_it(engine: Engine) -> None:
    """One at a time is kept; who finds none gets a new one."""
    with engine.session(FIRST, brief=True) as first:
        pass
    with engine.session(FIRST, brief=True) as again, engine.session(FIRST, brief=True) as other:
        assert again is first
        assert other is not first
    with pytest.raises(_Undone), engine.session(FIRST, brief=True) as kept:
        raise _Undone
    with engine.session(FIRST, brief=True) as fresh:
        assert fresh is not kept
