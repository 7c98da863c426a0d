"""Keyed hashes under which activation codes and claims are found: neither is kept itself."""

from mobileid.protocol import wire
from reuseid import crypto


def activation_indexes(code: str) -> list[str]:
    """Of an activation code however it was typed, newest key first; wire.WireError when it is none."""
    return crypto.blind_indexes("mobileid", "activation", value=wire.normalise_activation_code(code))


def claim_indexes(claim: str) -> list[str]:
    """Of the claim in a QR frame or app link, newest key first."""
    return crypto.blind_indexes("mobileid", "claim", value=claim)
