"""`keyId:keySecret` as callers write it, and whether the secret is right."""

import re

from outhaul.auth.secrets import DECOY_HASH, verify_secret
from outhaul.domain.account import Account, ApiKey
from outhaul.domain.errors import Unauthenticated

_CREDENTIALS = re.compile(r"(?:apiKey +)?([!-9;-~]{1,100}):([!-~]{1,200})", re.IGNORECASE)


def read_credentials(text: str) -> tuple[str, str]:
    """Key id and secret; the word `apiKey` may stand before them. Raises Unauthenticated."""
    match = _CREDENTIALS.fullmatch(text.strip())
    if match is None:
        raise Unauthenticated
    key_id, secret = match.groups()
    return key_id, secret


def verified(secret: str, found: tuple[ApiKey, Account] | None) -> tuple[ApiKey, Account]:
    """What was found under the key id, if the secret is its own. Raises Unauthenticated. A key that
    is unknown (None) costs as much time as a wrong secret, so key ids cannot be probed."""
    right = verify_secret(secret, found[0].secret_hash if found else DECOY_HASH)
    if found is None or not right or found[0].revoked_at is not None:
        raise Unauthenticated
    return found
