"""The server fixtures of the acceptance tests serve here as well."""

from tests.acceptance.conftest import server, start_server

__all__ = ["server", "start_server"]
