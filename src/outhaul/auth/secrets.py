"""Key ids and secrets: 22 base62 characters each, as in the contract's examples.

A secret has 131 random bits, so one round of SHA-256 keeps it: there is nothing to guess from
a dictionary, and every request has to check one.
"""

import hashlib
import hmac
import secrets
import string

_ALPHABET = string.digits + string.ascii_letters
_LENGTH = 22


def new_token() -> str:
    """22 random base62 characters."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def hash_secret(secret: str) -> str:
    """What is stored of a secret (hex)."""
    return hashlib.sha256(secret.encode()).hexdigest()


def verify_secret(secret: str, secret_hash: str) -> bool:
    """Whether the secret fits the hash, in constant time."""
    return hmac.compare_digest(hash_secret(secret), secret_hash)


DECOY_HASH = hash_secret(new_token())
"""Compared against when a key is unknown, so that the answer takes as long."""
