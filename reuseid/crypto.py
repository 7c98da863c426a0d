"""Encryption at rest and keyed hashes, composed from `cryptography`.

A sealed value is ``0x01 ‖ len(key id) ‖ key id ‖ 12-byte nonce ‖ AES-256-GCM``; the AAD names account, table, row and
column, so that a value moved to another place does not open.
"""

import base64
import hashlib
import hmac
import os
from functools import cache
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string


class Unreadable(Exception):
    """A sealed value does not open: moved, changed, or its key is not configured."""


class KeyProvider(Protocol):
    """Where key-encryption keys come from: the environment here, a KMS elsewhere."""

    def current(self) -> tuple[str, bytes]:
        """Id and 32 bytes of the key that encrypts."""

    def get(self, key_id: str) -> bytes:
        """The key of that id; KeyError when it is not there."""


def parse_keys(name: str, text: str) -> dict[str, bytes]:
    """``id:base64,…`` to keys by id, in order; ImproperlyConfigured names the variable, never a value."""
    keys = {}
    for number, item in enumerate(text.split(","), 1):
        key_id, _, encoded = item.strip().partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except ValueError:
            key = b""
        if not key_id or len(key_id) > 32 or not key_id.isascii() or len(key) != 32:
            raise ImproperlyConfigured(f"{name}: item {number} is not `id:base64 of 32 bytes`.")
        if key_id in keys:
            raise ImproperlyConfigured(f"{name}: the id of item {number} stands twice.")
        keys[key_id] = key
    return keys


class SettingsKeys:
    """Keys from the ENCRYPTION_KEYS setting, newest first."""

    def __init__(self) -> None:
        self._keys = parse_keys("ENCRYPTION_KEYS", settings.ENCRYPTION_KEYS)

    def current(self) -> tuple[str, bytes]:
        return next(iter(self._keys.items()))

    def get(self, key_id: str) -> bytes:
        return self._keys[key_id]


@cache
def key_provider() -> KeyProvider:
    """The configured provider (setting ``KEY_PROVIDER``, a dotted path), made once a process."""
    return import_string(getattr(settings, "KEY_PROVIDER", "reuseid.crypto.SettingsKeys"))()


@cache
def blind_index_keys() -> dict[str, bytes]:
    """Keys of the keyed hashes by id, newest first."""
    return parse_keys("BLIND_INDEX_KEYS", settings.BLIND_INDEX_KEYS)


def _aad(account: object, table: str, row: object, column: str) -> bytes:
    parts = [str(part).encode() for part in ("reuseid/1", account, table, row, column)]
    return b"".join(len(part).to_bytes(2, "big") + part for part in parts)


def sealed_header() -> bytes:
    """What begins every value that the newest key seals."""
    key_id, _ = key_provider().current()
    return bytes([1, len(key_id)]) + key_id.encode()


def seal(value: bytes, *, account: object, table: str, row: object, column: str) -> bytes:
    """Encrypt one column of one row under the newest key."""
    key_id, key = key_provider().current()
    nonce = os.urandom(12)
    header = bytes([1, len(key_id)]) + key_id.encode()
    return header + nonce + AESGCM(key).encrypt(nonce, value, _aad(account, table, row, column))


def unseal(sealed: bytes, *, account: object, table: str, row: object, column: str) -> bytes:
    """Decrypt; raises Unreadable."""
    sealed = bytes(sealed)
    try:
        if sealed[0] != 1:
            raise ValueError
        start = 2 + sealed[1]
        key = key_provider().get(sealed[2:start].decode())
        aad = _aad(account, table, row, column)
        return AESGCM(key).decrypt(sealed[start : start + 12], sealed[start + 12 :], aad)
    except (InvalidTag, KeyError, IndexError, ValueError) as error:
        raise Unreadable(f"{table}.{column} of {row} does not open.") from error


def blind_indexes(*labels: str, value: str) -> list[str]:
    """HMAC-SHA256 of a value under every blind-index key, newest first, in hex; ``labels`` part the uses."""
    parts = [part.encode() for part in (*labels, value)]
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    return [hmac.new(key, message, hashlib.sha256).hexdigest() for key in blind_index_keys().values()]


def blind_index(*labels: str, value: str) -> str:
    """The keyed hash under the newest key: what is written."""
    return blind_indexes(*labels, value=value)[0]
