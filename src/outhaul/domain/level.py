"""How much a program understands of what others leave in the catalog for it to work on."""

WORK_LEVEL = 1
"""Raised by every version in which requests, plans, slices or imports come to say what an earlier
program would not understand, or would do otherwise. What was made at a higher level is left to
programs that have it, as long as nodes of both versions run (docs/decisions/0016)."""
