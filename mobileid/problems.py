"""What a phone can be told; docs/protocol.md, chapters 3 and 8, lists every code.

Services of the device protocol raise these; `mobileid.device_api` puts them into the sealed answer (the outer ones
into plain problem details, RFC 9457). No text ever holds a personal value or a secret. What integrators are told of
the same phones is in `mobileid.errors`.
"""

from typing import Any, Self

from mobileid.models import Device
from reuseid.errors import PHONES, ServiceError
from reuseid.times import rfc3339


class PhoneProblem(ServiceError):
    """A problem inside the sealed answer."""

    audience = PHONES


class RegistrationInvalid(PhoneProblem):
    """Wrong, expired, used and unknown codes alike."""

    code = "registration-invalid"
    title = "The activation code is not valid."


class ClockSkew(PhoneProblem):
    """The phone's clock is more than 120 s off; ``serverTime`` in Unix milliseconds."""

    code = "clock-skew"
    title = "The phone's clock is wrong."


class MessageInvalid(PhoneProblem):
    """A member is missing, unknown or of the wrong form; ``field`` names it."""

    code = "message-invalid"
    title = "The message is not valid."

    def __init__(self, field: str, detail: str = "") -> None:
        super().__init__(detail, field=field)


class AuthenticationFailed(PhoneProblem):
    """Says neither which factor failed nor how many tries are left."""

    status = 401
    code = "authentication-failed"
    title = "Authentication failed."


class DeviceUnusable(PhoneProblem):
    """Told only to a phone that proved its possession key."""

    status = 403
    code = "device-unusable"
    title = "The device can't be used."

    @classmethod
    def of(cls, device: Device) -> Self:
        """With the device's state and, for a lock that ends by itself, its end."""
        members: dict[str, Any] = {"state": str(device.status)}
        if device.status == device.Status.LOCKED and device.locked_until:
            members["lockedUntil"] = rfc3339(device.locked_until)
        return cls(**members)


class OperationUnknown(PhoneProblem):
    """Nothing of that id or claim for this device."""

    status = 404
    code = "operation-unknown"
    title = "There is no such operation for this device."


class OperationClosed(PhoneProblem):
    """Somebody or something ended it first; ``state`` says how."""

    status = 409
    code = "operation-closed"
    title = "The operation is over."

    def __init__(self, state: str) -> None:
        super().__init__(state=str(state))


class MessageConflict(PhoneProblem):
    """Another message came under the same ``mid``."""

    status = 409
    code = "message-conflict"
    title = "Another message has this id."


class MethodNotAllowed(PhoneProblem):
    """The operation, the application or the device does not allow this method."""

    status = 422
    code = "method-not-allowed"
    title = "This method is not allowed."


class VersionUnsupported(PhoneProblem):
    """The SDK is older than the application's minimum."""

    status = 426
    code = "version-unsupported"
    title = "This app is too old."


class RateLimited(PhoneProblem):
    """A limit; ``retryAfter`` in seconds."""

    status = 429
    code = "rate-limited"
    title = "Too many attempts."

    def __init__(self, retry_after: int) -> None:
        super().__init__(retryAfter=retry_after)


class KeyUnknown(ServiceError):
    """Outer: the channel key is unknown, over or erased, or below the application's suite."""

    status = 409
    code = "key-unknown"
    audience = PHONES
    title = "The channel key is not known: fetch the key document again."


class StillJudged(ServiceError):
    """Outer: the same message is being judged at this moment; send it again."""

    status = 503
    code = "unavailable"
    audience = PHONES
    title = "Try again in a moment."


class EnvelopeRefused(ServiceError):
    """Outer: not an envelope of this protocol, or sealed for another key; fetch the key document again, seal anew."""

    code = "envelope-invalid"
    title = "The envelope is not valid."
    audience = PHONES


class TooLarge(ServiceError):
    """Outer: the message is larger than the door takes."""

    status = 413
    code = "too-large"
    title = "The body is larger than this call takes."
    audience = PHONES


BEFORE_THE_DOOR = {408: "too-slow", TooLarge.status: TooLarge.code, StillJudged.status: StillJudged.code}
"""What a phone is told by `reuseid.ingress`, by the status."""
