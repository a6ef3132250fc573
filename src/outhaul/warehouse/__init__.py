"""Exports out of tables that stay where the user has them, in a distributed engine.

The engine filters, joins, sorts and unloads the selection by itself, as Parquet in the folder of
the export; Outhaul renders the slices from there. `mapping` says what the tables are called,
`selection` builds the SQL, `spark` and `clickhouse` speak to an engine.
"""
