"""From PIN to knowledge key, and nothing else ever made from a PIN (docs/protocol.md, section 4)."""

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from mobileid.protocol import wire
from mobileid.sdk.errors import PinInvalid, StoreError

SALT_BYTES = 16
ARGON2ID = "argon2id-64m-3-1"
PBKDF2 = "pbkdf2-sha256-600000"


def _argon2id(secret: bytes, salt: bytes) -> bytes:
    """64 MiB, 3 passes, 1 lane: about 0.15 s on a laptop, 0.5 s on a phone (RFC 9106)."""
    return Argon2id(salt=salt, length=32, iterations=3, lanes=1, memory_cost=64 * 1024).derive(secret)


def _pbkdf2(secret: bytes, salt: bytes) -> bytes:
    """For browsers, which have no Argon2 of their own (RFC 8018)."""
    return PBKDF2HMAC(SHA256(), length=32, salt=salt, iterations=600_000).derive(secret)


STRETCHES: dict[str, Callable[[bytes, bytes], bytes]] = {ARGON2ID: _argon2id, PBKDF2: _pbkdf2}
"""By the name that the phone keeps beside the salt."""


def stretch(name: str, pin: str, salt: bytes) -> bytes:
    """32 bytes from the PIN in Unicode NFC; an unknown name is a `StoreError`."""
    if name not in STRETCHES:
        raise StoreError(f"The store names an unknown stretch: {name}.")
    return STRETCHES[name](unicodedata.normalize("NFC", pin).encode(), salt)


def knowledge_key(
    pin: str,
    *,
    hmac: Callable[[bytes], bytes],
    application_id: str,
    registration_id: str,
    version: int,
    salt: bytes,
    stretch_name: str = ARGON2ID,
) -> Ed25519PrivateKey:
    """The Ed25519 key of this PIN on this phone; any PIN gives one, and only the service can tell the right
    one.

    `hmac` is HMAC-SHA256 under the device secret, which need not leave the phone's hardware. Use the key and
    drop it.
    """
    stretched = stretch(stretch_name, pin, salt)
    named = wire.lp("mobileid/1 pin", application_id, registration_id, str(version), salt, stretched)
    return Ed25519PrivateKey.from_private_bytes(
        HKDFExpand(SHA256(), 32, b"mobileid/1 knowledge key").derive(hmac(named))
    )


@dataclass(frozen=True)
class PinRules:
    """What a new PIN must be, as the service asks: characters, `type` "numeric" or "alphanumeric"."""

    min_length: int
    max_length: int
    type: str

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "PinRules":
        """From `{"minLength", "maxLength", "type"}`; `ValueError`, `KeyError` or `TypeError` when it is not
        that.
        """
        low, high, kind = data["minLength"], data["maxLength"], data["type"]
        if type(low) is not int or type(high) is not int or not isinstance(kind, str) or not 1 <= low <= high:
            raise ValueError("not PIN rules")
        return cls(low, high, kind)

    def to_dict(self) -> dict[str, Any]:
        """The inverse of `from_dict`."""
        return {"minLength": self.min_length, "maxLength": self.max_length, "type": self.type}

    def check(self, pin: str) -> None:
        """Refuse (`PinInvalid`) a new PIN outside the rules. Never used on a PIN typed to approve: that is a test."""
        if not self.min_length <= len(pin) <= self.max_length:
            raise PinInvalid(f"The PIN must have {self.min_length} to {self.max_length} characters.")
        if self.type.lower() == "numeric" and not (pin.isascii() and pin.isdigit()):
            raise PinInvalid("The PIN must have digits only.")
        if not pin.isprintable():
            raise PinInvalid("The PIN must have letters, digits and signs only.")


def is_weak(pin: str) -> bool:
    """Whether a PIN is among the first that a thief tries: one character repeated, or a run such as 3456 or 9876."""
    steps = {ord(second) - ord(first) for first, second in pairwise(pin)}
    return len(steps) <= 1 and steps <= {-1, 0, 1}
