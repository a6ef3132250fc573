from datetime import UTC, datetime

import pytest

from outhaul.api.conditions import Unsatisfiable, byte_range, not_modified

ETAG = '"abc"'
MODIFIED = datetime(2026, 4, 1, 8, 0, 12, 345000, tzinfo=UTC)
AT = "Wed, 01 Apr 2026 08:00:12 GMT"


def _range(range_: str | None, if_range: str | None = None, size: int = 100):
    return byte_range(range_, if_range, etag=ETAG, modified=MODIFIED, size=size)


@pytest.mark.parametrize(
    ("range_", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=10-19", (10, 20)),
        ("bytes=90-", (90, 100)),
        ("bytes=90-999", (90, 100)),
        ("bytes=-5", (95, 100)),
        ("bytes=-500", (0, 100)),
        (None, None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=5-4", None),
        ("bytes=0-1,5-6", None),
        ("rows=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_one_range_is_served_and_others_are_ignored(range_, part):
    """A single valid range gets its part; what cannot be served in one part gets the whole."""
    assert _range(range_) == part


@pytest.mark.parametrize("range_", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_the_file_cannot_be_served(range_):
    """No byte of the file lies in the range."""
    with pytest.raises(Unsatisfiable):
        _range(range_)


@pytest.mark.parametrize(
    ("if_range", "same"),
    [
        (ETAG, True),
        (AT, True),
        ('W/"abc"', False),
        ('"other"', False),
        ("Wed, 01 Apr 2026 08:00:13 GMT", False),
        ("nonsense", False),
    ],
)
def test_a_part_of_another_file_is_never_sent(if_range, same):
    """If-Range lets the part pass only when the caller holds the same file."""
    assert _range("bytes=0-9", if_range) == ((0, 10) if same else None)


@pytest.mark.parametrize(
    ("none_match", "since", "unchanged"),
    [
        (None, None, False),
        (ETAG, None, True),
        ('"x", W/"abc"', None, True),
        ("*", None, True),
        ('"x"', AT, False),
        (None, AT, True),
        (None, "Wed, 01 Apr 2026 08:00:11 GMT", False),
        (None, "nonsense", False),
    ],
)
def test_a_copy_that_is_still_good_is_recognised(none_match, since, unchanged):
    """The tag decides; the date only where no tag was sent."""
    assert not_modified(none_match, since, etag=ETAG, modified=MODIFIED) is unchanged
