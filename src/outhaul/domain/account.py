"""Who asks: accounts, API keys and the scopes that a key may carry."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Language(StrEnum):
    """Languages of dates and of column headers (contract section 8)."""

    EN = "en"
    ES = "es"
    FR = "fr"
    IT = "it"
    NL = "nl"
    PT_BR = "pt-BR"


class Scope(StrEnum):
    """What a key may do. A write scope does not include the read scope."""

    EXPORT_READ = "export:read"
    EXPORT_WRITE = "export:write"
    CONTACT_READ = "contact:read"
    CONTACT_WRITE = "contact:write"
    FIELD_READ = "field:read"
    FIELD_WRITE = "field:write"
    IMPORT_READ = "import:read"
    IMPORT_WRITE = "import:write"
    PURCHASE_WRITE = "purchase:write"
    EVENT_WRITE = "event:write"
    ACTIVITY_WRITE = "activity:write"
    SEGMENT_READ = "segment:read"
    SEGMENT_WRITE = "segment:write"
    REPORT_READ = "report:read"
    REPORT_WRITE = "report:write"
    ADMIN = "admin"
    """Keys, in the console, and the audit log."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One customer of this server; its data, exports and keys are invisible to every other."""

    id: str
    name: str
    timezone: str
    """IANA name; judges the 31-day window and formats L, LL and LLL."""
    language: Language
    mobile_push: bool
    """Whether the mobile push channel is on; adds the columns that section 9 marks with a star."""
    blocked: bool
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class ApiKey:
    """A key as stored: its secret is known only as a hash."""

    id: str
    account_id: str
    scopes: frozenset[Scope]
    secret_hash: str = field(repr=False)
    created_at: datetime
    revoked_at: datetime | None = None
