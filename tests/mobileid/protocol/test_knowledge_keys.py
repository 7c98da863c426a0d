import hashlib

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from mobileid.protocol import proofs, wire

KNOWLEDGE = Ed25519PrivateKey.generate()


def points_of_small_order():
    """All eight, computed: multiples of the points whose y solves the order-8 equation, on -x²+y²=1+dx²y²."""
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p

    def root(a):
        r = pow(a, (p + 3) // 8, p)
        if r * r % p != a % p:
            r = r * pow(2, (p - 1) // 4, p) % p
        return r if r * r % p == a % p else None

    # Order 1, 2, 4: (0,1), (0,-1), (±√-1, 0). Order 8: doubling gives y=0, so y²=-x² on the curve: d·y⁴ + 2y²
    # - 1 = 0.
    ys = {1, p - 1, 0}
    for sign in (1, -1):
        square = (-1 + sign * root(1 + d)) * pow(d, -1, p) % p if root(1 + d) else None
        y = root(square) if square is not None else None
        if y is not None and y * y % p == square:
            ys |= {y, p - y}
    return ys, p


def test_every_point_of_small_order_is_refused_in_every_encoding():
    ys, p = points_of_small_order()
    assert len(ys) == 5, "eight points, five y"
    for y in ys:
        for encoded in {y, y + p} if y + p < 2**255 else {y}:
            for sign in (0, 1):
                raw = (encoded | sign << 255).to_bytes(32, "little")
                with pytest.raises(ValueError, match="Ed25519"):
                    proofs.knowledge_public_key(raw)


def test_what_a_key_of_small_order_would_have_allowed():
    """The control: the bare library accepts a signature that needed no secret."""
    identity = bytes([1]) + bytes(31)
    Ed25519PublicKey.from_public_bytes(identity).verify(identity + bytes(32), b"anything")
    with pytest.raises(InvalidSignature):
        KNOWLEDGE.public_key().verify(identity + bytes(32), b"anything")


@given(st.binary(max_size=40).filter(lambda raw: len(raw) != 32))
def test_a_knowledge_key_has_32_bytes(raw):
    with pytest.raises(ValueError, match="Ed25519"):
        proofs.knowledge_public_key(raw)


def test_an_honest_knowledge_key_is_taken():
    raw = KNOWLEDGE.public_key().public_bytes_raw()
    assert proofs.knowledge_public_key(raw).public_bytes_raw() == raw


def test_the_dummy_key_is_hashed_onto_the_curve_so_that_nobody_has_its_private_half():
    x = wire.unb64u(proofs.public_jwk(proofs.DUMMY_POSSESSION_KEY)["x"])
    assert x in {hashlib.sha256(b"mobileid/1 dummy possession key" + bytes([n])).digest() for n in range(8)}
