"""The bytes on which phone and server must agree: encodings, hashes and the envelope's ciphers.

A leaf: the standard library and `cryptography`, nothing else. It is the one module that the SDK shares with the
server, so neither can drift from the other (docs/decisions/0004-one-wire-module.md). docs/protocol.md has the reasons.
"""

import base64
import binascii
import hashlib
import hmac
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PublicKey
from cryptography.hazmat.primitives.hpke import Suite as Hpke
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

PREFIX = "/mobileid/device/v1/"
REQUEST_LIMIT = 64 * 1024
"""Bytes of the largest request body."""
ANSWER_LIMIT = 4 * 1024 * 1024
"""Bytes of the largest answer body: 2 MiB of content, in base64 twice, and its frame."""
FRESHNESS_MS = 120_000
"""How far a phone's clock may be from the server's, in milliseconds."""
MID_BYTES, ANSWER_KEY_BYTES, ANSWER_SALT_BYTES = 16, 32, 16

_PAD = 256
_DEPTH = 16
_SAFE_INTEGER = 2**53 - 1
_B64U = re.compile(r"[A-Za-z0-9_-]*\Z")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FORGIVEN = str.maketrans("OIL", "011")
# What comes along when a code is copied: white space, dashes and minus signs, soft hyphens, zero-width and bidi marks.
_BETWEEN = re.compile(
    r"[\s\-\u00ad\u200b-\u200f\u2010-\u2015\u202a-\u202e\u2060-\u2064\u2066-\u2069\u2212\ufe58\ufe63\uff0d\ufeff]+"
)
_CODE_LENGTH = 12


class WireError(ValueError):
    """Bytes that are not what the protocol allows. The message names the rule, never the bytes."""


# --- encodings ----------------------------------------------------------------------------------------------


def b64u(data: bytes) -> str:
    """Base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def unb64u(text: str) -> bytes:
    """The only bytes that `b64u` writes as `text`; else a `WireError` (padding, stray bits)."""
    if not isinstance(text, str) or not _B64U.match(text) or len(text) % 4 == 1:
        raise WireError("not base64url without padding")
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise WireError("not base64url without padding") from None
    if b64u(data) != text:
        raise WireError("base64url with stray bits")
    return data


def lp(*items: bytes | str) -> bytes:
    """Each item's length as an unsigned 16-bit big-endian integer, then its bytes: no two lists collide."""
    out = bytearray()
    for item in items:
        data = item.encode() if isinstance(item, str) else item
        if len(data) > 0xFFFF:
            raise WireError("an item is longer than 65535 bytes")
        out += len(data).to_bytes(2, "big") + data
    return bytes(out)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise WireError("duplicate key")
    return found


def _refuse_constant(name: str) -> None:
    raise WireError(f"{name} is not JSON")


def _check(value: Any, depth: int) -> None:
    """Refuse what two JSON parsers may read differently (RFC 7493: I-JSON)."""
    if depth > _DEPTH:
        raise WireError("nested too deeply")
    if isinstance(value, str):
        if not value.isascii() and _SURROGATE.search(value):
            raise WireError("lone surrogate")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise WireError("number out of range")
    elif isinstance(value, int):
        if abs(value) > _SAFE_INTEGER:
            raise WireError("number out of range")
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth)
            _check(item, depth + 1)


def loads_strict(data: bytes, limit: int = REQUEST_LIMIT) -> Any:
    """Parse JSON of at most `limit` bytes that every parser reads alike; anything else is a `WireError`.

    Refused: duplicate keys, NaN and Infinity (also as `1e999`), integers beyond 2**53-1, lone surrogates,
    bytes that are not UTF-8, more than 16 levels of nesting.
    """
    if len(data) > limit:
        raise WireError("too long")
    try:
        value = json.loads(data.decode(), object_pairs_hook=_once, parse_constant=_refuse_constant)
    except WireError:
        raise
    except (ValueError, RecursionError):
        raise WireError("not JSON") from None
    _check(value, 0)
    return value


