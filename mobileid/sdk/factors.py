"""A device's PIN and biometry: used, changed, and settled when an answer was lost (docs/protocol.md, section 6).

What is new is kept beside what is old until the service has said which counts: whatever crashes or gets lost,
exactly one PIN is asked for and works, and no key counts that this phone does not hold.
"""

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobileid.protocol import wire
from mobileid.sdk import proof
from mobileid.sdk.channel import marked
from mobileid.sdk.errors import (
    AnswerInvalid,
    BiometryUnsettled,
    DeviceUnusable,
    MethodNotAllowed,
    MobileIdError,
    PinChangeUnsettled,
    RateLimited,
    ServiceError,
    Unsettled,
)
from mobileid.sdk.pin import ARGON2ID, SALT_BYTES, knowledge_key
from mobileid.sdk.state import DeviceState, KnowledgeVersion, PendingInherence, PendingKnowledge

if TYPE_CHECKING:
    from mobileid.sdk.device import Device

_CLOCK_DOUBT = wire.FRESHNESS_MS / 1000
"""Seconds by which a phone that the service still hears may misjudge when a challenge is over."""


class Factors:
    """The PIN and the biometric key of one device; `Device` has the words for apps."""

    def __init__(self, device: "Device", state: DeviceState, say: Callable[..., dict[str, Any]]) -> None:
        """`say` sends a plain message: path and body."""
        self._device, self._state, self._say = device, state, say

    # --- the PIN ---

    def unlock(self, pin: str) -> Ed25519PrivateKey:
        """See `Device.unlock`."""
        self.settle_pin()
        if self._state.knowledge is None:
            raise MethodNotAllowed("This device has no PIN.")
        return self.derive(pin, self._state.knowledge)

    def change_pin(self, old: str, new: str) -> None:
        """See `Device.change_pin`."""
        signer = self.unlock(old)
        if self._state.pending:
            raise self._not_yet(PinChangeUnsettled, self._state.pending.until)
        challenge = self._challenge("pin-change")
        version, salt = challenge["keyVersion"] + 1, wire.b64u(os.urandom(SALT_BYTES))
        pending = PendingKnowledge(version, salt, ARGON2ID, _over(challenge))
        self._state.pending = pending
        self._save()
        public = self.derive(new, pending.settled()).public_key().public_bytes_raw()
        r = os.urandom(32)
        statement = {
            "typ": "pin-change",
            **self._named(challenge),
            "keyVersion": version,
            "knowledge": wire.b64u(wire.commitment(public, r)),
        }
        body = {"knowledge": {"publicKey": wire.b64u(public), "r": wire.b64u(r)}}
        signers = {"possession": self._device.store.sign_possession, "knowledge": signer.sign}

        def taken() -> dict[str, Any] | None:
            self.settle_pin()
            return {"keyVersion": version} if self._state.knowledge == pending.settled() else None

        unsettled = self._not_yet(PinChangeUnsettled, pending.until)
        answer = self._change("pin/change", body, statement, signers, taken, self._drop_pin, unsettled)
        if answer.get("keyVersion") != version:
            raise AnswerInvalid
        self._take_pin(pending)

    def settle_pin(self) -> None:
        """See `Device.settle_pin`."""
        pending = self._state.pending
        if pending is None:
            return
        if self._device.status().key_version >= pending.version:
            self._take_pin(pending)
        elif self._device.channel.now() > pending.until:
            self._drop_pin()
        # Else the change may still be on its way: both are kept, and until the service takes it the old one
        # counts.

    def derive(self, pin: str, knowledge: KnowledgeVersion) -> Ed25519PrivateKey:
        """The knowledge key of a PIN and a version's salt."""
        return knowledge_key(
            pin,
            hmac=self._device.store.hmac,
            application_id=self._device.application_id,
            registration_id=self._state.registration_id,
            version=knowledge.version,
            salt=wire.unb64u(knowledge.salt),
            stretch_name=knowledge.stretch,
        )

    def _take_pin(self, pending: PendingKnowledge) -> None:
        self._state.knowledge, self._state.pending = pending.settled(), None
        self._save()

    def _drop_pin(self) -> None:
        self._state.pending = None
        self._save()

    # --- biometry ---

    def enable_biometric(self, pin: str) -> tuple[str, ...]:
        """See `Device.enable_biometric`."""
        store = self._device.store
        signer = self.unlock(pin)
        self.settle_biometry()
        if self._state.pending_inherence:
            raise self._not_yet(BiometryUnsettled, self._state.pending_inherence.until)
        challenge = self._challenge("biometric-enable")
        jwk = store.create_inherence(beside=True)
        pending = PendingInherence(wire.thumbprint(jwk), _over(challenge))
        self._state.pending_inherence = pending
        self._save()
        statement = {"typ": "biometric-enable", **self._named(challenge), "inherence": jwk}
        signers: dict[str, proof.Signer] = {
            "possession": store.sign_possession,
            "knowledge": signer.sign,
            "inherence": lambda data: store.sign_inherence(data, beside=True),
        }

        def taken() -> dict[str, Any] | None:
            status = self._device.status()
            return {"authMethods": status.auth_methods} if status.inherence_thumbprint == pending.thumbprint else None

        unsettled = self._not_yet(BiometryUnsettled, pending.until)
        answer = self._change("biometric/enable", {}, statement, signers, taken, self._drop_biometry, unsettled)
        methods = methods_of(answer)
        self._take_biometry()
        return methods

    def disable_biometric(self) -> tuple[str, ...]:
        """See `Device.disable_biometric`."""
        self.settle_biometry()
        if self._state.pending_inherence:
            raise self._not_yet(BiometryUnsettled, self._state.pending_inherence.until)
        answer = self._say("biometric/disable")
        methods = methods_of(answer)
        self._device.store.delete_inherence()
        return methods

    def settle_biometry(self) -> None:
        """See `Device.settle_biometry`."""
        pending = self._state.pending_inherence
        if pending is None:
            return
        if self._device.status().inherence_thumbprint == pending.thumbprint:
            self._take_biometry()
        elif self._device.channel.now() > pending.until:
            self._drop_biometry()
        # Else it may still be on its way: as with the PIN, both are kept, and the one before counts.

    def _take_biometry(self) -> None:
        self._device.store.settle_inherence(taken=True)
        self._state.pending_inherence = None
        self._save()

    def _drop_biometry(self) -> None:
        self._device.store.settle_inherence(taken=False)
        self._state.pending_inherence = None
        self._save()

    # --- what the two have in common ---

    def _change(
        self,
        path: str,
        body: dict[str, Any],
        statement: dict[str, Any],
        signers: Mapping[str, proof.Signer],
        taken: Callable[[], dict[str, Any] | None],
        drop: Callable[[], None],
        unsettled: Unsettled,
    ) -> dict[str, Any]:
        """The answer's body, or what it would have been when it was lost and `taken` says that the change counts.

        `drop` forgets what is new, when it certainly was not taken. What is in doubt stays beside the old.
        """

        def prove(_mid: str, iat: int) -> dict[str, Any]:
            return proof.sign(wire.dumps(statement | {"iat": iat}), signers)

        try:
            return self._device.channel.send(path, body, prove, ask=taken)
        except MobileIdError as error:
            if not error.may_have_acted:
                drop()
                raise
            if not isinstance(error, ServiceError):
                raise
            refused = error
        with marked(lambda: True):
            found = taken()
            if found is not None:
                return found
            if isinstance(refused, RateLimited | DeviceUnusable):
                raise refused
            raise unsettled from refused

    def _not_yet(self, unsettled: type[Unsettled], until: float) -> Unsettled:
        return unsettled(retry_after=max(until - self._device.channel.now(), 0))

    def _named(self, challenge: dict[str, Any]) -> dict[str, Any]:
        return {
            "applicationId": self._device.application_id,
            "deviceId": self._device.device_id,
            "nonce": challenge["nonce"],
        }

    def _challenge(self, purpose: str) -> dict[str, Any]:
        answer = self._say("challenge", {"purpose": purpose})
        version, expires = answer.get("keyVersion"), answer.get("expiresAt")
        if not isinstance(answer.get("nonce"), str) or type(version) is not int or not isinstance(expires, str):
            raise AnswerInvalid
        return answer

    def _save(self) -> None:
        self._state.save(self._device.store)


def methods_of(answer: dict[str, Any]) -> tuple[str, ...]:
    """The `authMethods` of an answer."""
    methods = answer.get("authMethods")
    if not isinstance(methods, list | tuple):
        raise AnswerInvalid
    return tuple(map(str, methods))


def _over(challenge: dict[str, Any]) -> float:
    """From when on, by this phone's clock, no message with the challenge's nonce can take effect any more."""
    return moment(challenge["expiresAt"]) + _CLOCK_DOUBT


def moment(text: str) -> float:
    """Unix seconds of an RFC 3339 time in an answer."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        raise AnswerInvalid from None
