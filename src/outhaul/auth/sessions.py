"""Sessions of people in a browser: a signed text in a cookie, which any node can check.

A session names the API key that opened it and holds no secret. It ends at its time, and at once
when the key is revoked, because the key is looked up at every request.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass

from outhaul.domain.errors import Unauthenticated

_FORM = re.compile(r"([0-9A-Za-z]{1,100})\.([0-9]{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})")


@dataclass(frozen=True, kw_only=True)
class Session:
    """Who is signed in, and until when (Unix seconds)."""

    key_id: str
    expires: int
    token: str
    """What forms of this session carry, so that no other site can send them."""


def sign_session(key_id: str, *, key: bytes, expires: int) -> str:
    """The text of a new session."""
    unsigned = f"{key_id}.{expires}.{secrets.token_hex(16)}"
    return f"{unsigned}.{_mac(unsigned, key, 'session')}"


def read_session(text: str, *, keys: dict[str, bytes], now: float) -> Session:
    """The session that one of the `keys` has signed. Raises Unauthenticated when there is none or
    its time is over."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise Unauthenticated
    key_id, expires, _, signature = match.groups()
    unsigned = text.rpartition(".")[0]
    for key in keys.values():
        if hmac.compare_digest(_mac(unsigned, key, "session"), signature):
            if now >= int(expires):
                break
            token = _mac(unsigned, key, "form")
            return Session(key_id=key_id, expires=int(expires), token=token)
    raise Unauthenticated


def _mac(text: str, key: bytes, purpose: str) -> str:
    # The same keys sign file links; the purpose keeps one from passing for the other.
    return hmac.new(key, f"{purpose}\n{text}".encode(), hashlib.sha256).hexdigest()
