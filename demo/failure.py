"""What ends the demo early."""


class DemoFailed(Exception):
    """Something the demo relies on did not happen; the message says what, for people to read."""
