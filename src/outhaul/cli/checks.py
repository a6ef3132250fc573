"""What `outhaul doctor` looks at. Catalog, store and files are only read."""

import os
import shutil
import sqlite3
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import requires, version
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import duckdb
import httpx
from sqlalchemy.exc import SQLAlchemyError

from outhaul import __version__
from outhaul.catalog.database import Database
from outhaul.catalog.layout import layout_with
from outhaul.cli.file_checks import Ask, archives
from outhaul.domain.errors import OuthaulError
from outhaul.domain.finding import Finding
from outhaul.settings import Settings
from outhaul.worker.ownership import Ownership

_LOW_BYTES = 1_000_000_000
_CLOCK_SLACK_MS = 5_000
_TIMEOUT_S = 5


def examine(settings: Settings, url: str | None) -> Iterator[Finding]:
    """All findings, in the order in which to mend what is wrong."""
    yield from _versions()
    yield from _settings(settings)
    data = settings.data.resolve()
    if not data.is_dir():
        yield Finding(
            part="data",
            state="wrong",
            text=f"{data} is no directory",
            advice="give the right one with --data or OUTHAUL_DATA, or make one:"
            " outhaul accounts create NAME",
        )
        return
    found = _data(data)
    yield found
    if found.state == "wrong":
        return
    yield _disk(data)
    yield from _catalog(data, settings)
    yield from _server(data, settings, url)


def _versions() -> Iterator[Finding]:
    told = (
        f"outhaul {__version__}, Python {sys.version.split()[0]}, SQLite {sqlite3.sqlite_version}"
    )
    pinned = next(
        (one.split("==")[1] for one in requires("outhaul") or [] if one.startswith("duckdb==")),
        None,
    )
    found = version("duckdb")
    if pinned is not None and found != pinned:
        yield Finding(
            part="versions",
            state="wrong",
            text=f"{told}, DuckDB {found}; the store's files belong to DuckDB {pinned}",
            advice=f"pip install duckdb=={pinned}",
        )
    else:
        yield Finding(part="versions", state="ok", text=f"{told}, DuckDB {found}")


def _settings(settings: Settings) -> Iterator[Finding]:
    cores = os.cpu_count() or 1
    text = f"{settings.workers} workers on {cores} cores, {settings.memory_limit} for the engine"
    if settings.workers > cores:
        yield Finding(
            part="settings",
            state="note",
            text=text,
            advice="more workers than cores only need more memory; lower OUTHAUL_WORKERS",
        )
    else:
        yield Finding(part="settings", state="ok", text=text)
    if settings.public_url is None and settings.host not in {"127.0.0.1", "localhost", "::1"}:
        yield Finding(
            part="settings",
            state="note",
            text="OUTHAUL_PUBLIC_URL is not set: file links lead to the host of each request",
            advice="behind a proxy, set it to the address that clients use",
        )


def _data(data: Path) -> Finding:
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return Finding(
            part="data",
            state="wrong",
            text=f"{data} cannot be read and written by this user",
            advice=f"run as its owner, or: chown -R USER {data}",
        )
    if data.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return Finding(
            part="data",
            state="note",
            text=f"other users may enter {data}, which holds personal data",
            advice=f"chmod 700 {data}",
        )
    return Finding(part="data", state="ok", text=f"{data}, for its owner only")


def _disk(data: Path) -> Finding:
    free = shutil.disk_usage(data).free
    text = f"{free / 1e9:,.1f} GB free"
    if free < _LOW_BYTES:
        advice = "make room: delete old exports (DELETE /exports/{id}) or enlarge the disk"
        return Finding(part="disk", state="wrong", text=text, advice=advice)
    return Finding(part="disk", state="ok", text=text)


def _catalog(data: Path, settings: Settings) -> Iterator[Finding]:
    if settings.catalog is not None:
        yield from _shared_catalog(settings.catalog, settings)
        return
    path = data / "catalog.db"
    restore = "stop the server and restore the data directory from a backup"
    if not path.is_file():
        yield Finding(
            part="catalog", state="wrong", text=f"there is no {path.name}",
            advice=f"is --data right? If it was lost, {restore}",
        )  # fmt: skip
        return
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as catalog:
            damage = catalog.execute("PRAGMA quick_check(1)").fetchone()[0]
            if damage != "ok":
                yield Finding(part="catalog", state="wrong", text=damage, advice=restore)
                return
            yield from _contents(lambda sql: catalog.execute(sql).fetchall(), settings)
    except sqlite3.Error as error:
        yield Finding(
            part="catalog", state="wrong", text=f"it cannot be read: {error}",
            advice=f"start this version once with outhaul serve, or {restore}",
        )  # fmt: skip


def _shared_catalog(url: str, settings: Settings) -> Iterator[Finding]:
    try:
        with closing(Database(url)) as catalog:

            def ask(sql: str) -> Sequence[tuple[Any, ...]]:
                # Each in a view of its own: the next question may be about what has come since.
                with catalog.reading() as connection:
                    return connection.exec_driver_sql(sql).tuples().all()

            yield from _contents(ask, settings)
    except (OuthaulError, SQLAlchemyError) as error:
        yield Finding(
            part="catalog", state="wrong",
            text=f"it cannot be read ({type(error.__cause__ or error).__name__})",
            advice="is OUTHAUL_CATALOG right, does the database run and let this user in? Where it"
            " is new, start outhaul serve once",
        )  # fmt: skip


