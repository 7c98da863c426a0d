"""What a phone remembers of its registration: public names and salts, in the store's record "device"."""

from dataclasses import asdict, dataclass, field
from typing import Any

from mobileid.sdk.errors import NotRegistered, StoreError
from mobileid.sdk.keystore import KeyStore

_RECORD = "device"


@dataclass
class KnowledgeVersion:
    """One PIN's derivation: everything but the PIN and the device secret. `salt` in b64u."""

    version: int
    salt: str
    stretch: str


@dataclass
class PendingKnowledge:
    """A new PIN's derivation, sent but not acknowledged; kept until `until` (Unix seconds) or the service's word."""

    version: int
    salt: str
    stretch: str
    until: float

    def settled(self) -> KnowledgeVersion:
        """As it is once the service has taken it."""
        return KnowledgeVersion(self.version, self.salt, self.stretch)


@dataclass
class PendingInherence:
    """A new biometric key, sent but not acknowledged: its RFC 7638 thumbprint; `until` as for a PIN."""

    thumbprint: str
    until: float


@dataclass
class DeviceState:
    """The record. `registration_id` is the registration's operation id, which the PIN derivation names."""

    config: dict[str, Any]
    device_id: str
    registration_id: str
    name: str
    knowledge: KnowledgeVersion | None
    pending: PendingKnowledge | None = None
    pin: dict[str, Any] = field(default_factory=dict)
    pending_inherence: PendingInherence | None = None

    def save(self, store: KeyStore) -> None:
        """Write it, as a whole."""
        store.write(_RECORD, asdict(self))

    @classmethod
    def load(cls, store: KeyStore) -> "DeviceState":
        """The registered device's; `NotRegistered` when there is none, `StoreError` when unreadable."""
        record = store.read(_RECORD)
        if record is None:
            raise NotRegistered
        try:
            knowledge, pending = record.pop("knowledge"), record.pop("pending")
            inherence = record.pop("pending_inherence", None)
            return cls(
                knowledge=KnowledgeVersion(**knowledge) if knowledge else None,
                pending=PendingKnowledge(**pending) if pending else None,
                pending_inherence=PendingInherence(**inherence) if inherence else None,
                **record,
            )
        except (KeyError, TypeError):
            raise StoreError("The key store was written by another version.") from None

    @staticmethod
    def exists(store: KeyStore) -> bool:
        """Whether the store holds a registered device."""
        return store.read(_RECORD) is not None
