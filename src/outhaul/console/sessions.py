"""Signing in and out: the cookie, and whom it stands for."""

import hmac
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from outhaul.auth.credentials import read_credentials, verified
from outhaul.auth.sessions import Session, read_session, sign_session
from outhaul.catalog.keys import Keys
from outhaul.console.links import Links
from outhaul.domain.account import Account, ApiKey
from outhaul.domain.errors import AccountBlocked, Unauthenticated

COOKIE = "outhaul_session"


class Sessions:
    """Opens, reads and ends sessions."""

    def __init__(
        self, keys: Keys, signing_keys: Callable[[], dict[str, bytes]], *, life_s: float
    ) -> None:
        self._keys = keys
        self._signing_keys = signing_keys
        self._ring = signing_keys()
        self._life_s = life_s

    def open(self, response: Response, links: Links, credentials: str) -> ApiKey:
        """Sign in with `keyId:keySecret`; returns the key. Raises Unauthenticated and
        AccountBlocked."""
        key_id, secret = read_credentials(credentials)
        api_key, account = verified(secret, self._keys.find(key_id))
        if account.blocked:
            raise AccountBlocked
        key = list(self._ring.values())[-1]
        signed = sign_session(key_id, key=key, expires=int(time.time() + self._life_s))
        response.set_cookie(
            COOKIE,
            signed,
            max_age=max(1, int(self._life_s)),
            path=links.to("/"),
            secure=links.is_https,
            httponly=True,
            samesite="lax",
        )
        return api_key

    def end(self, response: Response, links: Links) -> None:
        """Forget the session in this browser."""
        response.delete_cookie(COOKIE, path=links.to("/"))

    def of(self, request: Request) -> tuple[Session, ApiKey, Account]:
        """Who asks; the key may have been revoked since. Raises Unauthenticated."""
        signed = request.cookies.get(COOKIE, "")
        try:
            session = read_session(signed, keys=self._ring, now=time.time())
        except Unauthenticated:
            if not signed:
                raise
            # Another node may have added a key to the ring since.
            self._ring = self._signing_keys()
            session = read_session(signed, keys=self._ring, now=time.time())
        found = self._keys.find(session.key_id)
        if found is None:
            raise Unauthenticated
        return session, *found

    @staticmethod
    def is_token(session: Session, token: str) -> bool:
        """Whether forms of this session carry this token."""
        return token.isascii() and hmac.compare_digest(session.token, token)
