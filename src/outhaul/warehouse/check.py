"""Does the mapping fit the tables, and can the engine do its part?"""

from collections.abc import Iterator

from sqlglot import exp

from outhaul.domain.cancellation import Cancellation
from outhaul.domain.errors import StorageError, WarehouseUnavailable
from outhaul.domain.export import FieldType
from outhaul.domain.finding import Finding
from outhaul.domain.ids import new_id
from outhaul.files.object_store import Files
from outhaul.warehouse.engine import EngineColumn, WarehouseEngine
from outhaul.warehouse.mapping import (
    COLUMNS,
    REQUIRED,
    ContactMapping,
    TableMapping,
    WarehouseMapping,
)

_NEEDS = {
    FieldType.INTEGER: "a whole number",
    FieldType.DECIMAL: "a number",
    FieldType.MONEY: "a number",
    FieldType.BOOLEAN: "a boolean",
    FieldType.DATE: "a date",
    FieldType.INSTANT: "a timestamp",
}


def check(engine: WarehouseEngine, mapping: WarehouseMapping, files: Files) -> Iterator[Finding]:
    """All findings: the engine, every table with every column that is named, and the folder."""
    try:
        yield Finding(part="engine", state="ok", text=engine.describe())
    except WarehouseUnavailable as error:
        yield Finding(
            part="engine",
            state="wrong",
            text=f"does not answer ({error})",
            advice="is the URL right, and the engine running?",
        )
        return
    for role, table in mapping.tables:
        yield from _table(engine, role, table)
    for role, what in (("products", "lines of purchases"), ("members", "segments")):
        if role not in dict(mapping.tables):
            yield Finding(part=role, state="note", text=f"not mapped: there are no {what}")
    yield _folder(engine, mapping, files)


def _table(engine: WarehouseEngine, role: str, table: TableMapping) -> Iterator[Finding]:
    columns = engine.columns(table)
    if columns is None:
        yield Finding(
            part=role,
            state="wrong",
            text=f"the engine has no {table.shown_name}",
            advice="name it as the engine does, with catalog and schema; or give its path",
        )
        return
    held = {column.name: column for column in columns}
    wrong = list(_misfits(role, table, held))
    yield from wrong
    if not wrong:
        version = engine.version(table)
        pinned = f"read as of a version, now {version}" if version else "no versions: read as found"
        shown = f"{len(table.columns)} of {len(COLUMNS[role])} fields"
        if isinstance(table, ContactMapping) and table.custom:
            shown += f" and {len(table.custom)} of your own"
        yield Finding(part=role, state="ok", text=f"{table.shown_name}, {shown}; {pinned}")
    yield from _rows(engine, role, table) if not wrong else ()


def _misfits(role: str, table: TableMapping, held: dict[str, EngineColumn]) -> Iterator[Finding]:
    wanted = [(f"columns.{id_}", name, COLUMNS[role][id_]) for id_, name in table.columns.items()]
    if table.account_column is not None:
        wanted.append(("account_column", table.account_column, FieldType.TEXT))
    if isinstance(table, ContactMapping):
        wanted += [(f"custom {one.id}", one.column, FieldType(one.type)) for one in table.custom]
        if table.deleted_column is not None:
            wanted.append(("deleted_column", table.deleted_column, FieldType.BOOLEAN))
        if table.commit_column is not None and table.commit_column not in held:
            yield _missing(f"{role}.commit_column", table, table.commit_column)
    for place, name, type_ in wanted:
        column = held.get(name)
        if column is None:
            yield _missing(f"{role}.{place}", table, name)
        elif type_ not in column.fits and not (type_.is_text and column.fits):
            yield Finding(
                part=f"{role}.{place}",
                state="wrong",
                text=f"{name} is {column.type}",
                advice=f"{_NEEDS.get(type_, 'text')} is needed; a view can cast it",
            )


def _missing(part: str, table: TableMapping, name: str) -> Finding:
    return Finding(
        part=part,
        state="wrong",
        text=f"{table.shown_name} has no column {name}",
        advice="name one that it has, or leave the line out",
    )


def _rows(engine: WarehouseEngine, role: str, table: TableMapping) -> Iterator[Finding]:
    """Rows that miss what every row needs."""
    source = engine.dialect.table(table, None)
    for id_ in REQUIRED[role]:
        column = exp.column(table.columns[id_], quoted=True)
        query = exp.select(exp.Count(this=exp.Star())).from_(source.copy())
        [(count,)] = engine.rows(query.where(exp.Is(this=column, expression=exp.null())))
        if count:
            yield Finding(
                part=f"{role}.columns.{id_}",
                state="wrong",
                text=f"{count} rows of {table.shown_name} have none",
                advice="every row needs one; a view can leave them out",
            )


def _folder(engine: WarehouseEngine, mapping: WarehouseMapping, files: Files) -> Finding:
    """The engine writes a row there, and Outhaul has to find it among its files."""
    key = f".check/{new_id()}"
    one = exp.select(exp.Literal.number(1).as_("one")).order_by("one")
    try:
        engine.unload(
            one,
            url=f"{mapping.folder.rstrip('/')}/{key}",
            partition_by=None,
            cancellation=Cancellation(),
            progress=lambda *_: None,
        )
        found = any(name.endswith(".parquet") for name in files.keys(key))
        files.delete_prefix(key)
    except (StorageError, WarehouseUnavailable) as error:
        return Finding(
            part="folder",
            state="wrong",
            text=f"{mapping.folder}: {type(error).__name__} ({error})",
            advice="the engine has to be allowed to write there, and Outhaul to read and delete",
        )
    if found:
        return Finding(
            part="folder", state="ok", text=f"{mapping.folder}: what the engine writes is here"
        )
    return Finding(
        part="folder",
        state="wrong",
        text=f"{mapping.folder}: what the engine wrote is not among Outhaul's files",
        advice="give the place of Outhaul's files (OUTHAUL_FILES, else DATA/files) as the engine"
        " reaches it",
    )
