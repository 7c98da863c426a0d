"""The signed document that names the channel keys (docs/protocol.md, section 2)."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from mobileid.protocol import wire
from mobileid.protocol.jwk import sign_es256

MEDIA_TYPE = "application/jwt"
MAX_LIFE = timedelta(hours=24)
_TYP = "mobileid-keys+jwt"
_KID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")


def sign(
    private_key: EllipticCurvePrivateKey | str | bytes,
    *,
    issuer: str,
    application_id: str,
    issued_at: datetime | int,
    expires_at: datetime | int,
    min_suite: int,
    keys: Sequence[Mapping[str, Any]],
    pin: Mapping[str, Any],
    auth_methods: Sequence[str],
    next_trust_anchor: Mapping[str, Any] | None = None,
) -> str:
    """The compact JWS, signed by the trust anchor (a P-256 key or its unencrypted PEM).

    Times are aware datetimes or Unix seconds. `keys` holds `{"kid", "suite", "pub", "nbf", "exp"}`, `pub` as
    bytes or b64u. `pin` is `{"minLength", "maxLength", "type"}`. A document that no client would accept (no
    usable key, a life over 24 h, a key of the wrong length) is a `ValueError`: it must not leave the server.
    """
    issued, expires = _seconds(issued_at), _seconds(expires_at)
    if not issued < expires <= issued + MAX_LIFE.total_seconds():
        raise ValueError("a key document lives for at most 24 hours")
    listed = [_key(key) for key in keys]
    if not any(key["suite"] >= min_suite for key in listed):
        raise ValueError("no key of the minimum suite")
    document = {
        "iss": issuer,
        "aud": application_id,
        "iat": issued,
        "exp": expires,
        "minSuite": min_suite,
        "keys": listed,
        "pin": dict(pin),
        "authMethods": list(auth_methods),
        "nextTrustAnchor": dict(next_trust_anchor) if next_trust_anchor else None,
    }
    return sign_es256(private_key, document, {"typ": _TYP})


def _seconds(moment: datetime | int) -> int:
    if isinstance(moment, int):
        return moment
    if moment.tzinfo is None:
        raise ValueError("a naive datetime has no Unix time")
    return int(moment.timestamp())


def _key(key: Mapping[str, Any]) -> dict[str, Any]:
    kid, suite, pub = key["kid"], key["suite"], key["pub"]
    if not _KID.match(kid):
        raise ValueError("a kid is 1 to 64 of A-Z a-z 0-9 . _ -")
    raw = pub if isinstance(pub, bytes) else wire.unb64u(pub)
    wire.SUITES[suite].load_public(raw)
    return {
        "kid": kid,
        "suite": suite,
        "pub": wire.b64u(raw),
        "nbf": _seconds(key["nbf"]),
        "exp": _seconds(key["exp"]),
    }
