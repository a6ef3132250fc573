"""Which columns a file of an account would have, told without making one."""

from dataclasses import dataclass

from outhaul.domain.account import Account
from outhaul.domain.columns import Column
from outhaul.domain.export import ExportType, Frozen, MemberKind, Version
from outhaul.domain.versions import columns
from outhaul.pipeline.pipeline import FieldsAsOf
from outhaul.store.commits import Commits


@dataclass(frozen=True, kw_only=True)
class MemberDescription:
    """One file of the archive and its columns, in order."""

    kind: MemberKind
    columns: tuple[Column, ...]


class Descriptions:
    """Describes files as an export planned now would write them."""

    def __init__(self, commits: Commits, fields: FieldsAsOf) -> None:
        self._commits = commits
        self._fields = fields

    def describe(
        self, account: Account, export_type: ExportType, version: Version
    ) -> tuple[MemberDescription, ...]:
        """The files of an export of all activity types, in their order in the archive."""
        newest = self._commits.snapshot(account.id).number
        frozen = Frozen.of(account, self._fields.as_of(account.id, newest))
        return tuple(
            MemberDescription(kind=kind, columns=columns(kind, version, frozen, None))
            for kind in export_type.members
        )
