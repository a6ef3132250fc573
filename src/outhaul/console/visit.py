"""One request of somebody who is signed in, and the checks that come before its page."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from outhaul.auth.sessions import Session
from outhaul.catalog.audit import Audit
from outhaul.console.links import Links
from outhaul.console.navigation import Section, sections
from outhaul.console.sessions import Sessions
from outhaul.console.templating import render
from outhaul.domain.account import Account, ApiKey, Scope
from outhaul.domain.audit import Action
from outhaul.domain.errors import AccountBlocked, NotFound, ScopeMissing
from outhaul.domain.ids import is_id

_MOST_FORM_BYTES = 1_000_000
_MOST_FORM_FIELDS = 2000


@dataclass(frozen=True, kw_only=True)
class Visit:
    """Who asks for what. Handlers turn it into an answer, in a thread of their own."""

    request: Request
    links: Links
    session: Session
    key: ApiKey
    account: Account
    form: "Form"
    audit: Audit = field(repr=False)

    def may(self, *scopes: Scope | str) -> bool:
        """Whether the key has all of these scopes."""
        return self.key.scopes.issuperset(Scope(scope) for scope in scopes)

    @property
    def is_partial(self) -> bool:
        """Whether a part of a page is asked for, by a page that is open already."""
        return self.request.headers.get("hx-request") == "true"

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The navigation, without what the key may not see."""
        return sections(self.key.scopes)

    def record(self, action: Action, subject: str) -> None:
        """Note in the audit log what was done, once it is done."""
        self.audit.record(self.account.id, self.key.id, action, subject)

    def page(self, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """A page, or a part of one."""
        return render(template, status=status, visit=self, links=self.links, **values)

    def asked_id(self, what: str) -> str:
        """The id in the page's path, of a `what`. Raises NotFound for what is no id."""
        asked: str = self.request.path_params["id"]
        if not is_id(asked):
            raise NotFound(what, asked)
        return asked

    def go(self, path: str, **query: object) -> Response:
        """Send the browser to another page, after something was done."""
        return RedirectResponse(self.links.to(path, **query), HTTPStatus.SEE_OTHER)


class Form:
    """The fields of a form in the order sent; a field may stand more than once."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self._fields = fields

    def get(self, name: str, default: str = "") -> str:
        """The field's first value, without white space around it."""
        return next((value.strip() for known, value in self._fields if known == name), default)

    def all(self, name: str) -> list[str]:
        """All values of the field."""
        return [value for known, value in self._fields if known == name]


Handler = Callable[[Visit], Response]
Endpoint = Callable[[Request], Any]


class Door:
    """Lets requests of signed-in people through to handlers."""

    def __init__(
        self,
        sessions: Sessions,
        audit: Audit,
        public_url: str | None,
        admit: Callable[[str], None] = lambda _account_id: None,
    ) -> None:
        """`admit` raises for an account whose data another server keeps."""
        self._sessions = sessions
        self._audit = audit
        self._public_url = public_url
        self._admit = admit

    def page(self, handler: Handler, *scopes: Scope) -> Endpoint:
        """An endpoint that shows `handler` to keys with all of the `scopes`. What changes
        something is a POST, and needs the session's token."""

        async def endpoint(request: Request) -> Response:
            form = await read_form(request) if request.method == "POST" else Form([])
            return await run_in_threadpool(answer, request, form)

        def answer(request: Request, form: Form) -> Response:
            visit = self.visit(request, form, *scopes)
            if request.method == "POST":
                self.check_token(visit, form.get("token"))
            return handler(visit)

        return endpoint

    def visit(self, request: Request, form: Form, *scopes: Scope) -> Visit:
        """Who asks. Raises Unauthenticated, KeptElsewhere, AccountBlocked and ScopeMissing."""
        session, key, account = self._sessions.of(request)
        self._admit(account.id)
        if account.blocked:
            raise AccountBlocked
        for scope in scopes:
            if scope not in key.scopes:
                raise ScopeMissing(scope.value)
        links = Links(request, self._public_url)
        return Visit(
            request=request,
            links=links,
            session=session,
            key=key,
            account=account,
            form=form,
            audit=self._audit,
        )

    def check_token(self, visit: Visit, token: str) -> None:
        """Refuse what another site may have made the browser send."""
        check_origin(visit.request)
        if not self._sessions.is_token(visit.session, token):
            raise HTTPException(HTTPStatus.FORBIDDEN, "This form is not of your session.")


def check_origin(request: Request) -> None:
    """Refuse what a browser says comes from a page of another site. Raises HTTPException."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site is not None:
        foreign = site not in {"same-origin", "none"}
    else:
        foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host")
    if foreign:
        raise HTTPException(HTTPStatus.FORBIDDEN, "This request comes from another site.")


async def read_form(request: Request) -> Form:
    """The fields of the body. Raises HTTPException."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise HTTPException(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send a form.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_FORM_BYTES:
            raise HTTPException(413, "The form is too long.")
    # Another server may have to answer, and gets what was sent.
    request.state.body = bytes(body)
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FORM_FIELDS)
    except ValueError:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "The form cannot be read.") from None
    return Form(fields)
