"""Where a phone keeps its keys: the interface that a port implements over secure hardware, and one in memory.

A port to Android or iOS implements `KeyStore` with StrongBox or the Secure Enclave: the keys are made there
and never leave, the inherence key is released by biometry alone and destroyed when biometry is enrolled anew,
and the device secret is a hardware HMAC key or is wrapped by one. The records are small JSON objects for
ordinary app storage.

What is never given to a store, so that none can leak it: the PIN, the knowledge key or its seed or
signatures, answer keys, activation codes.
"""

import copy
import hmac
import os
from collections.abc import Callable
from typing import Any, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from mobileid.protocol import wire
from mobileid.sdk.errors import BiometryRefused, NotRegistered

Jwk = dict[str, str]
_IN_USE, _BESIDE = "inherence", "inherence-beside"
Gate = Callable[[], bool]
"""Asks the owner for biometry; True when recognised."""


class KeyStore(Protocol):
    """What the SDK asks of a phone. Signatures are ECDSA P-256 with SHA-256, raw r‖s, 64 bytes."""

    def create_keys(self) -> Jwk:
        """Make a new possession key and device secret, in place of all keys; the public JWK."""

    def sign_possession(self, data: bytes) -> bytes:
        """Sign with the possession key; `NotRegistered` when there is none."""

    def hmac(self, data: bytes) -> bytes:
        """HMAC-SHA256 under the device secret; `NotRegistered` when there is none."""

    def create_inherence(self, *, beside: bool = False) -> Jwk:
        """Make a new key that only biometry releases, in place of any; its public JWK.

        `beside` leaves the one in use as it is: there are two until `settle_inherence`.
        """

    def sign_inherence(self, data: bytes, *, beside: bool = False) -> bytes:
        """Ask for biometry, then sign, by the key in use or by the one beside it.

        `BiometryRefused` when not recognised or when the key is gone.
        """

    def settle_inherence(self, *, taken: bool) -> None:
        """The key beside comes into use and the one before is forgotten, or else it is forgotten itself.

        In one step, as `write` is. Nothing when there is none beside.
        """

    def delete_inherence(self) -> None:
        """Forget the inherence key and the one beside it, if there are any."""

    def read(self, name: str) -> dict[str, Any] | None:
        """A record as last written, or None."""

    def write(self, name: str, record: dict[str, Any]) -> None:
        """Replace a record: after a crash it is wholly the old or wholly the new one."""

    def erase(self) -> None:
        """Forget all keys and records."""


class SoftwareKeys:
    """A `KeyStore`'s cryptography over private keys as numbers in `self._keys`, for stores without hardware.

    The inherence key is simulated: `gate` stands for the phone's biometry, and by default refuses.
    """

    def __init__(self, gate: Gate | None = None) -> None:
        self._gate = gate
        self._keys: dict[str, str] = {}
        self._records: dict[str, dict[str, Any]] = {}

    def _changed(self) -> None:
        """Called after each change; a store that lasts writes itself out here."""

    def create_keys(self) -> Jwk:
        """See `KeyStore`."""
        self._keys.clear()
        jwk = self._create("possession")
        self._keys["secret"] = wire.b64u(os.urandom(32))
        self._changed()
        return jwk

    def sign_possession(self, data: bytes) -> bytes:
        """See `KeyStore`."""
        return self._sign("possession", data)

    def hmac(self, data: bytes) -> bytes:
        """See `KeyStore`."""
        if "secret" not in self._keys:
            raise NotRegistered
        return hmac.digest(wire.unb64u(self._keys["secret"]), data, "sha256")

    def create_inherence(self, *, beside: bool = False) -> Jwk:
        """See `KeyStore`."""
        if not beside:
            self._keys.pop(_BESIDE, None)
        jwk = self._create(_BESIDE if beside else _IN_USE)
        self._changed()
        return jwk

    def sign_inherence(self, data: bytes, *, beside: bool = False) -> bytes:
        """See `KeyStore`."""
        name = _BESIDE if beside else _IN_USE
        if name not in self._keys or self._gate is None or not self._gate():
            raise BiometryRefused
        return self._sign(name, data)

    def settle_inherence(self, *, taken: bool) -> None:
        """See `KeyStore`."""
        beside = self._keys.pop(_BESIDE, None)
        if beside is None:
            return
        if taken:
            self._keys[_IN_USE] = beside
        self._changed()

    def delete_inherence(self) -> None:
        """See `KeyStore`."""
        found = [self._keys.pop(name, None) for name in (_IN_USE, _BESIDE)]
        if any(found):
            self._changed()

    def read(self, name: str) -> dict[str, Any] | None:
        """See `KeyStore`."""
        return copy.deepcopy(self._records.get(name))

    def write(self, name: str, record: dict[str, Any]) -> None:
        """See `KeyStore`."""
        self._records[name] = copy.deepcopy(record)
        self._changed()

    def erase(self) -> None:
        """See `KeyStore`."""
        self._keys.clear()
        self._records.clear()
        self._changed()

    def _create(self, name: str) -> Jwk:
        key = generate_private_key(SECP256R1())
        self._keys[name] = wire.b64u(key.private_numbers().private_value.to_bytes(32, "big"))
        point = key.public_key().public_numbers()
        x, y = (wire.b64u(number.to_bytes(32, "big")) for number in (point.x, point.y))
        return {"crv": "P-256", "kty": "EC", "x": x, "y": y}

    def _sign(self, name: str, data: bytes) -> bytes:
        if name not in self._keys:
            raise NotRegistered
        key = derive_private_key(int.from_bytes(wire.unb64u(self._keys[name]), "big"), SECP256R1())
        r, s = decode_dss_signature(key.sign(data, ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class MemoryStore(SoftwareKeys):
    """Gone with the process: for tests, and for services that hold a phone's part for a moment."""
