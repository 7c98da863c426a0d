"""An operation on the phone: shown, then approved or rejected (docs/protocol.md, section 6)."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mobileid.protocol import wire
from mobileid.sdk import proof
from mobileid.sdk.channel import Message, marked
from mobileid.sdk.errors import (
    AnswerInvalid,
    ChallengeUsed,
    ClockSkew,
    ContentChanged,
    InputInvalid,
    OperationClosed,
    RateLimited,
    ServiceError,
)

if TYPE_CHECKING:
    from mobileid.sdk.device import Device

METHODS = ("DEVICE", "DEVICE_PIN", "DEVICE_BIOMETRIC")
REASONS = ("USER", "NOT_ME")
_OUTCOMES = {"approve": ("COMPLETED", "FAILED"), "reject": ("REJECTED",)}
"""How an operation is over that came to what the person decided; any other end is somebody else's."""


@dataclass(frozen=True)
class Outcome:
    """What became of an operation: COMPLETED, REJECTED, or FAILED (a wrong number ends it).

    `return_link` is where a SAME_DEVICE app sends its browser now.
    """

    state: str
    post_operation_context: Any = None
    return_link: str | None = None


@dataclass
class _Sent:
    """A decision on its way: its message, how to compose it anew after another, and the link to open on success."""

    message: Message
    compose: Callable[[Message | None], Message]
    decision: str
    link: str | None


