"""A registration under way: what the store keeps of it until its answer has come, in the record "registration"."""

from dataclasses import asdict, dataclass, field
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobileid.protocol import wire
from mobileid.sdk.channel import Message
from mobileid.sdk.errors import StoreError
from mobileid.sdk.keystore import Jwk, KeyStore
from mobileid.sdk.state import KnowledgeVersion

_RECORD = "registration"


@dataclass
class RegistrationDraft:
    """The same keys, sent as often as it takes.

    `offer` is the answer of registration/start; `body` is the message's, without the PIN's key. `statements` are those
    sent: the confirmation code is that of whichever came first. Of the last three members nothing is kept: the
    knowledge key tests a PIN.
    """

    config: dict[str, Any]
    offer: dict[str, Any]
    body: dict[str, Any]
    possession: Jwk
    inherence: Jwk | None
    version: KnowledgeVersion | None
    statements: list[bytes] = field(default_factory=list)
    knowledge: Ed25519PrivateKey | None = field(default=None, repr=False)
    message: Message | None = None
    resumed: bool = False

    def sends(self, statement: bytes, store: KeyStore) -> None:
        """Keep a statement that is about to be sent."""
        self.statements.append(statement)
        store.write(
            _RECORD,
            {
                "config": self.config,
                "offer": self.offer,
                "body": self.body,
                "possession": self.possession,
                "inherence": self.inherence,
                "version": asdict(self.version) if self.version else None,
                "statements": [wire.b64u(one) for one in self.statements],
            },
        )

    @classmethod
    def load(cls, store: KeyStore) -> "RegistrationDraft | None":
        """The one that was cut short; None when there is none, `StoreError` when unreadable."""
        record = store.read(_RECORD)
        if not record:
            return None
        try:
            version = record.pop("version")
            statements = [wire.unb64u(one) for one in record.pop("statements")]
            known = KnowledgeVersion(**version) if version else None
            return cls(**record, version=known, statements=statements, resumed=True)
        except (KeyError, TypeError, ValueError):
            raise StoreError("The key store was written by another version.") from None

    @staticmethod
    def forget(store: KeyStore) -> None:
        """Its answer has come, or none can come any more."""
        if store.read(_RECORD):
            store.write(_RECORD, {})
