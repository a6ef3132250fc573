"""POST, GET and DELETE of purchases."""

from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Query
from starlette.responses import JSONResponse, Response

from outhaul.api.body import read_json
from outhaul.api.guard import guard
from outhaul.api.openapi import answers, json_body
from outhaul.api.purchase_body import PurchaseBody, PurchaseResource, read_purchase
from outhaul.api.routes import Routes
from outhaul.api.services import Services
from outhaul.domain.account import Account, Scope
from outhaul.ingest.intake import Intake

_Id = Annotated[str, Path(alias="id", min_length=1)]
_Trigger = Annotated[
    bool,
    Query(
        alias="triggerPurchaseEvent",
        description="Understood, but without effect: this server runs no workflows.",
    ),
]


def add_purchase_routes(app: FastAPI, services: Services, intake: Intake) -> None:
    """Register the calls."""
    purchases = intake.purchases
    writer = Depends(guard(services, Scope.PURCHASE_WRITE))
    routes = Routes(app, "purchases")

    def create(
        account: Annotated[Account, writer],
        body: Annotated[Any, Depends(read_json)],
        _: _Trigger = False,
    ) -> Response:
        made = purchases.create(account.id, read_purchase(body))
        return JSONResponse(made, status_code=201)

    def read(account: Annotated[Account, writer], id_: _Id) -> Response:
        return JSONResponse(purchases.get(account.id, "id", id_))

    def read_by_own_id(account: Annotated[Account, writer], id_: _Id) -> Response:
        return JSONResponse(purchases.get(account.id, "purchaseId", id_.removesuffix("/")))

    def delete(account: Annotated[Account, writer], id_: _Id) -> Response:
        purchases.delete(account.id, "id", id_)
        return Response(status_code=204)

    def delete_by_own_id(account: Annotated[Account, writer], id_: _Id) -> Response:
        purchases.delete(account.id, "purchaseId", id_.removesuffix("/"))
        return Response(status_code=204)

    routes.add(
        "POST",
        "/purchases/",
        create,
        operation_id="createPurchase",
        summary="Add a purchase of a contact (scope purchase:write)",
        status_code=201,
        response_model=PurchaseResource,
        responses=answers(400, 401, 403, 409, 413, 415, 422, 429, 500),
        openapi_extra=json_body(PurchaseBody),
    )
    for suffix, path, reading, deleting in (
        ("ByPurchaseId", "/purchases/purchase-id/{id:text}", read_by_own_id, delete_by_own_id),
        ("", "/purchases/{id}", read, delete),
    ):
        routes.add(
            "GET",
            path,
            reading,
            operation_id=f"getPurchase{suffix}",
            summary="Read a purchase (scope purchase:write)",
            response_model=PurchaseResource,
            responses=answers(401, 403, 404, 422, 429, 500),
        )
        routes.add(
            "DELETE",
            path,
            deleting,
            operation_id=f"deletePurchase{suffix}",
            summary="Take a purchase back (scope purchase:write)",
            status_code=204,
            responses={204: {"description": "Gone."}} | answers(401, 403, 404, 422, 429, 500),
        )
