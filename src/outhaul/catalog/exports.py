"""Exports as callers see them: create, look up, list, delete."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from outhaul.catalog.database import Database, hold, now_ms
from outhaul.catalog.tables import accounts, exports, manifests
from outhaul.domain.errors import (
    FailureCause,
    IdempotencyKeyReused,
    MadeByNewer,
    NotFound,
    QueueFull,
)
from outhaul.domain.export import (
    ArchiveFacts,
    Export,
    ExportRequest,
    ExportStatus,
    ExportType,
    Origin,
)
from outhaul.domain.ids import new_id
from outhaul.domain.instants import from_epoch_ms
from outhaul.domain.level import WORK_LEVEL
from outhaul.domain.members import file_extension

_request = TypeAdapter(ExportRequest)
_UNFINISHED = (ExportStatus.QUEUED.value, ExportStatus.IN_PROGRESS.value)
_KEY_LIFE_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, kw_only=True)
class ExportPage:
    """Part of a list, newest first."""

    results: tuple[Export, ...]
    has_next: bool


class Exports:
    """The exports table from the caller's side; every method is bound to one account, and raises
    MadeByNewer where it meets an export that this program does not understand."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self,
        account_id: str,
        request: ExportRequest,
        *,
        origin: Origin,
        queue_limit: int,
        idempotency_key: str | None = None,
    ) -> Export:
        """Store a queued export; or give the one that the account created in the last 24 hours
        under the same `idempotency_key`, as it is now.

        Raises QueueFull when `queue_limit` are unfinished already, and IdempotencyKeyReused when
        the key stands for another request.
        """
        now = now_ms()
        with self._database.transaction() as connection:
            # One create of an account at a time, or two could take the last place.
            hold(connection, accounts, accounts.c.id == account_id)
            first = _created_as(connection, account_id, idempotency_key, now)
            if first is not None:
                if first.request != request:
                    raise IdempotencyKeyReused
                return first
            unfinished = connection.execute(
                select(func.count()).where(
                    exports.c.account_id == account_id, exports.c.status.in_(_UNFINISHED)
                )
            ).scalar_one()
            if unfinished >= queue_limit:
                raise QueueFull(queue_limit)
            id_ = new_id()
            connection.execute(
                insert(exports).values(
                    id=id_,
                    account_id=account_id,
                    request=_request.dump_json(request).decode(),
                    origin=origin.value,
                    status=ExportStatus.QUEUED.value,
                    progress=0,
                    total=0,
                    created_ms=now,
                    uuid=str(uuid.uuid4()),
                    step="plan",
                    work_level=WORK_LEVEL,
                    idempotency_key=idempotency_key,
                )
            )
            row = connection.execute(select(exports).where(exports.c.id == id_)).one()
        return export_of(row)

    def get(self, account_id: str, export_id: str) -> Export:
        """Raises NotFound, also when the export is another account's."""
        with self._database.reading() as connection:
            row = connection.execute(select(exports).where(_is(account_id, export_id))).first()
        if row is None:
            raise NotFound("export", export_id)
        return export_of(row)

    def manifest(self, account_id: str, export_id: str) -> str | None:
        """The text of a finished export's manifest. Raises NotFound, as `get` does."""
        statement = (
            select(manifests.c.text)
            .select_from(exports)
            .outerjoin(manifests, manifests.c.export_id == exports.c.id)
            .where(_is(account_id, export_id))
        )
        with self._database.reading() as connection:
            row = connection.execute(statement).first()
        if row is None:
            raise NotFound("export", export_id)
        text: str | None = row[0]
        return text

    def find(self, export_id: str) -> Export:
        """The export of whichever account, for links that carry their own permission.

        Raises NotFound, also when the account is blocked.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                select(exports)
                .join(accounts, accounts.c.id == exports.c.account_id)
                .where(exports.c.id == export_id, accounts.c.blocked.is_(False))
            ).first()
        if row is None:
            raise NotFound("export", export_id)
        return export_of(row)

    def page(
        self,
        account_id: str,
        *,
        page: int,
        page_size: int,
        statuses: Collection[ExportStatus] = (),
        export_type: ExportType | None = None,
    ) -> ExportPage:
        """Page number `page`, counted from 1, of all exports or of those with one of the
        `statuses` and of this type."""
        wanted = exports.c.account_id == account_id
        if statuses:
            wanted &= exports.c.status.in_([status.value for status in statuses])
        if export_type is not None:
            # Quotes within a JSON text are escaped, so this is a property and no part of a value.
            property_ = f'"export_type":"{export_type.value}"'
            wanted &= exports.c.request.contains(property_, autoescape=True)
        statement = (
            select(exports)
            .where(wanted)
            .order_by(exports.c.created_ms.desc(), exports.c.id.desc())
            .offset((page - 1) * page_size)
            .limit(page_size + 1)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return ExportPage(
            results=tuple(export_of(row) for row in rows[:page_size]),
            has_next=len(rows) > page_size,
        )

    def counts(self, account_id: str) -> Mapping[ExportStatus, int]:
        """How many exports of the account have each status; none: left out."""
        statement = (
            select(exports.c.status, func.count())
            .where(exports.c.account_id == account_id)
            .group_by(exports.c.status)
        )
        with self._database.reading() as connection:
            return {ExportStatus(status): count for status, count in connection.execute(statement)}

    def archive_names(self) -> dict[str, str]:
        """The name of each finished file by its key, of all accounts."""
        statement = select(exports).where(exports.c.archive_key.is_not(None))
        with self._database.reading() as connection:
            found = map(export_of, connection.execute(statement))
            return {one.archive.key: one.file_name for one in found if one.archive}

    def ended_before(self, age: timedelta, *, most: int) -> tuple[tuple[str, str], ...]:
        """Account and id of exports that ended longer than `age` ago, the oldest first."""
        statement = (
            select(exports.c.account_id, exports.c.id)
            .where(exports.c.finished_ms < now_ms() - age // timedelta(milliseconds=1))
            .order_by(exports.c.finished_ms)
            .limit(most)
        )
        with self._database.reading() as connection:
            return tuple((row.account_id, row.id) for row in connection.execute(statement))

    def newest_archive(self) -> str | None:
        """The key of the file that was finished last, of all accounts."""
        statement = (
            select(exports.c.archive_key)
            .where(exports.c.archive_key.is_not(None))
            .order_by(exports.c.finished_ms.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            key: str | None = connection.execute(statement).scalar()
        return key

    def delete(self, account_id: str, export_id: str) -> None:
        """Forget the export and its slices; work on it loses its lease. Raises NotFound."""
        with self._database.transaction() as connection:
            gone = connection.execute(delete(exports).where(_is(account_id, export_id)))
        if gone.rowcount == 0:
            raise NotFound("export", export_id)

    def ids(self) -> set[str]:
        """Every export's id, of all accounts."""
        with self._database.reading() as connection:
            return set(connection.execute(select(exports.c.id)).scalars())


