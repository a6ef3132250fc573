"""GET /audit/: who did what. An extension."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Request
from pydantic import Field
from starlette.responses import JSONResponse, Response

from outhaul.api.examples import AUDIT_PAGE
from outhaul.api.guard import guard
from outhaul.api.openapi import answers, example
from outhaul.api.paging import PageNumber, PageSize, links
from outhaul.api.resource import base_url
from outhaul.api.routes import Routes
from outhaul.api.services import AuditLog, Services
from outhaul.api.wire import Links, Wire, WrittenInstant
from outhaul.domain.account import Account, Scope
from outhaul.domain.audit import Action, AuditEntry
from outhaul.domain.instants import to_text


class AuditResource(Wire):
    """One thing that somebody did in the console or with keys on the command line."""

    at: WrittenInstant
    action: Action
    subject: str = Field(description="Id of what it was done to.")
    key_id: str | None = Field(
        default=None,
        description="The key it was done with; left out: on the server's command line.",
    )


class AuditList(Wire):
    """A page of entries, newest first; the last page has no `links.next`."""

    links: Links
    results: list[AuditResource]


def add_audit_route(app: FastAPI, services: Services, audit: AuditLog) -> None:
    """Register the call."""
    reader = Depends(guard(services, Scope.ADMIN, anywhere=True))

    def read_list(
        request: Request,
        account: Annotated[Account, reader],
        page: PageNumber = 1,
        page_size: PageSize = 50,
    ) -> Response:
        entries, has_next = audit.page(account.id, page=page, page_size=page_size)
        address = f"{base_url(services, request)}/audit/"
        return JSONResponse(
            {
                "links": links(address, page=page, page_size=page_size, has_next=has_next),
                "results": [_resource(entry) for entry in entries],
            }
        )

    Routes(app, "audit").add(
        "GET",
        "/audit/",
        read_list,
        operation_id="listAudit",
        summary="List who did what, newest first (scope admin)",
        response_model=AuditList,
        responses=example(200, "One page.", AUDIT_PAGE) | answers(401, 403, 422, 429, 500),
    )


def _resource(entry: AuditEntry) -> dict[str, Any]:
    resource = {
        "at": to_text(entry.at),
        "action": entry.action.value,
        "subject": entry.subject,
    }
    if entry.key_id is not None:
        resource["keyId"] = entry.key_id
    return resource
