"""Signed file links: whoever holds one may fetch the file, until it expires.

The signature covers the whole path and query before it and comes last, so nothing can be added,
dropped or reordered. A nonce makes every link different, also within one second.
"""

import hashlib
import hmac
import secrets
from urllib.parse import parse_qs, quote, urlsplit

from outhaul.domain.errors import LinkRefused

_MARK = "&signature="


def sign_path(path: str, *, key_id: str, key: bytes, expires: int) -> str:
    """`path` (unquoted) with expiry (Unix seconds), nonce, key id and signature."""
    unsigned = f"{quote(path)}?expires={expires}&nonce={secrets.token_hex(8)}&key={key_id}"
    return f"{unsigned}{_MARK}{_signature(unsigned, key)}"


def check_path(signed: str, *, keys: dict[str, bytes], now: float) -> None:
    """Raises LinkRefused unless `signed` (path and query as received) is ours and still good."""
    unsigned, mark, signature = signed.rpartition(_MARK)
    if not mark:
        raise LinkRefused
    values = parse_qs(urlsplit(unsigned).query)
    key = keys.get(values.get("key", [""])[0])
    if key is None or not signature.isascii():
        raise LinkRefused
    if not hmac.compare_digest(_signature(unsigned, key), signature):
        raise LinkRefused
    if now >= int(values["expires"][0]):
        raise LinkRefused


def _signature(unsigned: str, key: bytes) -> str:
    return hmac.new(key, unsigned.encode(), hashlib.sha256).hexdigest()
