"""Channel keys: the recipient keys of the envelope, one pair per account and day.

Raw bytes only; storing them (encrypted, and erased after 48 h) is the server's business.
"""

from typing import Any

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hpke import MLKEM768X25519PrivateKey

from mobileid.protocol.wire import SUITES, WireError


def generate(suite: int) -> tuple[bytes, bytes]:
    """A new `(private, public)` pair; suite 2's private bytes: ML-KEM seed (64) ‖ X25519 key (32)."""
    x25519 = X25519PrivateKey.generate()
    private, public = x25519.private_bytes_raw(), x25519.public_key().public_bytes_raw()
    if suite == 1:
        return private, public
    mlkem = MLKEM768PrivateKey.generate()
    return mlkem.private_bytes_raw() + private, mlkem.public_key().public_bytes_raw() + public


def load_private(suite: int, private: bytes) -> Any:
    """The key that `envelope.open_request` takes; a wrong length is a `ValueError`."""
    if len(private) != SUITES[suite].private_bytes:
        raise WireError("private key of the wrong length")
    x25519 = X25519PrivateKey.from_private_bytes(private[-32:])
    if suite == 1:
        return x25519
    return MLKEM768X25519PrivateKey(MLKEM768PrivateKey.from_seed_bytes(private[:-32]), x25519)


def load_public(suite: int, public: bytes) -> Any:
    """The key that a client seals to; wrong lengths and invalid keys are a `ValueError`."""
    return SUITES[suite].load_public(public)
