"""Unloads: the rows of an export's snapshot as sorted Parquet files among the files of the export.

Whoever holds the rows writes an unload once; then any process that reaches the files can cut and
render slices from it, with the bytes that the store itself would give.
"""
