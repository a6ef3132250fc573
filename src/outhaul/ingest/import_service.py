"""Imports that come over HTTP: take the file, tell what becomes of it, cancel."""

import json
import shutil
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from urllib.parse import unquote, urlsplit

from outhaul.auth.links import check_path, sign_path
from outhaul.catalog.imports import Imports
from outhaul.catalog.keys import LinkKeys
from outhaul.domain.errors import NotFound
from outhaul.domain.ids import new_id
from outhaul.domain.imports import (
    Import,
    ImportKind,
    ImportOptions,
    ImportStatus,
    rejects_of,
)
from outhaul.files.local import sync

QUEUE_LIMIT = 10
MOST_LISTED = 100


class Uploads:
    """The use cases of uploaded imports. Methods may be called from any thread."""

    def __init__(
        self,
        imports: Imports,
        link_keys: LinkKeys,
        *,
        folder: Path,
        link_s: int,
        wake: Callable[[], None],
        admit: Callable[[str], None] = lambda _account_id: None,
    ) -> None:
        """`folder` keeps uploaded files until they are taken, and reports until the import is
        deleted. `wake` is called when there is an import to be done; `admit` raises for an account
        whose uploads are not kept here."""
        self._imports = imports
        self._link_keys = link_keys
        self._folder = folder
        self._link_s = link_s
        self._wake = wake
        self._admit = admit
        folder.mkdir(exist_ok=True)
        self._tidy()

    def new_file(self, name: str = "contacts.csv") -> Path:
        """Where to put a file that is being received; its ending tells how it is written."""
        folder = self._folder / new_id()
        folder.mkdir()
        return folder / name

    def discard(self, file: Path) -> None:
        """Remove a file that is not to be imported, and its report."""
        shutil.rmtree(file.parent, ignore_errors=True)

    def create(
        self,
        account_id: str,
        file: Path,
        options: ImportOptions,
        kind: ImportKind = ImportKind.CONTACTS,
    ) -> Import:
        """Leave the import of a received file. Durable when this returns. Raises
        ImportQueueFull."""
        for path in (file, file.parent, self._folder):
            sync(path)
        id_ = self._imports.create(
            account_id,
            kind=kind,
            path=str(file),
            options=options,
            queue_limit=QUEUE_LIMIT,
        )
        self._wake()
        return self._imports.get(id_)

    def get(self, account_id: str, import_id: str) -> Import:
        """Raises NotFound."""
        return self._imports.get(import_id, account_id=account_id)

    def newest(self, account_id: str) -> list[Import]:
        """The hundred newest, newest first."""
        return self._imports.newest(account_id, most=MOST_LISTED)

    def delete(self, account_id: str, import_id: str) -> None:
        """Forget the import with its report; stop it when it is being done. Raises NotFound."""
        removed = self._imports.remove(account_id, import_id)
        if removed.options.uploaded and removed.status is not ImportStatus.IN_PROGRESS:
            self.discard(Path(removed.path))

    def report_path(self, import_: Import) -> str | None:
        """A new signed path and query of the list of refused rows, if there is one."""
        if not import_.options.uploaded or not import_.refused:
            return None
        key_id, key = list(self._link_keys.ring().items())[-1]
        expires = int(time.time()) + self._link_s
        return sign_path(
            f"/import-reports/{import_.id}/errors.jsonl", key_id=key_id, key=key, expires=expires
        )

    def open_report(self, path_and_query: str) -> Path:
        """The file behind a signed path and query, exactly as the client sent them. Raises
        LinkRefused when altered or expired, NotFound when the file is no more."""
        check_path(path_and_query, keys=self._link_keys.ring(), now=time.time())
        import_ = self._imports.get(unquote(urlsplit(path_and_query).path).split("/")[2])
        self._admit(import_.account_id)
        report = rejects_of(import_.path)
        if not report.is_file():
            raise NotFound("report", import_.id)
        return report

    def refused_rows(self, import_: Import, *, most: int) -> list[tuple[int, str]]:
        """Line and reason of the first refused rows of an import; none once it is forgotten."""
        report = rejects_of(import_.path)
        if not import_.options.uploaded or not import_.refused or not report.is_file():
            return []
        with report.open(encoding="utf-8") as lines:
            rows = [json.loads(line) for line in islice(lines, most)]
        return [(row["line"], row["reason"]) for row in rows]

    def _tidy(self) -> None:
        """Remove what a crash has left: files without an import, and files taken already."""
        uploads = self._imports.uploads()
        by_folder = {Path(path).parent: (Path(path), open_) for path, open_ in uploads.items()}
        for folder in self._folder.iterdir():
            if folder not in by_folder:
                shutil.rmtree(folder)
                continue
            file, open_ = by_folder[folder]
            if not open_:
                file.unlink(missing_ok=True)
