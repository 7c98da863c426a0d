"""Registering a phone: code in, PIN chosen, keys made, device out (docs/protocol.md, section 6)."""

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobileid.sdk import proof, wire
from mobileid.sdk.channel import Channel, Message
from mobileid.sdk.errors import AnswerInvalid, ClockSkew, InputInvalid, PinInvalid, ServiceError
from mobileid.sdk.keystore import Jwk, KeyStore
from mobileid.sdk.pin import ARGON2ID, SALT_BYTES, PinRules, knowledge_key
from mobileid.sdk.state import DeviceState, KnowledgeVersion

if TYPE_CHECKING:
    from mobileid.sdk.device import Device

SDK_VERSION = "0.1.0"


NAME_LIMIT = 64


def check_name(name: str) -> None:
    """Refuse (`InputInvalid`) a device name that is empty or over 64 characters."""
    if not name.strip() or len(name) > NAME_LIMIT:
        raise InputInvalid(f"The device needs a name of 1 to {NAME_LIMIT} characters.")


@dataclass(frozen=True)
class Registered:
    """A registration's end. `state` is PENDING until the integrator confirms with the code that the phone shows."""

    device: "Device"
    state: str
    confirmation_code: str
    post_operation_context: Any


@dataclass(frozen=True)
class Phone:
    """What a device says of itself; shown to support staff, trusted by nobody.

    At most 32 characters each, the model 64.
    """

    platform: str
    os_version: str
    model: str
    app_version: str

    @classmethod
    def here(cls) -> "Phone":
        """This computer."""
        system, release = platform.system() or "unknown", platform.release()
        return cls(system[:32], release[:32], platform.machine()[:64], SDK_VERSION)


