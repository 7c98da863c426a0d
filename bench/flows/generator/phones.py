"""Phones for the load generator: the real SDK, without what a phone computes at its own cost."""

import hashlib
import ipaddress
import threading

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from bench.flows.generator.http import Connection
from mobileid.protocol import wire
from mobileid.sdk import pin as pins
from mobileid.sdk.errors import ConnectionFailed
from mobileid.sdk.keystore import MemoryStore
from mobileid.sdk.transport import Answer

PIN = "493817"


def without_stretching() -> None:
    """SHA-256 for Argon2id in this process: the phone's seconds are none of the service's, which sees a key alone."""
    pins.STRETCHES[pins.ARGON2ID] = lambda secret, salt: hashlib.sha256(salt + secret).digest()


class Store(MemoryStore):
    """Keeps the possession key loaded, as a phone's hardware does."""

    _loaded: EllipticCurvePrivateKey | None = None

    def sign_possession(self, data: bytes) -> bytes:
        """See `KeyStore`."""
        if self._loaded is None:
            self._loaded = derive_private_key(int.from_bytes(wire.unb64u(self._keys["possession"]), "big"), SECP256R1())
        r, s = decode_dss_signature(self._loaded.sign(data, ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


class Line:
    """Requests over one kept connection of each thread. Nothing is tried again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._local = threading.local()

    def send(self, method: str, target: str, body: bytes = b"", headers: str = "") -> Answer:
        """Over this thread's connection; `ConnectionFailed`."""
        if not hasattr(self._local, "connection"):
            self._local.connection = Connection(self._port)
        try:
            return self._local.connection.send(method, target, body, headers)
        except OSError as error:
            self._local.connection.close()
            raise ConnectionFailed(f"{type(error).__name__} at {target}") from error


class PhoneLine:
    """The SDK's transport of one phone, which has an address of its own as the proxy in front would tell it."""

    def __init__(self, line: Line, number: int) -> None:
        self._line = line
        self._from = f"X-Forwarded-For: {ipaddress.IPv4Address('10.0.0.0') + number}\r\n"

    def get(self, target: str) -> Answer:
        """See `Transport`."""
        return self._line.send("GET", target, headers=self._from)

    def post(self, path: str, body: bytes) -> Answer:
        """See `Transport`."""
        return self._line.send("POST", path, body, f"{self._from}Content-Type: application/json\r\n")
