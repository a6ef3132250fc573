"""A report: a saved definition of what a data-explorer export adds up."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

LONGEST_REPORT_NAME = 250
MOST_DIMENSIONS = 10
MOST_METRICS = 30

_LONGEST_NAME_OF_FILE = 150
"""With dates, uuid and ending it has to fit into the 255 bytes that file systems give a name."""
_NOT_IN_FILE_NAMES = re.compile(r'[^ -~]|[/\\:*?"<>|]')


@dataclass(frozen=True, kw_only=True)
class Report:
    """A report as it is now. Its dimensions and metrics stand in `report_parts`."""

    id: str
    name: str
    dimensions: tuple[str, ...]
    """Activities with the same values share a row; without any there is one row of totals."""
    metrics: tuple[str, ...]
    activity_types: tuple[str, ...] | None = None
    """Narrows it down to these, as the caller spelt them; see `activity_types.canonical`."""


def file_stem(name: str, first: date, last: date) -> str:
    """What the names of a report's files begin with: its name, where accented letters and what
    file systems do not take are one `_` each, and the days that it covers."""
    plain = _NOT_IN_FILE_NAMES.sub("_", unicodedata.normalize("NFC", name))
    return f"{plain[:_LONGEST_NAME_OF_FILE]}-{first:%Y%m%d}-{last:%Y%m%d}"
