"""What the console needs from below."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outhaul.catalog.audit import Audit
from outhaul.catalog.keys import Keys
from outhaul.catalog.reports import Reports
from outhaul.domain.account import Account
from outhaul.domain.estimate import Estimate
from outhaul.domain.export import ExportRequest, ExportType, Version
from outhaul.domain.reports import Report
from outhaul.exports.browse import Browse
from outhaul.exports.descriptions import MemberDescription
from outhaul.exports.overview import Overview
from outhaul.exports.service import Exports
from outhaul.exports.usage import Usage
from outhaul.exports.volumes import Volumes
from outhaul.ingest.intake import Intake


@dataclass(frozen=True, kw_only=True)
class ConsoleServices:
    """Everything that pages call."""

    keys: Keys
    signing_keys: Callable[[], dict[str, bytes]]
    """The ring that sessions are signed with, the newest key last; shared by all nodes."""
    exports: Exports
    overview: Overview
    volumes: Volumes
    read_request: Callable[[Account, Any], ExportRequest]
    """What the account asks for in a parsed body, judged as one that a program sends. Raises
    Invalid."""
    reports: Reports
    read_report: Callable[[Any, str], Report]
    """The report in a parsed body, under this id. Raises Invalid."""
    read_report_request: Callable[[Account, Any], ExportRequest]
    """The export of a report that the account asks for in a parsed body. Raises Invalid."""
    describe: Callable[[Account, ExportType, Version], Sequence[MemberDescription]]
    """The files that an export planned now would have."""
    estimate: Callable[[Account, ExportRequest], Estimate]
    """What an export of this request would be if it was made now."""
    browse: Browse
    intake: Intake
    audit: Audit
    usage: Usage
    health: Callable[[], Mapping[str, str]]
    """By part of the server: `ok`, or a short reason that gives nothing secret away."""
    worker_alive: Callable[[], bool]
    public_url: str | None
    """Base of what is shown as the server's address; None: what the request was sent to."""
    session_minutes: float
    admit: Callable[[str], None] = lambda _account_id: None
    """Raises KeptElsewhere for an account whose data another server keeps."""
