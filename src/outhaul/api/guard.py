"""Who may pass: key, rate limit, blocked account, scope, in the contract's order."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import APIKeyHeader
from starlette.concurrency import run_in_threadpool

from outhaul.api.rate_headers import remember_verdict, retry_after_seconds
from outhaul.api.services import Services
from outhaul.auth.credentials import read_credentials, verified
from outhaul.auth.secrets import verify_secret
from outhaul.domain.account import Account, ApiKey, Scope
from outhaul.domain.errors import AccountBlocked, RateLimited, ScopeMissing

AUTHORIZATION = APIKeyHeader(
    name="Authorization",
    scheme_name="apiKey",
    description="`apiKey <keyId>:<keySecret>`",
    auto_error=False,
)


def guard(
    services: Services, *scopes: Scope, anywhere: bool = False
) -> Callable[[Request, str | None], Awaitable[Account]]:
    """A dependency that lets only keys with all `scopes` pass and gives the asking account. What
    can be answered `anywhere` needs no more than the catalog and the files; all else is passed on,
    before it is counted, to the node that keeps the account's data."""

    async def authorized(
        request: Request, credentials: Annotated[str | None, Depends(AUTHORIZATION)]
    ) -> Account:
        key_id, secret = read_credentials(credentials or "")
        found = services.keys.remembered(key_id)
        # A wrong secret goes the long way, which takes as long as that of an unknown key.
        if found is not None and verify_secret(secret, found[0].secret_hash):
            return admitted(request, found)
        return await run_in_threadpool(asked, request, key_id, secret)

    def asked(request: Request, key_id: str, secret: str) -> Account:
        return admitted(request, verified(secret, services.keys.find(key_id)))

    def admitted(request: Request, found: tuple[ApiKey, Account]) -> Account:
        key, account = found
        if not anywhere:
            services.admit(account.id)
        verdict = services.rates.take(account.id)
        remember_verdict(request.scope, verdict)
        if not verdict.allowed:
            raise RateLimited(retry_after=retry_after_seconds(verdict))
        if account.blocked:
            raise AccountBlocked
        for scope in scopes:
            if scope not in key.scopes:
                raise ScopeMissing(scope.value)
        return account

    return authorized
