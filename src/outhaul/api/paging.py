"""Lists that come in pages: their parameters, and links to the neighbouring pages."""

import re
from typing import Annotated

from fastapi import Query
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from outhaul.api.wire import Links

_MAX_PAGE = 1_000_000
"""Far beyond any list, and small enough that no database's offset overflows."""


def _whole_number(given: object) -> object:
    if isinstance(given, str) and re.fullmatch(r"[0-9]{1,9}", given) is None:
        raise PydanticCustomError("whole_number", "must be a whole number")
    return given


PageNumber = Annotated[int, Field(ge=1, le=_MAX_PAGE), BeforeValidator(_whole_number), Query()]
PageSize = Annotated[
    int, Field(ge=1, le=100), BeforeValidator(_whole_number), Query(alias="pageSize")
]


def links(address: str, *, page: int, page_size: int, has_next: bool) -> dict[str, str]:
    """The links of page number `page` of the list at `address`."""

    def link(number: int) -> str:
        return f"{address}?page={number}&pageSize={page_size}"

    return Links(
        next=link(page + 1) if has_next else None, prev=link(page - 1) if page > 1 else None
    ).model_dump(exclude_none=True)