class RegistrationOffer:
    """What the service offers for a code: show it, ask for a PIN within `pin_rules`, then `finish`.

    `account` is `{"name", "logoUri"?}`; `user_hint` helps the person see that the code is theirs;
    `expires_at` is RFC 3339. An offer lives in memory only; keys of one that was not finished are replaced by
    the next.
    """

    def __init__(self, channel: Channel, store: KeyStore, answer: dict[str, Any]) -> None:
        self._channel, self._store = channel, store
        try:
            self.operation_id: str = answer["operationId"]
            self._nonce: str = answer["nonce"]
            self.account: dict[str, Any] = answer["account"]
            self.user_hint: str | None = answer.get("userHint")
            self.pin_rules = PinRules.from_dict(answer["pin"])
            self.auth_methods: list[str] = list(answer["authMethods"])
            self.expires_at: str = answer["expiresAt"]
        except (KeyError, TypeError, ValueError):
            raise AnswerInvalid from None
        self._draft: _Draft | None = None

    def finish(
        self,
        *,
        pin: str | None = None,
        name: str,
        biometric: bool = False,
        phone: Phone | None = None,
        post_wanted: bool = True,
    ) -> Registered:
        """Make the keys and register them under `name`, which the person will see in lists of devices.

        `pin` may be left out only where the service does not offer DEVICE_PIN. After a `TransportError` call
        it again: the same message is sent again, whatever the arguments, and registers one device.
        """
        if self._draft is None:
            self._check(pin, name)
            self._draft = self._prepare(pin, name, biometric, phone or Phone.here(), post_wanted)
        try:
            answer = self._send(self._draft)
        except ServiceError:
            self._draft = None
            raise
        return self._done(self._draft, answer)

    def _check(self, pin: str | None, name: str) -> None:
        if pin is not None:
            self.pin_rules.check(pin)
        elif "DEVICE_PIN" in self.auth_methods:
            raise PinInvalid("A PIN is needed.")
        check_name(name)

    def _prepare(self, pin: str | None, name: str, biometric: bool, phone: Phone, post: bool) -> "_Draft":
        possession = self._store.create_keys()
        inherence = self._store.create_inherence() if biometric else None
        version = KnowledgeVersion(1, wire.b64u(os.urandom(SALT_BYTES)), ARGON2ID) if pin is not None else None
        draft = _Draft(name, possession, inherence, version, os.urandom(32))
        if pin is not None and version is not None:
            draft.knowledge = knowledge_key(
                pin,
                hmac=self._store.hmac,
                application_id=self._channel.config.application_id,
                registration_id=self.operation_id,
                version=version.version,
                salt=wire.unb64u(version.salt),
                stretch_name=version.stretch,
            )
        draft.body = {
            "operationId": self.operation_id,
            "name": name,
            "platform": phone.platform,
            "osVersion": phone.os_version,
            "model": phone.model,
            "sdkVersion": SDK_VERSION,
            "appVersion": phone.app_version,
            "knowledge": draft.sent_knowledge(),
            "postWanted": post,
        }
        return draft

    def _send(self, draft: "_Draft") -> dict[str, Any]:
        if draft.message is None:
            draft.message = self._compose(draft)
        try:
            return self._channel.deliver(draft.message)
        except ClockSkew as error:
            self._channel.learn_clock(error)
            draft.message = self._compose(draft)
            return self._channel.deliver(draft.message)

    def _compose(self, draft: "_Draft") -> Message:
        def prove(_mid: str, iat: int) -> dict[str, Any]:
            draft.statement = wire.dumps(
                {
                    "typ": "registration",
                    "applicationId": self._channel.config.application_id,
                    "operationId": self.operation_id,
                    "nonce": self._nonce,
                    "possession": draft.possession,
                    "inherence": draft.inherence,
                    "knowledge": draft.commitment(),
                    "iat": iat,
                }
            )
            signers: dict[str, proof.Signer] = {"possession": self._store.sign_possession}
            if draft.knowledge:
                signers["knowledge"] = draft.knowledge.sign
            if draft.inherence:
                signers["inherence"] = self._store.sign_inherence
            return proof.sign(draft.statement, signers)

        return self._channel.compose("registration/finish", draft.body, prove)

    def _done(self, draft: "_Draft", answer: dict[str, Any]) -> Registered:
        from mobileid.sdk.device import Device

        device_id, state = answer.get("deviceId"), answer.get("state")
        if not isinstance(device_id, str) or not isinstance(state, str):
            raise AnswerInvalid
        # The phone shows its own computation: a service that shows another code is not the one that it talked
        # to.
        code = wire.confirmation_code(draft.statement, device_id)
        if answer.get("confirmationCode", code) != code:
            raise AnswerInvalid
        record = DeviceState(
            config=self._channel.config.to_dict(),
            device_id=device_id,
            registration_id=self.operation_id,
            name=draft.name,
            knowledge=draft.version,
            pin=self.pin_rules.to_dict(),
        )
        record.save(self._store)
        device = Device(self._channel, self._store, record)
        return Registered(device, state, code, answer.get("postOperationContext"))


class _Draft:
    """One registration under way; in memory only, for it holds the knowledge key."""

    def __init__(
        self, name: str, possession: Jwk, inherence: Jwk | None, version: KnowledgeVersion | None, r: bytes
    ) -> None:
        self.name, self.possession, self.inherence, self.version, self._r = (
            name,
            possession,
            inherence,
            version,
            r,
        )
        self.knowledge: Ed25519PrivateKey | None = None
        self.body: dict[str, Any] = {}
        self.message: Message | None = None
        self.statement = b""

    def _public(self) -> bytes | None:
        return self.knowledge.public_key().public_bytes_raw() if self.knowledge else None

    def sent_knowledge(self) -> dict[str, str] | None:
        public = self._public()
        return {"publicKey": wire.b64u(public), "r": wire.b64u(self._r)} if public else None

    def commitment(self) -> str | None:
        public = self._public()
        return wire.b64u(wire.commitment(public, self._r)) if public else None
