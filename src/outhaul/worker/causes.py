"""From whatever stopped a step to the cause that its export shows."""

from outhaul.domain.errors import (
    CatalogUnavailable,
    ExportFailed,
    FailureCause,
    FileMissing,
    MemoryExhausted,
    StorageFull,
    StorageUnavailable,
    WarehouseUnavailable,
)
from outhaul.pipeline.pipeline import LostSlice


def cause_of(error: Exception) -> FailureCause:
    """What an export ends with when its step has met this error too often."""
    match error:
        case ExportFailed():
            return error.cause
        case StorageFull():
            return FailureCause.STORAGE_FULL
        case StorageUnavailable() | CatalogUnavailable() | FileMissing() | LostSlice():
            return FailureCause.STORAGE_UNAVAILABLE
        case WarehouseUnavailable():
            return FailureCause.WAREHOUSE_UNAVAILABLE
        case MemoryExhausted():
            return FailureCause.OUT_OF_MEMORY
        case _:
            return FailureCause.INTERNAL
