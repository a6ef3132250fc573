import pytest

from outhaul.api.body import parse_json
from outhaul.domain.errors import MalformedBody


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{} {}",
        b"\xff",
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1, "a": 1}',
        b'{"filters": {"b": 1, "\\u0062": 2}}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": ' + b"1" * 5000 + b"}",
        b"[" * 30_000 + b"]" * 30_000,
    ],
)
def test_bodies_that_two_readers_could_read_differently_are_refused(raw):
    """Neither broken JSON nor JSON with two meanings gets further than here."""
    with pytest.raises(MalformedBody):
        parse_json(raw)


def test_plain_json_is_read():
    """Escapes, null characters and astral characters are fine."""
    assert parse_json(b'{"a": ["\\u0000", "\\ud83d\\ude00", 1e999]}') == {
        "a": ["\x00", "\N{GRINNING FACE}", float("inf")]
    }
