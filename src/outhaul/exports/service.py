"""Create, look up, list and delete exports, and open their files by signed links."""

import builtins
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import unquote, urlsplit

from outhaul.auth.links import check_path, sign_path
from outhaul.catalog import exports as catalog
from outhaul.catalog.exports import ExportPage
from outhaul.catalog.keys import LinkKeys
from outhaul.domain.account import Account
from outhaul.domain.errors import (
    Conflict,
    FileMissing,
    LinkRefused,
    NotFinished,
    NotFound,
    StorageError,
)
from outhaul.domain.export import Export, ExportRequest, Origin
from outhaul.files.object_store import Files

_log = logging.getLogger(__name__)
_LINK_LIFE = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A finished archive, open for reading."""

    file_name: str
    bytes: int
    sha256: str
    finished_at: datetime
    key: str = field(repr=False)
    files: Files = field(repr=False)
    redirect: bool
    """Whether whoever asks is sent to the object store."""

    def read(self, start: int = 0, end: int | None = None) -> Iterator[builtins.bytes]:
        """The bytes from `start` up to `end` (excluded)."""
        return self.files.read(self.key, start, end)

    def link(self) -> str | None:
        """A newly signed URL of the object store, where callers are to fetch the file; None: here.

        It is good for minutes only: long enough to be followed at once, and too short to outlive
        the link by which the caller came, an erasure or the account's block by much.
        """
        return self.files.link(self.key, _LINK_LIFE) if self.redirect else None


class KnownSegments(Protocol):
    """Tells whether an account has a segment now."""

    def exists(self, account_id: str, segment_id: str) -> bool: ...


class Exports:
    """The use cases of exports. Methods may be called from any thread."""

    def __init__(
        self,
        exports: catalog.Exports,
        link_keys: LinkKeys,
        segments: KnownSegments,
        files: Files,
        *,
        queue_limit: int,
        link_s: int,
        redirect: bool,
        wake: Callable[[], None],
        elsewhere: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """`queue_limit` unfinished exports an account; a link lives `link_s` seconds, and leads to
        the object store itself with `redirect`; `wake` is called when there is new work, or work
        to stop. Accounts whose data lies `elsewhere` have no reports. Raises UnsafeSettings where
        the object store has no links."""
        self._exports = exports
        self._link_keys = link_keys
        self._segments = segments
        self._files = files
        self._queue_limit = queue_limit
        self._link_s = link_s
        self._redirect = redirect
        self._wake = wake
        self._elsewhere = elsewhere
        if redirect:
            files.link("exports/probe", _LINK_LIFE)
        self._ring = link_keys.ring()

    def segment_known(self, account_id: str, segment_id: str) -> bool:
        """Whether the account has this segment."""
        return self._segments.exists(account_id, segment_id)

    def create(
        self,
        account: Account,
        request: ExportRequest,
        *,
        idempotency_key: str | None = None,
        origin: Origin = Origin.API,
    ) -> Export:
        """A queued export; when this returns, it will be done whatever happens to the process.
        With the `idempotency_key` of an export of the last 24 hours: that export, as it is now.

        Raises QueueFull and IdempotencyKeyReused, and Conflict for a report on data that lies in a
        warehouse.
        """
        if request.report is not None and self._elsewhere(account.id):
            raise Conflict("The data of this account is in a warehouse, which makes no reports.")
        export = self._exports.create(
            account.id,
            request,
            origin=origin,
            queue_limit=self._queue_limit,
            idempotency_key=idempotency_key,
        )
        self._wake()
        return export

    def get(self, account_id: str, export_id: str) -> Export:
        """Raises NotFound."""
        return self._exports.get(account_id, export_id)

    def page(self, account_id: str, *, page: int, page_size: int) -> ExportPage:
        """Page number `page` (from 1) of the account's exports, newest first."""
        return self._exports.page(account_id, page=page, page_size=page_size)

    def manifest(self, account_id: str, export_id: str) -> str:
        """The manifest's text, canonical JSON. Raises NotFound and NotFinished."""
        text = self._exports.manifest(account_id, export_id)
        if text is None:
            raise NotFinished("A manifest comes with the file; this export is not finished.")
        return text

    def delete(self, account_id: str, export_id: str) -> None:
        """Forget the export and its file; stops the work on it. Raises NotFound.

        What a worker is just writing is removed by that worker. Whatever cannot be removed now is
        at the next start; nobody can fetch it meanwhile.
        """
        self._exports.delete(account_id, export_id)
        self._wake()
        try:
            self._files.delete_prefix(f"exports/{export_id}")
        except StorageError as error:
            _log.error("files left", extra={"export": export_id, "error": type(error).__name__})

    def file_path(self, export: Export) -> str:
        """A new signed path and query under which a finished export's file can be fetched."""
        key_id, key = list(self._ring.items())[-1]
        expires = int(time.time()) + self._link_s
        return sign_path(
            f"/files/{export.id}/{export.file_name}", key_id=key_id, key=key, expires=expires
        )

    def open_file(self, path_and_query: str) -> StoredFile:
        """The file behind a signed path and query, exactly as the client sent them.

        Raises LinkRefused when altered or expired, NotFound when the file is no more.
        """
        try:
            check_path(path_and_query, keys=self._ring, now=time.time())
        except LinkRefused:
            # Another node may have added a key to the ring since.
            self._ring = self._link_keys.ring()
            check_path(path_and_query, keys=self._ring, now=time.time())
        export_id = unquote(urlsplit(path_and_query).path).split("/")[2]
        export = self._exports.find(export_id)
        if export.archive is None or export.finished_at is None:
            raise NotFound("file", export_id)
        try:
            self._files.size(export.archive.key)
        except FileMissing as error:
            raise NotFound("file", export_id) from error
        return StoredFile(
            file_name=export.file_name,
            bytes=export.archive.bytes,
            sha256=export.archive.sha256,
            finished_at=export.finished_at,
            key=export.archive.key,
            files=self._files,
            redirect=self._redirect,
        )