def dumps(value: Any) -> bytes:
    """Compact JSON in UTF-8, members in the order given; NaN and lone surrogates are a `WireError`."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except ValueError:
        raise WireError("not JSON") from None


def pad(data: bytes) -> bytes:
    """Trailing spaces up to the next multiple of 256 bytes, so that a length tells little."""
    return data + b" " * (-len(data) % _PAD)


def unpad(data: bytes) -> bytes:
    """What was padded; a length that `pad` does not make is a `WireError`."""
    if not data or len(data) % _PAD:
        raise WireError("not padded")
    return data.rstrip(b" ")


# --- suites -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Suite:
    """One way of sealing a request: HPKE base mode (RFC 9180), HKDF-SHA256 and AES-128-GCM over a KEM."""

    number: int
    enc_bytes: int
    public_bytes: int
    private_bytes: int
    hpke: Hpke = field(repr=False)

    def load_public(self, data: bytes) -> Any:
        """The channel's public key from its raw bytes; suite 2: ML-KEM-768 public key ‖ X25519 public key."""
        if len(data) != self.public_bytes:
            raise WireError("public key of the wrong length")
        x25519 = X25519PublicKey.from_public_bytes(data[-32:])
        if self.number == 1:
            return x25519
        try:
            return MLKEM768X25519PublicKey(MLKEM768PublicKey.from_public_bytes(data[:-32]), x25519)
        except ValueError:
            raise WireError("not an ML-KEM-768 public key") from None

    def seal(self, plaintext: bytes, public_key: Any, info: bytes) -> tuple[bytes, bytes]:
        """`(enc, ct)`; a public key that no honest server has (small order) is a `WireError`."""
        try:
            sealed = self.hpke.encrypt(plaintext, public_key, info)
        except ValueError:
            raise WireError("unusable public key") from None
        return sealed[: self.enc_bytes], sealed[self.enc_bytes :]


def _suite(number: int, kem: Any, public_bytes: int, private_bytes: int) -> Suite:
    hpke = Hpke(kem, KDF.HKDF_SHA256, AEAD.AES_128_GCM)
    return Suite(number, kem.enc_length(), public_bytes, private_bytes, hpke)


SUITES: dict[int, Suite] = {
    1: _suite(1, KEM.X25519, 32, 32),
    2: _suite(2, KEM.MLKEM768_X25519, 1184 + 32, 64 + 32),
}


def request_info(suite: int, kid: str, app: str, path: str) -> bytes:
    """HPKE's `info` of a request: ties it to suite, key, application and path (without query or host)."""
    return lp("mobileid/1 request", str(suite), kid, app, "POST", path)


def answer_cipher(rk: bytes, enc: bytes, n: bytes, info: bytes) -> tuple[bytes, bytes]:
    """AES-128-GCM `(key, nonce)` of one answer; `n` is fresh, so an answer sealed again has its own key."""
    prk = HKDF.extract(SHA256(), enc + n, rk)
    key = HKDFExpand(SHA256(), 16, lp("mobileid/1 response key", info)).derive(prk)
    nonce = HKDFExpand(SHA256(), 12, lp("mobileid/1 response nonce", info)).derive(prk)
    return key, nonce


def answer_aad(mid: bytes) -> bytes:
    """What ties an answer to its request."""
    return lp("mobileid/1 response", mid)


# --- hashes -------------------------------------------------------------------------------------------------


def content_hash(title: str, mime_type: str, data: bytes) -> bytes:
    """What the phone signs for what it showed; `title` is "" when there is none."""
    return hashlib.sha256(lp("mobileid/1 content", title, mime_type, hashlib.sha256(data).digest())).digest()


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """Of a P-256 public JWK: RFC 7638 with SHA-256, b64u."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    return b64u(hashlib.sha256(dumps(members)).digest())


def commitment(public_key: bytes, r: bytes) -> bytes:
    """The only form in which a knowledge key may be kept: without `r`, forgotten by both, it tests no PIN."""
    return hashlib.sha256(lp("mobileid/1 knowledge commitment", public_key, r)).digest()


def confirmation_code(statement: bytes, device_id: str) -> str:
    """Six digits that phone and integrator compare when a registration asks for confirmation."""
    digest = hashlib.sha256(lp("mobileid/1 confirmation", statement, device_id)).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 10**6:06d}"


def qr_mac(secret: bytes, claim: str, t: int) -> bytes:
    """16 bytes that make the QR frame of the second `t` (Unix time)."""
    return hmac.digest(secret, lp("mobileid/1 qr", claim, str(t)), "sha256")[:16]


# --- activation codes ---------------------------------------------------------------------------------------


def normalise_activation_code(text: str) -> str:
    """Twelve Crockford Base32 characters, however they were typed or pasted.

    Case, O I L, white space, dashes and characters that show as nothing are forgiven; anything else is a `WireError`.
    """
    code = _BETWEEN.sub("", text) if isinstance(text, str) else ""
    code = code.upper().translate(_FORGIVEN) if code.isascii() else ""
    if len(code) != _CODE_LENGTH or any(character not in _CROCKFORD for character in code):
        raise WireError("not an activation code")
    return code


def format_activation_code(code: str) -> str:
    """As people read it: `XXXX-XXXX-XXXX`."""
    code = normalise_activation_code(code)
    return "-".join(code[i : i + 4] for i in range(0, _CODE_LENGTH, 4))