def _contents(ask: Ask, settings: Settings) -> Iterator[Finding]:
    layout = _layout(ask)
    yield layout
    if layout.state == "wrong":
        return
    [(accounts, waiting)] = ask(
        "SELECT (SELECT count(*) FROM accounts),"
        " (SELECT count(*) FROM exports WHERE step IS NOT NULL)"
    )
    text = f"whole; {accounts:,} accounts, {waiting:,} exports under way"
    yield Finding(part="catalog", state="ok", text=text)
    yield _clock(ask)
    yield _zones(ask)
    yield archives(ask, settings)


def _layout(ask: Ask) -> Finding:
    found = [row[0] for row in ask("SELECT version_num FROM alembic_version")]
    layout = layout_with(found[0] if found else None)
    if layout.is_newer:
        breaking = (row[0] for row in ask("SELECT revision FROM breaking_revisions"))
        layout = replace(layout, breaking=frozenset(breaking))
    if layout.revision is None or layout.is_too_new:
        return Finding(
            part="catalog",
            state="wrong",
            text="its layout is not known to this version",
            advice="a newer Outhaul has changed it: install that one again",
        )
    if layout.is_newer:
        return Finding(
            part="catalog",
            state="note",
            text="its layout is that of a newer version, beside which this one can work",
            advice="bring the upgrade to its end: install the newer Outhaul here as well",
        )
    if layout.revision != layout.newest:
        return Finding(
            part="catalog",
            state="note",
            text="its layout is that of an older version",
            advice="the next start of outhaul serve brings it up to date",
        )
    return Finding(part="catalog", state="ok", text="its layout is this version's")


def _clock(ask: Ask) -> Finding:
    [(newest,)] = ask(
        "SELECT max(at) FROM (SELECT max(created_ms) AS at FROM exports"
        " UNION ALL SELECT max(finished_ms) FROM exports"
        " UNION ALL SELECT max(created_ms) FROM accounts) AS known"
    )
    now = datetime.now(UTC)
    ahead = (newest or 0) - now.timestamp() * 1000
    text = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if ahead > _CLOCK_SLACK_MS:
        return Finding(
            part="clock",
            state="wrong",
            text=f"{text}, but the catalog knows something {ahead / 1000:,.0f} s later",
            advice="set the clock (timedatectl set-ntp true); leases and file links depend on it",
        )
    return Finding(part="clock", state="ok", text=text)


def _zones(ask: Ask) -> Finding:
    used = {row[0] for row in ask("SELECT DISTINCT timezone FROM accounts")}
    missing = sorted(used - available_timezones())
    if missing:
        return Finding(
            part="time zones",
            state="wrong",
            text=f"unknown here: {', '.join(missing)}",
            advice="pip install --upgrade tzdata",
        )
    return Finding(part="time zones", state="ok", text="those of all accounts are known")


def _server(data: Path, settings: Settings, url: str | None) -> Iterator[Finding]:
    ownership = Ownership(data)
    # A server that starts while we hold the lock waits, as it does for an import.
    if not (data / "owner.lock").exists() or ownership.take("doctor"):
        try:
            yield from _store(data)
        finally:
            ownership.give_up()
        yield Finding(
            part="server", state="note", text="none runs on this directory",
            advice="outhaul serve",
        )  # fmt: skip
        return
    if ownership.holder() != "serve":
        yield Finding(part="server", state="note", text="an import runs, and no server")
        return
    yield _health(url or f"http://{_reachable(settings.host)}:{settings.port}")


def _store(data: Path) -> Iterator[Finding]:
    """Opens each account's file; only possible while no server has them open."""
    paths = sorted((data / "store").glob("*.duckdb"))
    for path in paths:
        try:
            duckdb.connect(str(path), read_only=True).close()
        except duckdb.Error as error:
            yield Finding(
                part="store",
                state="wrong",
                text=f"{path.name} cannot be opened: {str(error).splitlines()[0]}",
                advice="restore it from a backup, or remove it and import the account's data again",
            )
            return
    yield Finding(part="store", state="ok", text=f"{len(paths):,} files, all can be opened")


def _health(url: str) -> Finding:
    try:
        answer = httpx.get(f"{url.rstrip('/')}/health", timeout=_TIMEOUT_S)
        parts = dict(answer.json())
        _ = parts["worker"]  # Another program may answer here.
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, KeyError):
        return Finding(
            part="server",
            state="wrong",
            text=f"it runs, but does not answer at {url}/health",
            advice="is it at another address? Say so with --url. Else look at its log and start it"
            " again",
        )
    told = ", ".join(f"{name} {state}" for name, state in parts.items())
    if answer.status_code != 200:
        return Finding(
            part="server", state="wrong", text=f"{url}: {told}",
            advice="look at its log for the part that is not ok, then start it again",
        )  # fmt: skip
    return Finding(part="server", state="ok", text=f"{url}: {told}")


def _reachable(host: str) -> str:
    """A host to call for an address to listen on."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 -- compared with, not listened on
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
