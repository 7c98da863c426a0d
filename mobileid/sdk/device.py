"""A registered phone: everything that it says to the service (docs/protocol.md, section 6)."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobileid.protocol import wire
from mobileid.sdk import links, proof
from mobileid.sdk.challenge import Challenge
from mobileid.sdk.channel import Channel
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.draft import RegistrationDraft
from mobileid.sdk.errors import (
    AlreadyRegistered,
    AnswerInvalid,
    DeviceUnusable,
    InputInvalid,
    MethodNotAllowed,
    RegistrationInvalid,
)
from mobileid.sdk.factors import Factors, methods_of, moment
from mobileid.sdk.keystore import KeyStore
from mobileid.sdk.pin import PinRules
from mobileid.sdk.registration import SDK_VERSION, RegistrationOffer, check_name
from mobileid.sdk.state import DeviceState
from mobileid.sdk.transport import HttpTransport, Transport

_CODE_SPENT = "The code may be used up by a message of this phone whose answer was lost: ask for another one."
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
    """What the service knows of this device. `locked_until` is RFC 3339, None when not locked or locked for good.

    `key_version` and `inherence_thumbprint` (RFC 7638, None when there is none) name the newest PIN and the newest
    biometric key that it has taken.
    """

    state: str
    locked_until: str | None
    attempts_left: int
    key_version: int
    auth_methods: tuple[str, ...]
    name: str
    inherence_thumbprint: str | None = None


class Device:
    """One registered phone. Make it by `start_registration` or `load`; not for several threads at once."""

    def __init__(self, channel: Channel, store: KeyStore, state: DeviceState) -> None:
        self.channel, self.store, self._state = channel, store, state
        self._factors = Factors(self, state, self._say)

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
        try:
            answer = channel.send("registration/start", {"activationCode": code})
        except RegistrationInvalid as error:
            if error.may_have_acted:
                raise RegistrationInvalid(_CODE_SPENT, problem=error.problem) from error
            raise
        return RegistrationOffer(channel, store, answer)

    @staticmethod
    def resume_registration(
        store: KeyStore,
        *,
        config: ApplicationConfig | None = None,
        transport: Transport | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> RegistrationOffer | None:
        """The registration whose `finish` was cut short, to be finished with the PIN that was chosen; else None.

        The service gives a phone its answer again while its code lives: without this, a crash at the wrong moment
        would leave a device there that nobody holds.
        """
        draft = None if DeviceState.exists(store) else RegistrationDraft.load(store)
        if draft is None:
            return None
        config = config or ApplicationConfig.from_dict(draft.config)
        channel = Channel(config, store, transport or HttpTransport(config.server), clock=clock, sleep=sleep)
        offer = RegistrationOffer(channel, store, draft.offer, draft)
        if channel.now() > moment(offer.expires_at) + wire.FRESHNESS_MS / 1000:
            RegistrationDraft.forget(store)
            return None
        return offer

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
        return self._factors.unlock(pin)

    def change_pin(self, old: str, new: str) -> None:
        """Replace the PIN. A wrong old one is `AuthenticationFailed`, counted as any wrong PIN.

        The new derivation is in the store before it is sent, and the old one stays until the service says
        which counts: after a crash or a lost answer exactly one of the two PINs works, and the next use finds
        out which. `PinChangeUnsettled` when that cannot be said yet: the old one is asked for until then.
        """
        self.pin_rules.check(new)
        self._factors.change_pin(old, new)

    def settle_pin(self) -> None:
        """Ask the service which PIN counts, if a change was cut short; cheap when none was."""
        self._factors.settle_pin()

    def settle_biometry(self) -> None:
        """Ask the service which biometric key counts, if `enable_biometric` was cut short; cheap when it was not."""
        self._factors.settle_biometry()

    def enable_biometric(self, pin: str) -> tuple[str, ...]:
        """Make a key that biometry releases and register it; the methods that the device has now.

        An older key stays until the service says which counts, as with the PIN; `BiometryUnsettled` when that
        cannot be said yet.
        """
        return self._factors.enable_biometric(pin)

    def disable_biometric(self) -> tuple[str, ...]:
        """Take biometry away, at the service and here; the methods that the device has now."""
        return self._factors.disable_biometric()

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
                auth_methods=methods_of(answer),
                name=_text(answer["name"]),
                inherence_thumbprint=answer.get("inherenceThumbprint"),
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
        """End this device for good, at the service and then here; one that the service has ended is erased here."""
        try:
            self._say("deactivate")
        except DeviceUnusable as error:
            # By this phone's own message, perhaps, whose answer was lost.
            if error.state != "DEACTIVATED":
                raise
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


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
