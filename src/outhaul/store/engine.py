"""The one DuckDB instance of the process, with the accounts' files attached on demand.

Two hundred attached files cost 56 MB and no threads of their own; two hundred instances would
cost 857 MB and 1,810 threads. Memory limit and thread pool are therefore shared by all accounts.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from outhaul.domain.errors import StorageUnavailable
from outhaul.domain.ids import is_id
from outhaul.domain.priority import stand_back
from outhaul.store import schema
from outhaul.store.faults import is_invalidated, translated

_PATIENCE_S = 5.0
"""How long somebody waits for a spoiled file that others still use."""


@dataclass
class _Attached:
    users: int = 0
    is_spoiled: bool = False
    """A commit or a checkpoint of it failed. What the engine holds of the file in memory may be
    wrong or be refused until it is attached anew; on the disk all is well."""
    kept: duckdb.DuckDBPyConnection | None = None
    """An idle session for the next who wants one for a moment."""
    notes: object = None
    """What the last writer has left for the next."""


class Engine:
    """Opens sessions on accounts' files; the least recently used idle files are detached."""

    def __init__(
        self,
        folder: Path,
        *,
        memory_limit: str,
        threads: int,
        max_attached: int = 200,
        admit: Callable[[str], None] = lambda _account_id: None,
    ) -> None:
        """`folder` holds one `<account id>.duckdb` each; `memory_limit` as DuckDB writes it.
        `admit` raises for an account whose data is not kept here."""
        self._admit = admit
        self._folder = folder
        self._max_attached = max_attached
        self._lock = threading.Condition()
        self._attached: OrderedDict[str, _Attached] = OrderedDict()
        scratch = folder / "scratch"
        scratch.mkdir(parents=True, exist_ok=True)
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": str(scratch),
            "arrow_large_buffer_size": True,
            # Else the text of finished slices stays with the process for long.
            "allocator_background_threads": True,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        # The instance's threads inherit the priority of the thread that opens it.
        with ThreadPoolExecutor(1, initializer=stand_back) as opening:
            self._instance = opening.submit(duckdb.connect, ":memory:", config=config).result()
        self._instance.execute("SET GLOBAL TimeZone = 'UTC'")

    @contextmanager
    def session(
        self, account_id: str, *, brief: bool = False
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own whose plain table names mean this account's tables. A `brief`
        one, which leaves nothing big behind, is kept for the next who asks for one.

        Raises StorageFull, StorageUnavailable and MemoryExhausted for the engine's own errors,
        also for those that the block lets out.
        """
        if not is_id(account_id):
            raise ValueError("not an account id")
        self._admit(account_id)
        with (
            translated(f"{account_id}.duckdb"),
            self._attached_file(account_id) as attached,
            ExitStack() as closing,
        ):
            kept = self._take_kept(attached) if brief else None
            connection = kept or self._instance.cursor()
            closing.callback(connection.close)
            if kept is None:
                connection.execute(f"USE {_alias(account_id)}")
            yield connection
            if brief and self._keep(attached, connection):
                closing.pop_all()

    def take_notes(self, account_id: str) -> object:
        """Take out what the last writer of the account, of whom there is one at a time, has left
        for the next; None when nothing is there. To be called within a session."""
        attached = self._attached[account_id]
        notes, attached.notes = attached.notes, None
        return notes

    def leave_notes(self, account_id: str, notes: object) -> None:
        """Keep this for the next writer, unless the file is let go of before. To be called within
        a session."""
        self._attached[account_id].notes = notes

    def spoil(self, account_id: str) -> None:
        """Nobody is to use again what the engine has in memory of the account's file. To be called
        within a session."""
        with self._lock:
            self._attached[account_id].is_spoiled = True

    @contextmanager
    def bare(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own to no account's tables. Raises as `session` does."""
        with self._lock:
            connection = self._instance.cursor()
        with translated("scratch"):
            try:
                yield connection
            finally:
                connection.close()

    def check(self) -> None:
        """Raise when the instance does not answer."""
        with self.bare() as connection:
            connection.execute("SELECT 1").fetchall()

    def close(self) -> None:
        """Write every file's log into the file and let go of all of them."""
        with self._lock:
            for account_id in list(self._attached):
                self._detach(account_id)
            self._instance.close()

    def _take_kept(self, attached: _Attached) -> duckdb.DuckDBPyConnection | None:
        with self._lock:
            kept, attached.kept = attached.kept, None
        return kept

    def _keep(self, attached: _Attached, connection: duckdb.DuckDBPyConnection) -> bool:
        with self._lock:
            keeps = attached.kept is None
            if keeps:
                attached.kept = connection
        return keeps

    @contextmanager
    def _attached_file(self, account_id: str) -> Iterator[_Attached]:
        """The account's file stays attached for the block."""
        attached = self._attach(account_id)
        try:
            yield attached
        except Exception as error:
            if is_invalidated(error):
                self.spoil(account_id)
            raise
        finally:
            with self._lock:
                attached.users -= 1
                self._lock.notify_all()

    def _attach(self, account_id: str) -> _Attached:
        with self._lock:
            # Who uses a spoiled file ends or fails soon; then it can be attached anew.
            if not self._lock.wait_for(lambda: self._is_free(account_id), _PATIENCE_S):
                raise StorageUnavailable(f"{account_id}.duckdb")
            known = self._attached.get(account_id)
            if known is not None and known.is_spoiled:
                self._detach(account_id)
                known = None
            if known is None:
                self._make_room()
                path = self._folder / f"{account_id}.duckdb"
                if not path.exists():
                    self._make(path)
                self._instance.execute(f"ATTACH {quoted(path)} AS {_alias(account_id)}")
                known = self._attached[account_id] = _Attached()
                try:
                    self._prepare(account_id)
                except BaseException:
                    self._detach(account_id)
                    raise
            known.users += 1
            self._attached.move_to_end(account_id)
            return known

    def _is_free(self, account_id: str) -> bool:
        known = self._attached.get(account_id)
        return known is None or not known.is_spoiled or known.users == 0

    def _make(self, path: Path) -> None:
        """An empty file, under its name only when it is whole: the engine could not open what a
        full disk or a crash would leave of one."""
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        self._instance.execute(f"ATTACH {quoted(new)} AS made")
        self._instance.execute("DETACH made")
        new.replace(path)

    def _prepare(self, account_id: str) -> None:
        cursor = self._instance.cursor()
        try:
            cursor.execute(f"USE {_alias(account_id)}")
            schema.ensure(cursor)
        finally:
            cursor.close()

    def _make_room(self) -> None:
        while len(self._attached) >= self._max_attached:
            idle = next((id_ for id_, one in self._attached.items() if one.users == 0), None)
            if idle is None:
                return
            self._detach(idle)

    def _detach(self, account_id: str) -> None:
        attached = self._attached[account_id]
        if attached.kept is not None:
            attached.kept.close()
        # Memory that is not to be relied on must not be written into the file; the log beside it
        # has all commits.
        how = "DISABLED" if attached.is_spoiled else "DEFAULT"
        self._instance.execute(f"SET GLOBAL checkpoint_on_detach = '{how}'")
        self._instance.execute(f"DETACH {_alias(account_id)}")
        del self._attached[account_id]


def quoted(path: Path) -> str:
    """The path as a SQL literal."""
    text = str(path).replace("'", "''")
    return f"'{text}'"


def _alias(account_id: str) -> str:
    return f"account_{account_id}"
