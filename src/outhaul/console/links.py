"""Where things are: paths of pages below whatever prefix the server is reached under."""

from urllib.parse import quote, urlencode, urlsplit

from starlette.requests import Request

HOME = "/exports"


class Links:
    """Addresses for one request."""

    def __init__(self, request: Request, public_url: str | None) -> None:
        self.server = (public_url or str(request.base_url)).rstrip("/")
        """The server's base address, as programs use it."""
        self.prefix = urlsplit(self.server).path
        """What stands before every path of the server."""
        self.is_https = urlsplit(self.server).scheme == "https"

    def to(self, path: str, **query: object) -> str:
        """The path of a page; queries that are None or empty are left out."""
        given = {name: value for name, value in query.items() if value not in {None, ""}}
        asked = f"?{urlencode(given)}" if given else ""
        return f"{self.prefix}/console{quote(path)}{asked}"

    def file(self, signed: str) -> str:
        """The path of a file below the server's base, already quoted."""
        return self.prefix + signed

    def after_sign_in(self, wanted: str) -> str:
        """`wanted` if it is a page of ours, else the first page: nobody is sent elsewhere."""
        ours = wanted.startswith(f"{self.prefix}/console/") and "\\" not in wanted
        plain = wanted.isprintable() and wanted.isascii()
        return wanted if ours and plain else self.to(HOME)
