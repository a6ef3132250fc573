"""Saved reports in the catalog."""

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, delete, insert, select, update

from outhaul.catalog.database import Database
from outhaul.catalog.tables import reports
from outhaul.domain.errors import NotFound
from outhaul.domain.reports import Report

_report = TypeAdapter(Report)


class Reports:
    """The reports of accounts; every method is bound to one account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, account_id: str, report: Report) -> None:
        """Keep a new report."""
        values = {"id": report.id, "account_id": account_id, "report": _text(report)}
        with self._database.transaction() as connection:
            connection.execute(insert(reports).values(values))

    def all(self, account_id: str) -> tuple[Report, ...]:
        """Every report, by name, then id."""
        statement = select(reports.c.report).where(reports.c.account_id == account_id)
        with self._database.reading() as connection:
            texts = connection.execute(statement).scalars().all()
        found = (_report.validate_json(text) for text in texts)
        return tuple(sorted(found, key=lambda report: (report.name, report.id)))

    def get(self, account_id: str, report_id: str) -> Report:
        """Raises NotFound, also when the report is another account's."""
        with self._database.reading() as connection:
            text = connection.execute(
                select(reports.c.report).where(_is(account_id, report_id))
            ).scalar()
        if text is None:
            raise NotFound("report", report_id)
        return _report.validate_json(text)

    def replace(self, account_id: str, report: Report) -> None:
        """Let the report with this id be this one. Exports created before keep the earlier one.
        Raises NotFound."""
        with self._database.transaction() as connection:
            changed = connection.execute(
                update(reports).where(_is(account_id, report.id)).values(report=_text(report))
            )
        if changed.rowcount == 0:
            raise NotFound("report", report.id)

    def delete(self, account_id: str, report_id: str) -> None:
        """Forget the report; exports created before keep it. Raises NotFound."""
        with self._database.transaction() as connection:
            gone = connection.execute(delete(reports).where(_is(account_id, report_id)))
        if gone.rowcount == 0:
            raise NotFound("report", report_id)


def _is(account_id: str, report_id: str) -> ColumnElement[bool]:
    return (reports.c.account_id == account_id) & (reports.c.id == report_id)


def _text(report: Report) -> str:
    return _report.dump_json(report).decode()
