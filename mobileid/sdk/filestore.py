"""A `KeyStore` in one file, for computers that have no secure hardware to offer.

Whoever can read the file can copy the phone; a passphrase makes the file alone useless. The PIN cannot be
found from it either way.
"""

import contextlib
import fcntl
import json
import os
import tempfile
import time
import weakref
from pathlib import Path
from types import TracebackType
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mobileid.protocol import wire
from mobileid.sdk.errors import StoreBusy, StoreError
from mobileid.sdk.keystore import Gate, SoftwareKeys
from mobileid.sdk.pin import ARGON2ID, stretch

_NAME = "mobileid.json"
_AAD = b"mobileid store 1"
_LIMIT = 1024 * 1024
_POLL_SECONDS = 0.05
BUSY_SECONDS = 3.0
"""How long a store waits for another process to be done with its directory."""


class FileStore(SoftwareKeys):
    """A directory (mode 0700) with one file (mode 0600), replaced as a whole on each change.

    With `passphrase` the file is AES-256-GCM under its Argon2id stretch. A file that cannot be read, or a
    wrong passphrase, is a `StoreError`; it is never overwritten then.

    One store at a time has the directory, from opening to `close` (or the end of a `with`, or of the process,
    however it ends): what is in memory would else overwrite what another has written. A second one waits for
    `wait` seconds and is then `StoreBusy`. The lock is flock(2): it needs a POSIX system and a file system
    that has locks.
    """

    def __init__(
        self,
        path: str | Path,
        passphrase: str | None = None,
        *,
        gate: Gate | None = None,
        wait: float = BUSY_SECONDS,
    ) -> None:
        super().__init__(gate)
        self._directory = Path(path)
        self._file = self._directory / _NAME
        self._passphrase = passphrase
        self._salt = os.urandom(16)
        self._key: bytes | None = None
        self._release = weakref.finalize(self, os.close, _locked(self._directory, wait))
        try:
            self._load()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another process have the directory; from now on this store refuses to change. May be repeated."""
        self._release()

    def __enter__(self) -> "FileStore":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def erase(self) -> None:
        """See `KeyStore`; the file goes too."""
        self._refuse_when_closed()
        self._keys.clear()
        self._records.clear()
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"The key store cannot be erased: {error.strerror}.") from None

    def _load(self) -> None:
        try:
            with self._file.open("rb") as file:
                outer = wire.loads_strict(file.read(_LIMIT + 1), _LIMIT)
        except FileNotFoundError:
            return
        except (OSError, wire.WireError):
            raise StoreError("The key store cannot be read.") from None
        try:
            inner = self._decrypt(outer) if "sealed" in outer else outer
            if inner["v"] != 1:
                raise StoreError("The key store is of a later version.")
            self._keys, self._records = dict(inner["keys"]), dict(inner["records"])
        except (KeyError, TypeError, ValueError):
            raise StoreError("The key store cannot be read.") from None

    def _decrypt(self, outer: dict[str, str]) -> dict[str, Any]:
        if self._passphrase is None:
            raise StoreError("The key store needs its passphrase.")
        self._salt = wire.unb64u(outer["salt"])
        sealed = wire.unb64u(outer["sealed"])
        try:
            data = AESGCM(self._cipher_key()).decrypt(sealed[:12], sealed[12:], _AAD)
        except InvalidTag:
            raise StoreError("The passphrase is wrong, or the key store was altered.") from None
        return dict(wire.loads_strict(data, _LIMIT))

    def _cipher_key(self) -> bytes:
        if self._key is None:
            self._key = stretch(ARGON2ID, self._passphrase or "", self._salt)
        return self._key

    def _refuse_when_closed(self) -> None:
        if not self._release.alive:
            raise StoreError("The key store is closed.")

    def _changed(self) -> None:
        self._refuse_when_closed()
        record: dict[str, Any] = {"v": 1, "keys": self._keys, "records": self._records}
        if self._passphrase is not None:
            nonce = os.urandom(12)
            sealed = nonce + AESGCM(self._cipher_key()).encrypt(nonce, wire.dumps(record), _AAD)
            record = {"v": 1, "salt": wire.b64u(self._salt), "sealed": wire.b64u(sealed)}
        try:
            self._replace(json.dumps(record, indent=1).encode())
        except OSError as error:
            raise StoreError(f"The key store cannot be written: {error.strerror}.") from None

    def _replace(self, data: bytes) -> None:
        """Write beside, sync, rename, sync the directory: a crash leaves the old file or the new one."""
        handle, name = tempfile.mkstemp(dir=self._directory, prefix=".mobileid-")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(name, self._file)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _locked(directory: Path, wait: float) -> int:
    """Make the directory if need be and lock it; the descriptor that holds the lock until it is closed.

    The directory and not the file: the file is replaced on each change, and a lock would stay on the old one.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StoreError(f"The key store cannot be opened: {error.strerror}.") from None
    deadline = time.monotonic() + wait
    try:
        while not _try_lock(handle):
            if time.monotonic() >= deadline:
                raise StoreBusy
            time.sleep(_POLL_SECONDS)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StoreError(f"The key store cannot be locked: {error.strerror}.") from None
    return True
