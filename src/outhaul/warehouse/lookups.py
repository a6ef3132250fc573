"""What is asked of an account's store, answered for accounts whose data is in a warehouse too."""

from typing import TYPE_CHECKING

from outhaul.domain.export import CustomField
from outhaul.store.contact_fields import ContactFields
from outhaul.store.segment_reads import SegmentReads

if TYPE_CHECKING:
    from outhaul.warehouse.warehouse import Warehouse  # stands on packages of extras


class FieldsAnywhere:
    """The custom fields of accounts."""

    def __init__(self, fields: ContactFields, warehouse: "Warehouse | None") -> None:
        self._fields = fields
        self._warehouse = warehouse

    def as_of(self, account_id: str, snapshot: int) -> tuple[CustomField, ...]:
        """The custom fields of the snapshot, in creation order; a warehouse has only today's."""
        if self._warehouse is not None and self._warehouse.holds(account_id):
            return self._warehouse.custom_fields()
        return self._fields.as_of(account_id, snapshot)


class SegmentsAnywhere:
    """The segments of accounts."""

    def __init__(self, segments: SegmentReads, warehouse: "Warehouse | None") -> None:
        self._segments = segments
        self._warehouse = warehouse

    def exists(self, account_id: str, segment_id: str) -> bool:
        """Whether the account has this segment now. Raises WarehouseUnavailable."""
        if self._warehouse is not None and self._warehouse.holds(account_id):
            return self._warehouse.segment_exists(account_id, segment_id)
        return self._segments.exists(account_id, segment_id)
