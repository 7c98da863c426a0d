"""A second, independent phone: HPKE and the envelope from RFC 9180 and the X-Wing draft, step by step.

Slow and for tests only. It seals what no honest phone would (shares of small order) and shows that both ends
speak the published schemes and not merely the same library.
"""

import hashlib
import hmac
import os

from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEM = {1: 0x0020, 2: 0x647A}
KDF, AEAD = 0x0001, 0x0001
SMALL_ORDER = bytes(32)


def _i2(number):
    return number.to_bytes(2, "big")


def _extract(salt, ikm):
    return hmac.digest(salt or bytes(32), ikm, "sha256")


def _expand(prk, info, length):
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.digest(prk, block + info + bytes([counter]), "sha256")
        out, counter = out + block, counter + 1
    return out[:length]


def _labeled_extract(suite_id, salt, label, ikm):
    return _extract(salt, b"HPKE-v1" + suite_id + label + ikm)


def _labeled_expand(suite_id, prk, label, info, length):
    return _expand(prk, _i2(length) + b"HPKE-v1" + suite_id + label + info, length)


def _dh(public, share):
    """(share's public bytes, shared secret); for `SMALL_ORDER` the secret that everyone knows: zeros."""
    if share == SMALL_ORDER:
        return SMALL_ORDER, bytes(32)
    secret = X25519PrivateKey.from_private_bytes(share)
    return secret.public_key().public_bytes_raw(), secret.exchange(X25519PublicKey.from_public_bytes(public))


def encapsulate(suite, public, share=None, point=None):
    """(enc, shared secret); `share` is X25519's ephemeral private key or `SMALL_ORDER`, `point` sent in its
    place.
    """
    x25519 = public[-32:]
    ephemeral, dh = _dh(x25519, share or os.urandom(32))
    ephemeral = point or ephemeral
    if suite == 1:
        suite_id = b"KEM" + _i2(KEM[1])
        prk = _labeled_extract(suite_id, b"", b"eae_prk", dh)
        return ephemeral, _labeled_expand(suite_id, prk, b"shared_secret", ephemeral + x25519, 32)
    secret, ct = MLKEM768PublicKey.from_public_bytes(public[:-32]).encapsulate()
    label = b"\\.//^\\"
    return ct + ephemeral, hashlib.sha3_256(secret + dh + ephemeral + x25519 + label).digest()


def seal(suite, public, info, plaintext, **options):
    """(enc, ct) in base mode, sequence number 0."""
    enc, shared = encapsulate(suite, public, **options)
    suite_id = b"HPKE" + _i2(KEM[suite]) + _i2(KDF) + _i2(AEAD)
    context = b"\0" + _labeled_extract(suite_id, b"", b"psk_id_hash", b"")
    context += _labeled_extract(suite_id, b"", b"info_hash", info)
    secret = _labeled_extract(suite_id, shared, b"secret", b"")
    key = _labeled_expand(suite_id, secret, b"key", context, 16)
    nonce = _labeled_expand(suite_id, secret, b"base_nonce", context, 12)
    return enc, AESGCM(key).encrypt(nonce, plaintext, b"")


def open_answer(answer, *, rk, enc, mid, info):
    """The padded plaintext of an answer, by section 3's formulas; `answer` has `n` and `ct` as bytes."""

    def lp(*items):
        return b"".join(_i2(len(item)) + item for item in items)

    prk = _extract(enc + answer["n"], rk)
    key = _expand(prk, lp(b"mobileid/1 response key", info), 16)
    nonce = _expand(prk, lp(b"mobileid/1 response nonce", info), 12)
    return AESGCM(key).decrypt(nonce, answer["ct"], lp(b"mobileid/1 response", mid))
