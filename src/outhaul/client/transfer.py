"""Fetch the file of a finished export, whatever happens to the line, the link or the server."""

import json
from dataclasses import dataclass
from pathlib import Path

import httpx

from outhaul.client.calls import TRANSIENT, Session, pause_before_repeating, refusal, told
from outhaul.client.errors import ClientError, DownloadBroken, Refused, Unreachable
from outhaul.client.models import Export, Progress
from outhaul.client.operations import OnProgress, get, manifest
from outhaul.client.part import Checked, Part, check
from outhaul.client.steps import Answer, Pause, Receive, Steps, Work

_LINK_IS_OVER = frozenset({401, 403, 404, 410})
_TRIES_OF_A_BROKEN_FILE = 2


@dataclass(frozen=True, kw_only=True)
class Downloaded:
    """A file that is whole."""

    path: Path
    bytes: int
    sha256: str
    checked_against: str
    """`digest` (the server's, from header or manifest), or `zip` (only against itself)."""
    exports: tuple[Export, ...]


def download(
    session: Session,
    export: Export | str,
    path: str | Path,
    *,
    progress: OnProgress | None = None,
) -> Steps[Downloaded]:
    """Fetch the file to `path`, or into the folder `path` under the server's name for it.

    The bytes gather in `<path>.<export id>.part`; when this is called again, in this process or
    another, it goes on from there. The file gets its name only when it is whole and checked.
    Raises NotFound, Unreachable, DownloadBroken, and ClientError when the export is not finished.
    """
    known = yield from get(session, export)
    target = Path(path)
    if target.is_dir():
        target /= Path(known.file_name or f"{known.id}.zip").name

    def tell(done: int, total: int | None) -> None:
        if progress is not None:
            progress(Progress(phase="downloading", done=done, total=total, export=known))

    part = Part(target.with_name(f"{target.name}.{known.id}.part"), tell)
    try:
        checked = yield from _whole(session, known, part)
    finally:
        part.close()
    part.path.replace(target)
    return Downloaded(
        path=target,
        bytes=checked.bytes,
        sha256=checked.sha256,
        checked_against=checked.against,
        exports=(known,),
    )


def _whole(session: Session, export: Export, part: Part) -> Steps[Checked]:
    """All bytes, checked; from the beginning again when they turn out to be wrong."""
    tries = 0
    while True:
        yield from _receive(session, export, part)
        yield Work(part.keep)
        sha256 = part.sha256 or (yield from _manifest_digest(session, export))
        try:
            found = yield Work(lambda: check(part.path, total=part.total, sha256=sha256))  # noqa: B023 -- called before the next round
        except DownloadBroken:
            tries += 1
            part.restart()
            if tries >= _TRIES_OF_A_BROKEN_FILE:
                part.path.unlink()
                raise
        else:
            assert isinstance(found, Checked)
            return found


def _receive(session: Session, export: Export, part: Part) -> Steps[None]:
    failures = renewals = 0
    url = export.file_url
    while True:
        if url is None:
            raise ClientError(f"export {export.id} is {export.status} and has no file")
        before = part.size
        error: Refused | Unreachable
        try:
            answer = yield Receive(url=url, headers=_range(part), sink=part)
        except httpx.TransportError as fault:
            error = Unreachable(told(fault))
            error.__cause__ = fault
        else:
            assert isinstance(answer, Answer)
            if answer.status in {200, 206}:
                return
            if answer.status == 416:
                if answer.headers.get("content-range") == f"bytes */{before}":
                    # An earlier attempt got it all and ended before it was checked.
                    part.total = before
                    return
                part.restart()
                continue
            error = refusal(answer)
        if part.size > before:
            failures = renewals = 0
        if isinstance(error, Refused) and error.status in _LINK_IS_OVER and renewals < 2:
            renewals += 1
            url = (yield from get(session, export)).file_url
            continue
        if isinstance(error, Refused) and error.status not in TRANSIENT | {429}:
            raise error
        failures += 1
        pause = pause_before_repeating(session.retry, error, failures)
        if pause is None:
            raise error
        yield Pause(pause)


def _range(part: Part) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}
    if part.size:
        headers["Range"] = f"bytes={part.size}-"
        if part.etag:
            headers["If-Range"] = part.etag
    return headers


def _manifest_digest(session: Session, export: Export) -> Steps[str | None]:
    text = yield from manifest(session, export)
    if text is None:
        return None
    try:
        digest = json.loads(text)["archive"]["sha256"]
    except (ValueError, KeyError, TypeError):
        return None
    return digest if isinstance(digest, str) else None
