"""Phones for the load generator: the real SDK, without what a phone computes at its own cost."""

import hashlib
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
    """The SDK's transport over one kept connection of each thread. Nothing is tried again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._local = threading.local()

    def send(self, method: str, target: str, body: bytes = b"", headers: str = "") -> Answer:
        """Any request, over this thread's connection."""
        if not hasattr(self._local, "connection"):
            self._local.connection = Connection(self._port)
        try:
            return self._local.connection.send(method, target, body, headers)
        except OSError as error:
            self._local.connection.close()
            raise ConnectionFailed(f"{type(error).__name__} at {target}") from error

    def get(self, target: str) -> Answer:
        """See `Transport`."""
        return self.send("GET", target)

    def post(self, path: str, body: bytes) -> Answer:
        """See `Transport`."""
        return self.send("POST", path, body, "Content-Type: application/json\r\n")
