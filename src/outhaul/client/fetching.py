"""From the wish to the file: create, wait, download, and join where one export is not enough."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp
from typing import TypeVar, Unpack

from outhaul.client.calls import Session
from outhaul.client.join import join
from outhaul.client.models import Day, Delimiter, Export, Progress, When
from outhaul.client.operations import (
    FileOptions,
    OnProgress,
    export_activities,
    export_contacts,
    export_report,
    get,
    wait,
)
from outhaul.client.part import check
from outhaul.client.steps import Steps, Work
from outhaul.client.transfer import Downloaded, download
from outhaul.client.windows import Window, split_windows

T = TypeVar("T")


def fetch_contacts(
    session: Session,
    path: str | Path,
    *,
    changed_since: int | None = None,
    progress: OnProgress | None = None,
    timeout_s: float | None = None,
    **options: Unpack[FileOptions],
) -> Steps[Downloaded]:
    """Export contacts into the file (or folder) `path`; `timeout_s` is for the wait.

    Raises what export_contacts, wait and download raise.
    """
    export = yield from export_contacts(session, changed_since=changed_since, **options)
    yield from wait(session, export, progress=progress, timeout_s=timeout_s)
    return (yield from download(session, export, path, progress=progress))


def fetch_activities(
    session: Session,
    path: str | Path,
    *,
    from_date: When,
    to_date: When,
    activity_types: Sequence[str] | None = None,
    product_columns: Sequence[str] | None = None,
    allow_long_window: bool = False,
    progress: OnProgress | None = None,
    timeout_s: float | None = None,
    **options: Unpack[FileOptions],
) -> Steps[Downloaded]:
    """Export activities of any span, both instants included, into the file (or folder) `path`.

    More than 31 days are cut into windows, exported one after another and joined into one ZIP
    that looks like that of one export. Each window is read at its own instant. `timeout_s` is for
    each wait. With `allow_long_window`, which only Outhaul knows, it is one export. Raises what
    export_activities, wait and download raise, and ValueError for windows of a format or a
    compression that cannot be joined.
    """
    windows = (
        [Window(from_date=from_date, to_date=to_date)]
        if allow_long_window
        else split_windows(from_date, to_date)
    )
    kind = (options.get("file_format", "csv"), options.get("compression", "zip"))
    if len(windows) > 1 and kind != ("csv", "zip"):
        raise ValueError(
            "more than 31 days are joined from ZIPs of CSV only; allow a long window, or leave"
            " format and compression out"
        )
    target = Path(path)
    folder = target.parent / f"{target.name}.windows" if len(windows) > 1 else None
    if folder is not None:
        folder.mkdir(exist_ok=True)
    fetched: list[Downloaded] = []
    try:
        for number, window in enumerate(windows, start=1):
            tell = _in_window(progress, number, len(windows))
            export = yield from export_activities(
                session,
                from_date=window.from_date,
                to_date=window.to_date,
                activity_types=activity_types,
                product_columns=product_columns,
                allow_long_window=allow_long_window,
                **options,
            )
            yield from wait(session, export, progress=tell, timeout_s=timeout_s)
            place = path if folder is None else folder / f"{number:04d}.zip"
            fetched.append((yield from download(session, export, place, progress=tell)))
        if folder is None:
            return fetched[0]
        return (yield from _joined(fetched, target, progress))
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def fetch_report(
    session: Session,
    path: str | Path,
    report_id: str,
    *,
    from_day: Day,
    to_day: Day,
    delimiter: Delimiter = ",",
    wait_for_slot_s: float = 0,
    progress: OnProgress | None = None,
    timeout_s: float | None = None,
) -> Steps[Downloaded]:
    """Export a report into the file (or folder) `path`; `timeout_s` is for the wait.

    Raises what export_report, wait and download raise.
    """
    export = yield from export_report(
        session,
        report_id,
        from_day=from_day,
        to_day=to_day,
        delimiter=delimiter,
        wait_for_slot_s=wait_for_slot_s,
    )
    yield from wait(session, export, progress=progress, timeout_s=timeout_s)
    return (yield from download(session, export, path, progress=progress))


def read(
    session: Session,
    export: Export | str,
    reader: Callable[..., T],
    *,
    progress: OnProgress | None = None,
    product_lines: bool = False,
    guess_types: bool = False,
) -> Steps[T]:
    """The rows of a finished export by one of this package's readers: read_arrow, read_polars or
    read_pandas. The file only lives as long as it takes. Raises what download raises."""
    known = yield from get(session, export)
    folder = Path(mkdtemp(prefix="outhaul-"))
    try:
        file = yield from download(session, known, folder / "export.zip", progress=progress)
        found: T = yield Work(
            lambda: reader(
                file.path,
                product_lines=product_lines,
                guess_types=guess_types,
                delimiter=known.delimiter or ",",
            )
        )
        return found
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _joined(
    fetched: list[Downloaded], target: Path, progress: OnProgress | None
) -> Steps[Downloaded]:
    exports: tuple[Export, ...] = tuple(one.exports[0] for one in fetched)
    if target.is_dir():
        target /= Path(exports[0].file_name or f"{exports[0].id}.zip").name
    part = target.with_name(f"{target.name}.part")

    def tell(done: int) -> None:
        if progress is not None:
            progress(
                Progress(
                    phase="joining",
                    done=done,
                    total=len(fetched),
                    export=exports[-1],
                    window=done,
                    windows=len(fetched),
                )
            )

    yield Work(lambda: join([one.path for one in fetched], part, tell))
    checked = yield Work(lambda: check(part, total=None, sha256=None))
    part.replace(target)
    return Downloaded(
        path=target,
        bytes=checked.bytes,
        sha256=checked.sha256,
        checked_against="digest" if all(_digested(one) for one in fetched) else "zip",
        exports=exports,
    )


def _digested(one: Downloaded) -> bool:
    return one.checked_against == "digest"


def _in_window(progress: OnProgress | None, number: int, count: int) -> OnProgress | None:
    if progress is None:
        return None
    return lambda told: progress(replace(told, window=number, windows=count))
