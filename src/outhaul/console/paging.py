"""The number of a page in an address."""

import re

from starlette.exceptions import HTTPException

_MOST_PAGES = 1_000_000
"""Far beyond any list, and small enough that no database's offset overflows."""


def page_number(text: str) -> int:
    """The number, from 1. Raises HTTPException (404) when there can be no such page."""
    if re.fullmatch(r"[0-9]{1,7}", text) is None or not 1 <= int(text) <= _MOST_PAGES:
        raise HTTPException(404)
    return int(text)
