"""A registered phone: everything that it says to the service (docs/protocol.md, section 6)."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobileid.sdk import links, proof, wire
from mobileid.sdk.challenge import Challenge
from mobileid.sdk.channel import Channel
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.errors import (
    AlreadyRegistered,
    AnswerInvalid,
    InputInvalid,
    MethodNotAllowed,
    MobileIdError,
    PinChangeUnsettled,
    ServiceError,
)
from mobileid.sdk.keystore import KeyStore
from mobileid.sdk.pin import ARGON2ID, SALT_BYTES, PinRules, knowledge_key
from mobileid.sdk.registration import SDK_VERSION, RegistrationOffer, check_name
from mobileid.sdk.state import DeviceState, KnowledgeVersion, PendingKnowledge
from mobileid.sdk.transport import HttpTransport, Transport

_PENDING = ("operationId", "type", "title", "createdAt", "expiresAt")


@dataclass(frozen=True)
class Pending:
    """An open operation that waits for this device; times RFC 3339."""

    operation_id: str
    type: str
    title: str
    created_at: str
    expires_at: str


@dataclass(frozen=True)
class Status:
    """What the service knows of this device. `locked_until` is RFC 3339, None when not locked or locked for good."""

    state: str
    locked_until: str | None
    attempts_left: int
    key_version: int
    auth_methods: tuple[str, ...]
    name: str


class Device:
    """One registered phone. Make it by `start_registration` or `load`; not for several threads at once."""

    def __init__(self, channel: Channel, store: KeyStore, state: DeviceState) -> None:
        self.channel, self.store, self._state = channel, store, state

    # --- making one ---

    @staticmethod
    def start_registration(
        config: ApplicationConfig,
        code: str,
        store: KeyStore,
        *,
        transport: Transport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> RegistrationOffer:
        """Trade an activation code, typed in any way or as its link, for an offer.

        `RegistrationInvalid` for a wrong code, used or expired; a mistyped one is never sent.
        `AlreadyRegistered` when the store holds a device.
        """
        if DeviceState.exists(store):
            raise AlreadyRegistered
        code = links.activation_code(code, config)
        channel = Channel(config, store, transport or HttpTransport(config.server), clock=clock, sleep=sleep)
        return RegistrationOffer(channel, store, channel.send("registration/start", {"activationCode": code}))

    @classmethod
    def load(
        cls,
        store: KeyStore,
        *,
        config: ApplicationConfig | None = None,
        transport: Transport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> "Device":
        """The device of a store; `NotRegistered` when there is none.

        `config` is the app's own, where it ships with one: a newer server or trust anchor in it counts.
        """
        state = DeviceState.load(store)
        config = config or cls.config_of(store)
        transport = transport or HttpTransport(config.server)
        return cls(Channel(config, store, transport, clock=clock, sleep=sleep), store, state)

    @staticmethod
    def config_of(store: KeyStore) -> ApplicationConfig:
        """The configuration that a store's device was registered with; `NotRegistered` when there is none."""
        return ApplicationConfig.from_dict(DeviceState.load(store).config)

    # --- names ---

    @property
    def device_id(self) -> str:
        """The service's name for this device."""
        return self._state.device_id

    @property
    def application_id(self) -> str:
        """The application that it is registered with."""
        return self.channel.config.application_id

    @property
    def name(self) -> str:
        """The person's name for this device, as last set from here."""
        return self._state.name

    @property
    def pin_rules(self) -> PinRules:
        """What a new PIN must be, by the service's current key document."""
        return self.channel.documents.current().pin

    # --- operations ---

    def pending(self) -> list[Pending]:
        """The operations that wait for this device."""
        answer = self._say("operations/pending")
        try:
            return [Pending(*(_text(one[name]) for name in _PENDING)) for one in answer["operations"]]
        except (KeyError, TypeError):
            raise AnswerInvalid from None

    def start_operation(
        self, operation_id: str | None = None, *, claim: str | None = None, qr: str | None = None
    ) -> Challenge:
        """See what an operation asks: by its id, by a claim, or by the text of a QR frame or app link."""
        if [operation_id, claim, qr].count(None) != 2:
            raise InputInvalid("Name the operation by exactly one of operation_id, claim and qr.")
        body: dict[str, Any] = {"operationId": operation_id} if operation_id else {"claim": claim}
        if qr is not None:
            link = links.parse_operation(qr)
            if link.server != self.channel.config.server:
                raise InputInvalid("This request is another service's.")
            body = link.body()
        return Challenge(self, self.start_body(body))

    def start_authentication(self, operation_id: str) -> Challenge:
        """`start_operation` for an authentication or authorisation; a signature is `MethodNotAllowed`."""
        challenge = self.start_operation(operation_id)
        if challenge.type != "authentication":
            raise MethodNotAllowed("This request asks for a signature.")
        return challenge

    def start_body(self, body: dict[str, Any]) -> dict[str, Any]:
        """The raw answer of `operations/start`."""
        return self._say("operations/start", body)

    # --- PIN and biometry ---

    def unlock(self, pin: str) -> Ed25519PrivateKey:
        """The knowledge key of this PIN, right or wrong; use it once and drop it."""
        self.settle_pin()
        if self._state.knowledge is None:
            raise MethodNotAllowed("This device has no PIN.")
        return self._derive(pin, self._state.knowledge)

    def change_pin(self, old: str, new: str) -> None:
        """Replace the PIN. A wrong old one is `AuthenticationFailed`, counted as any wrong PIN.

        The new derivation is in the store before it is sent, and the old one stays until the service says
        which counts: after a crash or a lost answer exactly one of the two PINs works, and the next use finds
        out which.
        """
        self.pin_rules.check(new)
        signer = self.unlock(old)
        if self._state.pending:
            raise PinChangeUnsettled(retry_after=self._state.pending.until - self.channel.now())
        challenge = self._challenge("pin-change")
        version = challenge["keyVersion"] + 1
        salt = wire.b64u(os.urandom(SALT_BYTES))
        pending = PendingKnowledge(version, salt, ARGON2ID, _moment(challenge["expiresAt"]))
        self._state.pending = pending
        self._state.save(self.store)
        public = self._derive(new, pending.settled()).public_key().public_bytes_raw()
        r = os.urandom(32)
        statement = {
            "typ": "pin-change",
            "applicationId": self.application_id,
            "deviceId": self.device_id,
            "nonce": challenge["nonce"],
            "keyVersion": version,
            "knowledge": wire.b64u(wire.commitment(public, r)),
        }
        body = {"knowledge": {"publicKey": wire.b64u(public), "r": wire.b64u(r)}}
        signers: dict[str, proof.Signer] = {
            "possession": self.store.sign_possession,
            "knowledge": signer.sign,
        }
        try:
            answer = self._state_and_say("pin/change", body, statement, signers)
        except ServiceError:
            self._drop_pending()
            raise
        if answer.get("keyVersion") != version:
            raise AnswerInvalid
        self._take(pending)

    def settle_pin(self) -> None:
        """Ask the service which PIN counts, if a change was cut short; cheap when none was."""
        pending = self._state.pending
        if pending is None:
            return
        if self.status().key_version >= pending.version:
            self._take(pending)
        elif self.channel.now() > pending.until:
            self._drop_pending()
        # Else the change may still be on its way: both are kept, and until the service takes it the old one
        # counts.

    def enable_biometric(self, pin: str) -> tuple[str, ...]:
        """Make a key that biometry releases and register it; the methods that the device has now."""
        signer = self.unlock(pin)
        challenge = self._challenge("biometric-enable")
        statement = {
            "typ": "biometric-enable",
            "applicationId": self.application_id,
            "deviceId": self.device_id,
            "nonce": challenge["nonce"],
            "inherence": self.store.create_inherence(),
        }
        signers: dict[str, proof.Signer] = {
            "possession": self.store.sign_possession,
            "knowledge": signer.sign,
            "inherence": self.store.sign_inherence,
        }
        try:
            answer = self._state_and_say("biometric/enable", {}, statement, signers)
        except MobileIdError:
            self.store.delete_inherence()
            raise
        return _methods(answer)

    def disable_biometric(self) -> tuple[str, ...]:
        """Take biometry away, at the service and here; the methods that the device has now."""
        answer = self._say("biometric/disable")
        self.store.delete_inherence()
        return _methods(answer)

    # --- the rest ---

    def status(self) -> Status:
        """What the service knows of this device; works when locked too. Tells it this SDK's version."""
        answer = self._say("status", {"sdkVersion": SDK_VERSION})
        try:
            return Status(
                state=_text(answer["state"]),
                locked_until=_text(answer["lockedUntil"]) if answer.get("lockedUntil") else None,
                attempts_left=int(answer["attemptsLeft"]),
                key_version=int(answer["keyVersion"]),
                auth_methods=_methods(answer),
                name=_text(answer["name"]),
            )
        except (KeyError, TypeError, ValueError):
            raise AnswerInvalid from None

    def rename(self, name: str) -> None:
        """Give the device another name."""
        check_name(name)
        self._say("rename", {"name": name})
        self._state.name = name
        self._state.save(self.store)

    def push_token(self, provider: str, token: str) -> None:
        """Tell where to push to; a push only wakes the app and carries no content."""
        self._say("push-token", {"provider": provider, "token": token})

    def deactivate(self) -> None:
        """End this device for good, at the service and then here."""
        self._say("deactivate")
        self.forget()

    def forget(self) -> None:
        """Erase keys and records here, without telling the service."""
        self.store.erase()

    # --- how it is said ---

    def _say(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A plain message: the possession key signs that this device sent it."""

        def prove(mid: str, iat: int) -> dict[str, Any]:
            statement = proof.message(self.application_id, self.device_id, wire.PREFIX + path, mid, iat)
            return proof.sign(wire.dumps(statement), {"possession": self.store.sign_possession})

        return self.channel.send(path, body or {}, prove)

    def _state_and_say(
        self, path: str, body: dict[str, Any], statement: dict[str, Any], signers: dict[str, proof.Signer]
    ) -> dict[str, Any]:
        """A message whose statement is its own."""
        return self.channel.send(
            path, body, lambda _mid, iat: proof.sign(wire.dumps(statement | {"iat": iat}), signers)
        )

    def _challenge(self, purpose: str) -> dict[str, Any]:
        answer = self._say("challenge", {"purpose": purpose})
        version, expires = answer.get("keyVersion"), answer.get("expiresAt")
        if not isinstance(answer.get("nonce"), str) or type(version) is not int or not isinstance(expires, str):
            raise AnswerInvalid
        return answer

    def _derive(self, pin: str, knowledge: KnowledgeVersion) -> Ed25519PrivateKey:
        return knowledge_key(
            pin,
            hmac=self.store.hmac,
            application_id=self.application_id,
            registration_id=self._state.registration_id,
            version=knowledge.version,
            salt=wire.unb64u(knowledge.salt),
            stretch_name=knowledge.stretch,
        )

    def _drop_pending(self) -> None:
        self._state.pending = None
        self._state.save(self.store)

    def _take(self, pending: PendingKnowledge) -> None:
        self._state.knowledge, self._state.pending = pending.settled(), None
        self._state.save(self.store)


def _methods(answer: dict[str, Any]) -> tuple[str, ...]:
    methods = answer.get("authMethods")
    if not isinstance(methods, list):
        raise AnswerInvalid
    return tuple(map(str, methods))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _moment(text: str) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise AnswerInvalid from None
