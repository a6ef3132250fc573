"""From a template and values to a page."""

from datetime import datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.responses import HTMLResponse

from outhaul import __version__
from outhaul.console import numbers
from outhaul.console.assets import asset_version
from outhaul.domain.instants import parse_instant, to_text

_environment = Environment(
    loader=PackageLoader("outhaul.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@pass_context
def _instant(context: Context, at: datetime) -> Markup:
    """A time element on the clocks of the account's zone; UTC shows on hovering."""
    shown = numbers.instant(at, context["visit"].account.timezone)
    return Markup('<time datetime="{0}" title="{0}">{1}</time>').format(to_text(at), shown)


@pass_context
def _instant_text(context: Context, written: str) -> Markup:
    """The same for an instant that is text already."""
    at = parse_instant(written)
    assert at is not None, "what we have written ourselves"
    return _instant(context, at)


_environment.filters |= {
    "instant_text": _instant_text,
    "whole": numbers.whole,
    "size": numbers.size,
    "duration": numbers.duration,
    "instant": _instant,
}
_environment.globals |= {"asset_version": asset_version, "outhaul_version": __version__}


def render(template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """The page as an answer."""
    return HTMLResponse(_environment.get_template(template).render(values), status_code=status)
