"""Signatures of callbacks per Standard Webhooks 1.0.0: `v1` is HMAC-SHA256, `v1a` is Ed25519.

Both sign ``webhook-id.webhook-timestamp.body``; the header lists them separated by spaces, so a receiver takes any that
it can verify, and two secrets overlap while one is rotated.
"""

import base64
import hmac
import os
from collections.abc import Iterable
from functools import lru_cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix, public by design
PUBLIC_PREFIX = "whpk_"


def new_secret() -> bytes:
    """32 random bytes: the `v1` key (the standard asks for 24 to 64)."""
    return os.urandom(32)


def new_signing_key() -> bytes:
    """The 32-byte seed of a new Ed25519 key: the `v1a` key."""
    return Ed25519PrivateKey.generate().private_bytes_raw()


def show_secret(secret: bytes) -> str:
    """``whsec_`` and base64, as receivers' libraries take it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def show_public_key(signing_key: bytes) -> str:
    """``whpk_`` and base64 of the raw 32-byte public half of a seed."""
    public = Ed25519PrivateKey.from_private_bytes(signing_key).public_key()
    raw = public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return PUBLIC_PREFIX + base64.b64encode(raw).decode()


@lru_cache(maxsize=1024)
def _private_key(seed):
    return Ed25519PrivateKey.from_private_bytes(seed)


def sign(
    message_id: str, timestamp: int, body: bytes, *, secrets: Iterable[bytes], signing_keys: Iterable[bytes]
) -> dict[str, str]:
    """The three headers of a callback. ``timestamp`` is in Unix seconds, of this attempt.

    Every one of ``secrets`` and ``signing_keys`` signs, in order.
    """
    signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
    signatures = [("v1", hmac.digest(secret, signed, "sha256")) for secret in secrets]
    signatures += [("v1a", _private_key(key).sign(signed)) for key in signing_keys]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"{name},{base64.b64encode(value).decode()}" for name, value in signatures),
    }
