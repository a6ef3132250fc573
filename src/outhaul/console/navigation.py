"""The pages that the navigation leads to, in groups."""

from collections.abc import Collection
from dataclasses import dataclass

from outhaul.domain.account import Scope


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One page."""

    title: str
    path: str
    scope: Scope | None = None
    """None: whoever is signed in may see it."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A group of pages."""

    title: str
    entries: tuple[Entry, ...]


_ALL = (
    Section(
        title="Exports",
        entries=(
            Entry(title="All exports", path="/exports", scope=Scope.EXPORT_READ),
            Entry(title="New export", path="/exports/new", scope=Scope.EXPORT_WRITE),
            Entry(title="Reports", path="/reports", scope=Scope.REPORT_READ),
        ),
    ),
    Section(
        title="Data",
        entries=(
            Entry(title="Contacts", path="/contacts", scope=Scope.CONTACT_READ),
            Entry(title="Activities", path="/activities", scope=Scope.CONTACT_READ),
            Entry(title="Segments", path="/segments", scope=Scope.SEGMENT_READ),
            Entry(title="Contact fields", path="/fields", scope=Scope.FIELD_READ),
            Entry(title="Imports", path="/imports", scope=Scope.IMPORT_READ),
        ),
    ),
    Section(
        title="Account",
        entries=(
            Entry(title="API keys", path="/keys", scope=Scope.ADMIN),
            Entry(title="Audit log", path="/audit", scope=Scope.ADMIN),
            Entry(title="Usage", path="/usage", scope=Scope.EXPORT_READ),
            Entry(title="System health", path="/health"),
        ),
    ),
)


def sections(scopes: Collection[Scope]) -> tuple[Section, ...]:
    """The groups that a key with these scopes may see something of."""
    open_ = (
        Section(
            title=section.title,
            entries=tuple(
                entry for entry in section.entries if entry.scope is None or entry.scope in scopes
            ),
        )
        for section in _ALL
    )
    return tuple(section for section in open_ if section.entries)
