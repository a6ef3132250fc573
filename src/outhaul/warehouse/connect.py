"""From a warehouse's URL to its engine; the client of an engine is an extra of Outhaul."""

from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from outhaul.domain.errors import OuthaulError

if TYPE_CHECKING:
    from outhaul.warehouse.engine import WarehouseEngine  # stands on packages of extras


class WarehouseUrlRefused(OuthaulError):
    """The URL cannot be one of a warehouse; the message says what would be right."""


_EXTRAS = {"sc": "spark", "clickhouse": "clickhouse", "chdb": "chdb"}
"""By scheme: the extra of Outhaul that brings the client."""


def connect(url: str) -> "WarehouseEngine":
    """The engine at `url`, which may hold secrets; it is contacted by the first call.

    Raises WarehouseUrlRefused.
    """
    scheme = urlsplit(url).scheme
    if scheme not in _EXTRAS:
        raise WarehouseUrlRefused("a warehouse's URL begins with sc://, clickhouse:// or chdb://")
    try:
        if scheme == "sc":
            from outhaul.warehouse.spark import SparkEngine

            return SparkEngine(url)
        if scheme == "chdb":
            import_module("chdb")  # the client would miss it only later
        from outhaul.warehouse.clickhouse import ClickHouseEngine

        return ClickHouseEngine(url)
    except ImportError as error:
        raise WarehouseUrlRefused(
            f"{scheme}:// needs more: pip install 'outhaul[{_EXTRAS[scheme]}]'"
        ) from error
