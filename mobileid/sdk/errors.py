"""What can go wrong, one class per cause, with what the app should do about it.

Every error has a stable `code` (that of docs/protocol.md, section 8, when the service said it), a `retry`
advice, and `retry_after` in seconds when the service named one. No message ever quotes a secret.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar


class Retry(StrEnum):
    """Whether trying again helps, and from where."""

    NEVER = "never"
    """Trying again gives the same answer."""
    LATER = "later"
    """The same call may succeed later, after `retry_after` seconds where known."""
    RESTART = "restart"
    """The step is used up: start the operation (or the change) again and ask the person again."""
    INPUT = "input"
    """What the person typed or the app passed must change."""


class MobileIdError(Exception):
    """The root of all that this SDK raises on purpose."""

    code: ClassVar[str] = "error"
    retry: ClassVar[Retry] = Retry.NEVER
    message: ClassVar[str] = "Something went wrong."

    def __init__(
        self,
        message: str | None = None,
        *,
        retry_after: float | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message or self.message)
        self.retry_after = retry_after
        self.problem: dict[str, Any] = dict(problem or {})
        self.may_have_acted = False
        """Whether the service may have done it all the same: an answer was lost, and this says nothing of it."""


# --- on this side -------------------------------------------------------------------------------------------


class LocalError(MobileIdError):
    """Found on the phone; nothing was sent."""

    code = "local"


class ConfigurationInvalid(LocalError):
    """The application configuration cannot be used."""

    code = "configuration-invalid"
    message = "The application configuration is not valid."


class StoreError(LocalError):
    """The key store cannot be read or written."""

    code = "store"
    message = "The key store cannot be used."


class StoreBusy(StoreError):
    """Another process has this key store open."""

    code = "store-busy"
    retry = Retry.LATER
    message = "Another program is using this phone's key store."


class NotRegistered(LocalError):
    """There is no registered device in the store."""

    code = "not-registered"
    message = "This phone is not registered."


class AlreadyRegistered(LocalError):
    """The store holds a device; deactivate or forget it first."""

    code = "already-registered"
    message = "This phone is registered already."


class InputInvalid(LocalError):
    """The person or the app gave something that the service would not take; `str(error)` says what."""

    code = "input-invalid"
    retry = Retry.INPUT


class PinInvalid(InputInvalid):
    """A PIN outside the service's rules."""

    code = "pin-invalid"


class BiometryRefused(LocalError):
    """The phone did not recognise its owner, or its biometry was enrolled anew and the key is gone."""

    code = "biometry-refused"
    retry = Retry.INPUT
    message = "Not recognised."


class Unsettled(LocalError):
    """A change was sent, and no answer tells what became of it: it may still reach the service.

    What counted before counts until the service says otherwise; each use asks. `retry_after` says when the change
    can no longer arrive, after which another one may be begun.
    """

    code = "unsettled"
    retry = Retry.LATER


class PinChangeUnsettled(Unsettled):
    """The PIN's: the old one is asked for until the service has taken the new one."""

    code = "pin-change-unsettled"
    message = "The last change of the PIN is not settled yet: until it is, the old PIN is asked for."


class BiometryUnsettled(Unsettled):
    """The biometric key's."""

    code = "biometry-unsettled"
    message = "Whether biometry was enabled is not settled yet."


class ChallengeUsed(LocalError):
    """The challenge was answered already; `challenge.restart()` gets a fresh one."""

    code = "challenge-used"
    retry = Retry.RESTART
    message = "This request was answered already."


class ContentChanged(LocalError):
    """A restarted operation shows something else than before: the person must look again."""

    code = "content-changed"
    message = "The request is no longer the one that was shown."


# --- between ------------------------------------------------------------------------------------------------


class TransportError(MobileIdError):
    """The message did not get through, or the answer did not come back."""

    code = "transport"
    retry = Retry.LATER
    message = "The service cannot be reached."


class ConnectionFailed(TransportError):
    """No connection, or it broke: unless `sent` is False, whether the message arrived is not known.

    Calling the same method of the same offer or challenge again sends the same message, which takes effect
    once.
    """

    code = "connection-failed"
    sent = True
    """A transport sets it to False when it knows that nothing of the request left the phone."""


class ServiceUnavailable(TransportError):
    """The service said that it is overloaded or in maintenance (503)."""

    code = "service-unavailable"


class KeyUnknown(TransportError):
    """The service no longer has the channel key, not even after the key document was fetched again."""

    code = "key-unknown"


class TooLarge(TransportError):
    """The message is over the service's limit (413)."""

    code = "too-large"
    retry = Retry.INPUT
    message = "The message is too large."


class EnvelopeRefused(TransportError):
    """The service could not open the message: wrong application, altered on the way, or malformed."""

    code = "envelope-invalid"
    retry = Retry.NEVER
    message = "The service could not open the message."


