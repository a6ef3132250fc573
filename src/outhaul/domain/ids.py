"""Identifiers: 24 lower-case hex digits, like the ObjectIds that clients of the contract expect.

The first eight digits are the creation second, so ids of one process sort roughly by time.
"""

import itertools
import re
import secrets
import time

_ID = re.compile(r"[0-9a-f]{24}")
_process = secrets.token_hex(5)
_counter = itertools.count(secrets.randbelow(1 << 24))


def new_id() -> str:
    """A new id, unique over processes: second (8 digits), process (10), counter (6)."""
    return f"{int(time.time()):08x}{_process}{next(_counter) & 0xFFFFFF:06x}"


def is_id(text: str) -> bool:
    """Whether the text is an id in the one spelling Outhaul writes (lower-case hex)."""
    return _ID.fullmatch(text) is not None
