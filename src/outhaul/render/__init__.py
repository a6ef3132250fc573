"""Columns of a version as SQL text: the engine itself writes the finished lines of a file."""
