"""From a warehouse's URL to its engine; the client of an engine is an extra of Outhaul."""

from urllib.parse import urlsplit

from outhaul.domain.errors import OuthaulError
from outhaul.warehouse.engine import WarehouseEngine


class WarehouseUrlRefused(OuthaulError):
    """The URL cannot be one of a warehouse; the message says what would be right."""


def connect(url: str) -> WarehouseEngine:
    """The engine at `url`, which may hold secrets; it is contacted by the first call.

    Raises WarehouseUrlRefused.
    """
    scheme = urlsplit(url).scheme
    try:
        if scheme == "sc":
            from outhaul.warehouse.spark import SparkEngine

            return SparkEngine(url)
    except ImportError as error:
        raise WarehouseUrlRefused(
            f"{scheme}:// needs another package: pip install 'outhaul[spark]'"
        ) from error
    raise WarehouseUrlRefused("a warehouse's URL begins with sc://")
