"""Exports as somebody sees them who watches: by status, with the state of every slice."""

from collections.abc import Collection, Mapping

from outhaul.catalog import exports as catalog
from outhaul.catalog.exports import ExportPage
from outhaul.catalog.slices import Slices, SliceState
from outhaul.domain.export import ExportStatus, ExportType


class Overview:
    """Questions about an account's exports. Methods may be called from any thread."""

    def __init__(self, exports: catalog.Exports, slices: Slices) -> None:
        self._exports = exports
        self._slices = slices

    def page(
        self,
        account_id: str,
        *,
        page: int,
        page_size: int,
        statuses: Collection[ExportStatus] = (),
        export_type: ExportType | None = None,
    ) -> ExportPage:
        """Page number `page` (from 1), newest first; without statuses and type: of all exports."""
        return self._exports.page(
            account_id,
            page=page,
            page_size=page_size,
            statuses=statuses,
            export_type=export_type,
        )

    def counts(self, account_id: str) -> Mapping[ExportStatus, int]:
        """How many exports have each status; statuses without any are left out."""
        return self._exports.counts(account_id)

    def slices(self, account_id: str, export_id: str) -> tuple[SliceState, ...]:
        """The slices of an export in the order of the file; none before it is planned. Raises
        NotFound."""
        self._exports.get(account_id, export_id)
        return self._slices.states(export_id)
