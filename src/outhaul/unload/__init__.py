"""Unloads: rows of an export's snapshot as files among those of the export.

Whoever holds the rows writes an unload once: a warehouse the whole snapshot as sorted Parquet, the
home of a store single slices as Arrow batches. Then any process that reaches the files can render
slices from it, with the bytes that the store itself would give.
"""