class UnexpectedAnswer(TransportError):
    """Something answered that does not speak this protocol, such as a proxy's sign-in page."""

    code = "unexpected-answer"
    message = "The answer is not from the service."


# --- trust --------------------------------------------------------------------------------------------------


class TrustError(MobileIdError):
    """The other side did not prove to be the service. Never offer the person a way around it."""

    code = "trust"
    message = "The service could not prove its identity."


class KeyDocumentInvalid(TrustError):
    """Bad signature, wrong audience or type, or malformed."""

    code = "key-document-invalid"


class KeyDocumentExpired(TrustError):
    """Expired, or this phone's clock is wrong by more than a day."""

    code = "key-document-expired"
    retry = Retry.LATER
    message = "The service's keys have expired, or this phone's clock is wrong."


class KeyDocumentOld(TrustError):
    """Older than one accepted before: someone replays it."""

    code = "key-document-old"


class SuiteUnusable(TrustError):
    """No current key of a suite that the document allows and this SDK can."""

    code = "suite-unusable"
    message = "This app is too old for the service."


class AnswerInvalid(TrustError):
    """The answer does not open, or contradicts what was sent."""

    code = "answer-invalid"
    message = "The answer could not be verified."


# --- said by the service ------------------------------------------------------------------------------------


class ServiceError(MobileIdError):
    """A problem that the service told inside the envelope; `problem` has all of its members."""

    code = "problem"
    message = "The service refused."

    @property
    def code_from_service(self) -> str:
        """The code as it came, also when this SDK does not know it."""
        return str(self.problem.get("code", self.code))


class RegistrationInvalid(ServiceError):
    """Wrong, expired, used or unknown activation code: one answer for all."""

    code = "registration-invalid"
    retry = Retry.INPUT
    message = "The code is not valid."


class ClockSkew(ServiceError):
    """The clocks still differ after the offset was learned."""

    code = "clock-skew"
    retry = Retry.LATER
    message = "This phone's clock is wrong."


class MessageInvalid(ServiceError):
    """The service refused a field, named by `field`."""

    code = "message-invalid"
    retry = Retry.INPUT
    message = "The service refused a field."

    @property
    def field(self) -> str | None:
        """The offending field, where the service named it."""
        value = self.problem.get("field")
        return value if isinstance(value, str) else None


class AuthenticationFailed(ServiceError):
    """PIN, biometry or key refused; neither which nor how many tries are left is told (`device.status()` does)."""

    code = "authentication-failed"
    retry = Retry.RESTART
    message = "Authentication failed."


class DeviceUnusable(ServiceError):
    """Locked, pending or deactivated."""

    code = "device-unusable"
    message = "This device cannot be used."

    @property
    def state(self) -> str | None:
        """PENDING, LOCKED or DEACTIVATED, or ACTIVE when the person is locked."""
        value = self.problem.get("state")
        return value if isinstance(value, str) else None

    @property
    def locked_until(self) -> datetime | None:
        """The end of a lock that ends by itself."""
        value = self.problem.get("lockedUntil")
        try:
            return datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            return None


class OperationUnknown(ServiceError):
    """No such operation for this device."""

    code = "operation-unknown"
    message = "There is no such request."


class OperationClosed(ServiceError):
    """Somebody or something ended the operation first; `state` says how."""

    code = "operation-closed"
    message = "The request is over."

    @property
    def state(self) -> str | None:
        """The operation's final state."""
        value = self.problem.get("state")
        return value if isinstance(value, str) else None


class MessageConflict(ServiceError):
    """The same message id with another content."""

    code = "message-conflict"


class MethodNotAllowed(ServiceError):
    """The operation does not allow this authentication method."""

    code = "method-not-allowed"
    retry = Retry.INPUT
    message = "This request asks for another method."


class VersionUnsupported(ServiceError):
    """The app must be updated."""

    code = "version-unsupported"
    message = "This app is too old for the service."


class RateLimited(ServiceError):
    """Too many messages; wait for `retry_after` seconds."""

    code = "rate-limited"
    retry = Retry.LATER
    message = "Too many attempts."


BY_CODE: dict[str, type[ServiceError]] = {kind.code: kind for kind in ServiceError.__subclasses__()}


def from_problem(problem: Mapping[str, Any]) -> ServiceError:
    """The error for an inner problem; an unknown code is a plain `ServiceError`."""
    kind = BY_CODE.get(str(problem.get("code")), ServiceError)
    after = problem.get("retryAfter")
    detail = problem.get("detail") or problem.get("title")
    return kind(
        detail if isinstance(detail, str) and kind is ServiceError else None,
        retry_after=float(after) if isinstance(after, int | float) else None,
        problem=problem,
    )
