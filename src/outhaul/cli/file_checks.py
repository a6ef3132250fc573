"""What `outhaul doctor` finds among the files."""

from collections.abc import Callable, Sequence
from typing import Any

from outhaul.domain.errors import StorageUnavailable, UnsafeSettings
from outhaul.domain.finding import Finding
from outhaul.files.object_store import Files
from outhaul.settings import Settings
from outhaul.wiring import files_of

Ask = Callable[[str], Sequence[tuple[Any, ...]]]
"""The catalog's answer to a question in SQL, as it is when it is asked."""


def archives(ask: Ask, settings: Settings) -> Finding:
    """Every archive is there in its full length, and nothing that no export needs. Asked anew for
    each that seems amiss, because exports end and are deleted while we look."""
    listed = "SELECT id, archive_key, archive_bytes FROM exports WHERE archive_key IS NOT NULL"
    found = ask(listed)
    # Looking must not make the directory.
    there = settings.files is not None or (settings.data / "files").is_dir()
    try:
        files = files_of(settings) if found or there else None
        amiss = {row for row in found if files and not files.holds(row[1], row[2])}
        left = _left(ask, files) if files else set()
        if left and files:
            left &= _left(ask, files)
    except (UnsafeSettings, StorageUnavailable) as error:
        return Finding(
            part="files", state="wrong",
            text=f"they cannot be looked at ({type(error).__name__} {error})",
            advice="are OUTHAUL_FILES and the object store's own variables those of the server?",
        )  # fmt: skip
    if amiss:
        amiss &= set(ask(listed))
    if amiss:
        some = ", ".join(sorted(row[0] for row in amiss)[:3])
        return Finding(
            part="files",
            state="wrong",
            text=f"{len(amiss):,} of {len(found):,} archives are missing or cut: {some}",
            advice="delete these exports and ask for them again; then check the disk",
        )
    text = f"{len(found):,} archives, all in full length"
    if left:
        return Finding(
            part="files", state="note", text=f"{text}; {len(left):,} files that no export needs",
            advice="the next start of a server or worker removes them, or its look once an hour",
        )  # fmt: skip
    return Finding(part="files", state="ok", text=text)


def _left(ask: Ask, files: Files) -> set[str]:
    """The files of exports that have ended or are gone and are none of their archives. Listed
    before the catalog is asked: an export is known before its first file is."""
    listed = list(files.keys("exports"))
    running = {row[0] for row in ask("SELECT id FROM exports WHERE step IS NOT NULL")}
    kept = {row[0] for row in ask("SELECT archive_key FROM exports WHERE archive_key IS NOT NULL")}
    return {key for key in listed if key not in kept and key.split("/")[1] not in running}
