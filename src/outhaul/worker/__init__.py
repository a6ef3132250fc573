"""Threads that do the durable work that the catalog holds."""
