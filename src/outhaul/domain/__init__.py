"""Plain Python: what an export, a field, an activity type, a version and an error are.

Nothing here imports a framework, a driver or the file system.
"""