class Challenge:
    """One operation, as the phone shows it. What is approved is the hash of exactly `title`, `mime_type` and
    `data`.

    `type` is "authentication" or "signature"; `binding` NONE, NUMBER (ask for the `number_length` digits that
    the other screen shows), QR or SAME_DEVICE; `expires_at` RFC 3339. Each challenge is answered once; after
    a wrong PIN, `restart()`.
    """

    def __init__(self, device: "Device", answer: dict[str, Any]) -> None:
        self._device = device
        self._read(answer)
        self._answered = False
        self._unanswered: _Sent | None = None

    def _read(self, answer: dict[str, Any]) -> None:
        try:
            content = answer["content"]
            self.operation_id: str = answer["operationId"]
            self.type: str = answer["type"]
            self.title: str = content["title"]
            self.mime_type: str = content["mimeType"]
            self.data: bytes = wire.unb64u(content["data"])
            self.auth_methods: list[str] = list(answer["authMethods"])
            self.binding: str = answer["binding"]
            self.number_length: int | None = answer.get("numberLength")
            self.return_url: str | None = answer.get("returnUrl")
            self.expires_at: str = answer["expiresAt"]
            self._nonce: str = answer["nonce"]
            self._hash = wire.content_hash(self.title, self.mime_type, self.data)
            names = (self.operation_id, self.binding, self.expires_at, self._nonce, *self.auth_methods)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise AnswerInvalid from None
        optional = isinstance(self.number_length, int | None) and isinstance(self.return_url, str | None)
        if not optional or not all(isinstance(one, str) for one in names):
            raise AnswerInvalid
        if self.type not in ("authentication", "signature"):
            raise AnswerInvalid

    @property
    def text(self) -> str | None:
        """The content as text, for text types and JSON; None for others."""
        if self.mime_type.startswith("text/") or self.mime_type == "application/json":
            return self.data.decode(errors="replace")
        return None

    def approve(self, *, method: str | None = None, pin: str | None = None, number: str | None = None) -> Outcome:
        """Approve by `method`: DEVICE, DEVICE_PIN (needs `pin`) or DEVICE_BIOMETRIC (the phone asks its
        owner).

        Without a method: DEVICE_PIN when a PIN is given, else biometry, else the device alone, as the
        operation allows. `number` is what the person read from the other screen. A wrong PIN, as any refused
        factor, is `AuthenticationFailed`. After a `TransportError` call it again: the same message is sent
        again.
        """
        if self._unanswered:
            return self._deliver()
        method = self._method(method, pin)
        self._check_number(number)
        key = self._device.unlock(pin) if method == "DEVICE_PIN" and pin is not None else None
        return_code = os.urandom(32) if self.binding == "SAME_DEVICE" else None
        statement = self._statement("approve", method)
        if number is not None:
            statement["number"] = number
        if return_code is not None:
            statement["returnHash"] = wire.b64u(sha256(return_code).digest())
        return self._send(statement, key, return_code)

    def reject(self, reason: str = "USER") -> Outcome:
        """Refuse; `NOT_ME` tells the service that the person did not start this."""
        if self._unanswered:
            return self._deliver()
        if reason not in REASONS:
            raise InputInvalid(f"The reason is one of {', '.join(REASONS)}.")
        return self._send(self._statement("reject", "DEVICE") | {"reason": reason}, None, None)

    def restart(self) -> "Challenge":
        """Get a fresh nonce for the same operation, after a refused factor; this same object, ready again.

        Should the content have changed, `ContentChanged`: the person must be shown it anew.
        """
        shown = self._hash
        self._read(self._device.start_body({"operationId": self.operation_id}))
        if self._hash != shown:
            raise ContentChanged
        self._answered, self._unanswered = False, None
        return self

    def _method(self, method: str | None, pin: str | None) -> str:
        if method is None:
            wanted = ["DEVICE_PIN"] if pin is not None else ["DEVICE_BIOMETRIC", "DEVICE"]
            method = next((one for one in wanted if one in self.auth_methods), "DEVICE_PIN")
        if method not in METHODS:
            raise InputInvalid(f"The method is one of {', '.join(METHODS)}.")
        if method == "DEVICE_PIN" and pin is None:
            raise InputInvalid("The PIN is needed.")
        return method

    def _check_number(self, number: str | None) -> None:
        if self.binding != "NUMBER":
            if number is not None:
                raise InputInvalid("This request has no number.")
            return
        well_formed = number is not None and number.isascii() and number.isdigit()
        if not well_formed or (self.number_length and len(number or "") != self.number_length):
            raise InputInvalid(f"Enter the {self.number_length} digits from the other screen.")

    def _statement(self, decision: str, method: str) -> dict[str, Any]:
        return {
            "typ": self.type,
            "applicationId": self._device.application_id,
            "operationId": self.operation_id,
            "deviceId": self._device.device_id,
            "nonce": self._nonce,
            "decision": decision,
            "contentHash": wire.b64u(self._hash),
            "authMethod": method,
        }

    def _send(self, statement: dict[str, Any], key: Ed25519PrivateKey | None, return_code: bytes | None) -> Outcome:
        if self._answered:
            raise ChallengeUsed
        store, channel = self._device.store, self._device.channel
        signers: dict[str, Callable[[bytes], bytes]] = {"possession": store.sign_possession}
        if key is not None:
            signers["knowledge"] = key.sign
        if statement["authMethod"] == "DEVICE_BIOMETRIC":
            self._device.settle_biometry()
            signers["inherence"] = store.sign_inherence

        def compose(follows: Message | None) -> Message:
            return channel.compose(
                "operations/finish",
                {"operationId": self.operation_id},
                lambda _mid, iat: proof.sign(wire.dumps(statement | {"iat": iat}), signers),
                follows=follows,
            )

        link = self._return_link(return_code) if return_code else None
        self._unanswered = _Sent(compose(None), compose, statement["decision"], link)
        return self._deliver()

    def _deliver(self) -> Outcome:
        """Send what is unanswered; it stays so until it is known what the service made of it."""
        sent = self._unanswered
        assert sent is not None
        channel = self._device.channel
        try:
            try:
                answer = channel.deliver(sent.message)
            except ClockSkew as error:
                channel.learn_clock(error)
                # With the same nonce, so that of the two at most one is judged, whichever arrives.
                sent.message = sent.compose(sent.message)
                answer = channel.deliver(sent.message)
        except ServiceError as error:
            return self._refused(sent, error)
        self._unanswered, self._answered = None, True
        state = answer.get("state")
        if not isinstance(state, str):
            raise AnswerInvalid
        return Outcome(state, answer.get("postOperationContext"), sent.link if state == "COMPLETED" else None)

    def _refused(self, sent: "_Sent", error: ServiceError) -> Outcome:
        """Raise it; but when it says nothing of an earlier copy, the outcome of that one, where the service knows."""
        if isinstance(error, ClockSkew | RateLimited):
            if not error.may_have_acted:
                self._unanswered = None
            raise error
        in_doubt = error.may_have_acted
        if in_doubt and not isinstance(error, OperationClosed):
            error = self._ask(error)
        self._unanswered, self._answered = None, True
        state = error.state if isinstance(error, OperationClosed) else None
        if sent.link is not None and state == "IN_PROGRESS":
            state = "COMPLETED"  # approved, and the integrator has yet to see the return code
        if not in_doubt or state not in _OUTCOMES[sent.decision]:
            raise error
        return Outcome(state, None, sent.link if state == "COMPLETED" else None)

    def _ask(self, refused: ServiceError) -> ServiceError:
        """How the operation is over, if it is; else what was refused."""
        try:
            with marked(lambda: True):
                self._device.start_body({"operationId": self.operation_id})
        except OperationClosed as closed:
            return closed
        except ServiceError:
            pass
        return refused

    def _return_link(self, return_code: bytes) -> str | None:
        if self.return_url is None:
            return None
        base = self.return_url.partition("#")[0]
        return f"{base}#operationId={self.operation_id}&returnCode={wire.b64u(return_code)}"
