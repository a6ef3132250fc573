"""An account's contacts, activities and segments: one DuckDB file an account.

Every change is a numbered commit; every read is as of a commit number. Tables and their columns
are described in `schema`.
"""
