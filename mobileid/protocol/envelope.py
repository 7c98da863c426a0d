"""The sealed envelope (docs/protocol.md, section 3), the server's half.

Every reason for which an envelope does not open is one `EnvelopeInvalid`: an answer that told them apart
would help only an attacker.
"""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mobileid.protocol import wire

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_KID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_OUTER = {"v", "app", "kid", "enc", "ct"}
_INNER = {"mid", "iat", "rk", "body"}
_TAG_BYTES = 16


class EnvelopeInvalid(ValueError):
    """The one answer to an envelope that does not open."""

    def __init__(self) -> None:
        super().__init__("the envelope does not open")


@dataclass(frozen=True)
class Sealed:
    """An envelope as it came: well formed, not yet opened."""

    app: str
    kid: str
    enc: bytes
    ct: bytes


@dataclass(frozen=True)
class Request:
    """What an envelope held. `iat` is the phone's clock in Unix milliseconds; `proof` is not yet verified."""

    application_id: str
    kid: str
    suite: int
    path: str
    mid: bytes
    iat: int
    body: dict[str, Any] = field(repr=False)
    proof: dict[str, Any] | None = field(repr=False)
    plaintext_digest: bytes = field(repr=False)
    """SHA-256 of the padded plaintext: tells a message sent again from another under its `mid`."""
    enc: bytes = field(repr=False)
    info: bytes = field(repr=False)
    rk: bytes = field(repr=False)
    """The answer key, chosen by the phone: lives as long as this request, never logged or stored."""


def _refuse() -> NoReturn:
    raise EnvelopeInvalid from None


def parse(raw: bytes) -> Sealed:
    """Read the outer JSON of at most 64 KiB; nothing is decrypted yet."""
    try:
        outer = wire.loads_strict(raw)
        if not isinstance(outer, dict) or outer.keys() != _OUTER:
            _refuse()
        if type(outer["v"]) is not int or outer["v"] != 1:
            _refuse()
        app, kid = outer["app"], outer["kid"]
        if not isinstance(app, str) or not _UUID.match(app) or not isinstance(kid, str) or not _KID.match(kid):
            _refuse()
        return Sealed(app, kid, wire.unb64u(outer["enc"]), wire.unb64u(outer["ct"]))
    except wire.WireError:
        _refuse()


def open_request(sealed: Sealed, private_key: Any, suite: int, path: str) -> Request:
    """Decrypt with the key named by `sealed.kid`; `path` is the one requested, without query or host."""
    scheme = wire.SUITES[suite]
    info = wire.request_info(suite, sealed.kid, sealed.app, path)
    if len(sealed.enc) != scheme.enc_bytes or len(sealed.ct) < _TAG_BYTES or not any(sealed.enc[-32:]):
        _refuse()
    try:
        padded = scheme.hpke.decrypt(sealed.enc + sealed.ct, private_key, info)
        inner = wire.loads_strict(wire.unpad(padded))
        mid, rk = _checked(inner)
    except (InvalidTag, ValueError):
        _refuse()
    return Request(
        application_id=sealed.app,
        kid=sealed.kid,
        suite=suite,
        path=path,
        mid=mid,
        iat=inner["iat"],
        body=inner["body"],
        proof=inner.get("proof"),
        plaintext_digest=hashlib.sha256(padded).digest(),
        enc=sealed.enc,
        info=info,
        rk=rk,
    )


def _checked(inner: Any) -> tuple[bytes, bytes]:
    """`(mid, rk)` of a plaintext with exactly the members that it must have, of the right types."""
    if not isinstance(inner, dict) or inner.keys() - {"proof"} != _INNER:
        _refuse()
    mid, rk = wire.unb64u(inner["mid"]), wire.unb64u(inner["rk"])
    if len(mid) != wire.MID_BYTES or len(rk) != wire.ANSWER_KEY_BYTES:
        _refuse()
    if type(inner["iat"]) is not int or inner["iat"] < 0 or not isinstance(inner["body"], dict):
        _refuse()
    if not isinstance(inner.get("proof", {}), dict):
        _refuse()
    return mid, rk


def seal_answer(request: Request, inner: Mapping[str, Any] | bytes) -> dict[str, Any]:
    """Seal `{"status", "body"}` or `{"status", "problem"}` (or its stored bytes) for the phone that asked.

    Each call draws a fresh `n`, so the same answer may be sealed again for the same message.
    """
    plaintext = inner if isinstance(inner, bytes) else wire.dumps(inner)
    n = os.urandom(wire.ANSWER_SALT_BYTES)
    key, nonce = wire.answer_cipher(request.rk, request.enc, n, request.info)
    ct = AESGCM(key).encrypt(nonce, wire.pad(plaintext), wire.answer_aad(request.mid))
    return {"v": 1, "n": wire.b64u(n), "ct": wire.b64u(ct)}
