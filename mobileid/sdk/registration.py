"""Registering a phone: code in, PIN chosen, keys made, device out (docs/protocol.md, section 6)."""

import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobileid.protocol import wire
from mobileid.sdk import proof
from mobileid.sdk.channel import Channel, Message
from mobileid.sdk.draft import RegistrationDraft
from mobileid.sdk.errors import (
    AnswerInvalid,
    ClockSkew,
    DeviceUnusable,
    InputInvalid,
    OperationClosed,
    PinInvalid,
    RateLimited,
    RegistrationInvalid,
    ServiceError,
)
from mobileid.sdk.keystore import KeyStore
from mobileid.sdk.pin import ARGON2ID, SALT_BYTES, PinRules, knowledge_key
from mobileid.sdk.state import DeviceState, KnowledgeVersion

if TYPE_CHECKING:
    from mobileid.sdk.device import Device

SDK_VERSION = "0.1.0"


NAME_LIMIT = 64
_NOT_AGAIN = "The PIN is not the one that was chosen at first, or the code is over."


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
    `expires_at` is RFC 3339. Until `finish` it lives in memory only. From then on the store has what it takes to
    finish it again, all but the PIN: a phone that never heard the answer asks for it (`Device.resume_registration`).
    """

    def __init__(
        self, channel: Channel, store: KeyStore, answer: dict[str, Any], draft: RegistrationDraft | None = None
    ) -> None:
        self._channel, self._store, self._answer, self._draft = channel, store, answer, draft
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

    def finish(
        self,
        *,
        pin: str | None = None,
        name: str = "",
        biometric: bool = False,
        phone: Phone | None = None,
        post_wanted: bool = True,
    ) -> Registered:
        """Make the keys and register them under `name`, which the person will see in lists of devices.

        `pin` may be left out only where the service does not offer DEVICE_PIN. After a `TransportError`, or any
        error that `may_have_acted`, call it again: the same keys are sent again, whatever the arguments, and are
        one device. A resumed offer takes the PIN that was chosen at first; another one is `RegistrationInvalid`,
        counted as a wrong PIN.
        """
        if self._draft is None:
            self._check(pin, name)
            self._draft = self._prepare(name, pin is not None, biometric, phone or Phone.here(), post_wanted)
        draft = self._draft
        if draft.version is not None and draft.knowledge is None:
            if pin is None:
                raise PinInvalid("The PIN is needed that was chosen at first.")
            draft.knowledge = self._derive(pin, draft.version)
        try:
            answer = self._send(draft)
        except ServiceError as error:
            self._keep_or_forget(draft, error)
            if isinstance(error, RegistrationInvalid) and error.may_have_acted:
                raise RegistrationInvalid(_NOT_AGAIN, problem=error.problem) from error
            raise
        return self._done(draft, answer)

    def _check(self, pin: str | None, name: str) -> None:
        if pin is not None:
            self.pin_rules.check(pin)
        elif "DEVICE_PIN" in self.auth_methods:
            raise PinInvalid("A PIN is needed.")
        check_name(name)

    def _prepare(self, name: str, with_pin: bool, biometric: bool, phone: Phone, post: bool) -> RegistrationDraft:
        RegistrationDraft.forget(self._store)
        possession = self._store.create_keys()
        inherence = self._store.create_inherence() if biometric else None
        version = KnowledgeVersion(1, wire.b64u(os.urandom(SALT_BYTES)), ARGON2ID) if with_pin else None
        body = {
            "operationId": self.operation_id,
            "name": name,
            "platform": phone.platform,
            "osVersion": phone.os_version,
            "model": phone.model,
            "sdkVersion": SDK_VERSION,
            "appVersion": phone.app_version,
            "postWanted": post,
        }
        return RegistrationDraft(self._channel.config.to_dict(), self._answer, body, possession, inherence, version)

    def _derive(self, pin: str, version: KnowledgeVersion) -> Ed25519PrivateKey:
        return knowledge_key(
            pin,
            hmac=self._store.hmac,
            application_id=self._channel.config.application_id,
            registration_id=self.operation_id,
            version=version.version,
            salt=wire.unb64u(version.salt),
            stretch_name=version.stretch,
        )

    def _send(self, draft: RegistrationDraft) -> dict[str, Any]:
        if draft.message is None:
            draft.message = self._compose(draft)
        try:
            return self._channel.deliver(draft.message)
        except ClockSkew as error:
            self._channel.learn_clock(error)
            # The keys are the same, so whatever became of the first message, both are one registration.
            draft.message = self._compose(draft)
            return self._channel.deliver(draft.message)

    def _compose(self, draft: RegistrationDraft) -> Message:
        public = draft.knowledge.public_key().public_bytes_raw() if draft.knowledge else None
        r = os.urandom(32)
        knowledge = {"publicKey": wire.b64u(public), "r": wire.b64u(r)} if public else None

        def prove(_mid: str, iat: int) -> dict[str, Any]:
            statement = wire.dumps(
                {
                    "typ": "registration",
                    "applicationId": self._channel.config.application_id,
                    "operationId": self.operation_id,
                    "nonce": self._nonce,
                    "possession": draft.possession,
                    "inherence": draft.inherence,
                    "knowledge": wire.b64u(wire.commitment(public, r)) if public else None,
                    "iat": iat,
                }
            )
            signers: dict[str, proof.Signer] = {"possession": self._store.sign_possession}
            if draft.knowledge:
                signers["knowledge"] = draft.knowledge.sign
            if draft.inherence:
                signers["inherence"] = self._store.sign_inherence
            signed = proof.sign(statement, signers)
            draft.sends(statement, self._store)
            return signed

        in_doubt = draft.message.may_have_acted if draft.message else draft.resumed
        message = self._channel.compose("registration/finish", draft.body | {"knowledge": knowledge}, prove)
        message.in_doubt = in_doubt
        return message

    def _keep_or_forget(self, draft: RegistrationDraft, error: ServiceError) -> None:
        """What may be a device all the same is kept, to be asked for again while its code lives."""
        ended = isinstance(error, OperationClosed) or (
            isinstance(error, DeviceUnusable) and error.state == "DEACTIVATED"
        )
        if ended or not error.may_have_acted:
            self._draft = None
            RegistrationDraft.forget(self._store)
        elif not isinstance(error, ClockSkew | RateLimited):
            draft.message, draft.resumed = None, True
            if isinstance(error, RegistrationInvalid):
                draft.knowledge = None  # by another PIN, perhaps: it is asked for again

    def _done(self, draft: RegistrationDraft, answer: dict[str, Any]) -> Registered:
        from mobileid.sdk.device import Device

        device_id, state = answer.get("deviceId"), answer.get("state")
        if not isinstance(device_id, str) or not isinstance(state, str):
            raise AnswerInvalid
        # The phone shows its own computation: a service that shows another code is not the one that it talked
        # to. Of several statements it is that of the one which came first; the answer tells which.
        codes = [wire.confirmation_code(statement, device_id) for statement in draft.statements]
        code = answer.get("confirmationCode", codes[-1])
        if code not in codes:
            raise AnswerInvalid
        record = DeviceState(
            config=self._channel.config.to_dict(),
            device_id=device_id,
            registration_id=self.operation_id,
            name=draft.body["name"],
            knowledge=draft.version,
            pin=self.pin_rules.to_dict(),
        )
        record.save(self._store)
        RegistrationDraft.forget(self._store)
        device = Device(self._channel, self._store, record)
        return Registered(device, state, code, answer.get("postOperationContext"))