def _is(account_id: str, export_id: str):  # type: ignore[no-untyped-def]  # SQLAlchemy's own type
    return (exports.c.account_id == account_id) & (exports.c.id == export_id)


def _created_as(
    connection: Connection, account_id: str, idempotency_key: str | None, now: ColumnElement[int]
) -> Export | None:
    """What the account created under this key; its keys that have expired are forgotten first."""
    if idempotency_key is None:
        return None
    keyed = (exports.c.account_id == account_id) & exports.c.idempotency_key.is_not(None)
    connection.execute(
        update(exports)
        .where(keyed, exports.c.created_ms <= now - _KEY_LIFE_MS)
        .values(idempotency_key=None)
    )
    row = connection.execute(
        select(exports).where(keyed, exports.c.idempotency_key == idempotency_key)
    ).first()
    return None if row is None else export_of(row)


def export_of(row: "Row[tuple[object, ...]]") -> Export:
    """An export from a row that has the columns of `exports`. Raises MadeByNewer."""
    values = row._mapping  # noqa: SLF001 -- SQLAlchemy's public accessor, despite its name
    if values["work_level"] > WORK_LEVEL:
        raise MadeByNewer
    request = _request.validate_json(values["request"])
    file_name = f"{request.file_stem}-{values['uuid']}.{file_extension(request)}"
    archive = None
    if values["archive_key"] is not None:
        archive = ArchiveFacts(
            key=values["archive_key"],
            bytes=values["archive_bytes"],
            sha256=values["archive_sha256"],
        )
    finished_ms, failure = values["finished_ms"], values["failure"]
    return Export(
        id=values["id"],
        account_id=values["account_id"],
        request=request,
        origin=Origin(values["origin"]),
        status=ExportStatus(values["status"]),
        progress=values["progress"],
        total=values["total"],
        created_at=from_epoch_ms(values["created_ms"]),
        finished_at=None if finished_ms is None else from_epoch_ms(finished_ms),
        replans=values["replans"],
        failure=None if failure is None else FailureCause(failure),
        file_name=file_name,
        archive=archive,
    )
