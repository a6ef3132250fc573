"""Pages of the list of exports."""

from typing import Any

from outhaul.client.calls import Session, call
from outhaul.client.errors import NotUnderstood
from outhaul.client.models import Page, read_export
from outhaul.client.steps import Answer, Steps


def ask_for_page(session: Session, page: int, page_size: int) -> Steps[Answer]:
    """The answer that holds the page; pages count from 1. Raises Refused and Unreachable."""
    return (yield from call(session, "GET", f"exports/?page={page}&pageSize={page_size}"))


def read_page(value: Any) -> Page:
    """The page in the decoded answer. Raises NotUnderstood."""
    results = value.get("results") if isinstance(value, dict) else None
    if not isinstance(results, list):
        raise NotUnderstood("the answer holds no list of exports")
    links = value.get("links")
    return Page(
        exports=tuple(read_export(one) for one in results),
        has_next=isinstance(links, dict) and bool(links.get("next")),
    )
