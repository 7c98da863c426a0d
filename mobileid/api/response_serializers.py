"""What MobileID's API answers, for the OpenAPI document; the answers themselves are made by services/descriptions."""

from rest_framework import serializers

from mobileid.api.request_serializers import MIME_TYPES, ContextBody, TransactionBody
from mobileid.models import AuthMethod, Device, Operation
from reuseid.api.openapi.events import register
from reuseid.api.response_serializers import ActorAnswer
from reuseid.models import User

TIME = "RFC 3339, UTC, milliseconds."
Type, Status = Operation.Type, Operation.Status
FAILURE_REASONS = (
    # CANCELED
    *("CANCELED", "SUPERSEDED", "USER_LOCKED", "USER_DEACTIVATED", "DEVICE_DEACTIVATED"),
    # REJECTED
    *("USER", "NOT_ME"),
    # FAILED
    *("NUMBER_MISMATCH", "CONFIRMATION_FAILED"),
)


class StartedAnswer(serializers.Serializer):
    """What every start answers."""

    operationId = serializers.UUIDField(help_text="The operation's id.")
    type = serializers.ChoiceField(Type.choices, help_text="The kind of operation.")
    state = serializers.ChoiceField(Status.choices, help_text="PENDING.")
    expiresAt = serializers.DateTimeField(help_text=TIME)


class RegistrationStarted(StartedAnswer):
    """The activation code is shown here and nowhere else."""

    activationCode = serializers.CharField(help_text="XXXX-XXXX-XXXX, single use; the person types it.")
    activationUri = serializers.CharField(help_text="The same as an address, for a QR code or a link.")
    qr = serializers.CharField(required=False, help_text="With `qr: true`: activationUri as an SVG data URI.")


class OperationStarted(StartedAnswer):
    """What ties it to your session is shown here and nowhere else."""

    matchingNumber = serializers.CharField(
        required=False, help_text="NUMBER: two digits, which your page shows and the person types on the phone."
    )
    claim = serializers.CharField(required=False, help_text="QR and SAME_DEVICE: names the operation to the phone.")
    qrSecret = serializers.CharField(
        required=False, help_text="QR: 32 bytes in base64url, for a server that draws the frames itself."
    )
    qrUri = serializers.CharField(required=False, help_text="QR: the frame of this second.")
    appLink = serializers.CharField(required=False, help_text="SAME_DEVICE: what your page opens on the phone.")


class PersonPart(serializers.Serializer):
    userId = serializers.UUIDField(help_text="The user.")
    externalRef = serializers.CharField(allow_null=True, help_text="Your own reference.")
    state = serializers.ChoiceField(User.Status.choices, help_text="The user's state.")


class PhonePart(serializers.Serializer):
    deviceId = serializers.UUIDField(help_text="The device.")
    name = serializers.CharField(help_text="Its name.")
    platform = serializers.CharField(allow_null=True, help_text="As the phone reports it.")


class ContentPart(serializers.Serializer):
    """What the phone shows. The content itself only up to 16 KiB: whoever started the operation has it."""

    title = serializers.CharField(allow_blank=True, help_text="One line above the content.")
    mimeType = serializers.ChoiceField([(kind, kind) for kind in MIME_TYPES], help_text="The type of the content.")
    size = serializers.IntegerField(help_text="Of the content, in bytes.")
    hash = serializers.CharField(help_text="SHA-256 over title, type and content, in base64url; docs/protocol.md.")
    content = serializers.CharField(required=False, allow_blank=True, help_text="The text.")
    contentBase64 = serializers.CharField(required=False, help_text="The PDF, in base64.")


class KeyPart(serializers.Serializer):
    """A public key of P-256 (RFC 7517, RFC 7518 section 6.2)."""

    kty = serializers.ChoiceField(["EC"], help_text="EC.")
    crv = serializers.ChoiceField(["P-256"], help_text="P-256.")
    x = serializers.CharField(help_text="32 bytes in base64url.")
    y = serializers.CharField(help_text="32 bytes in base64url.")


class PropertiesPart(serializers.Serializer):
    """As it was asked for, with defaults filled in; registrations have the last four, the others the rest."""

    authLevel = serializers.ChoiceField(Operation.AuthLevel.choices, required=False)
    authMethods = serializers.ListField(child=serializers.ChoiceField(AuthMethod.choices), required=False)
    binding = serializers.ChoiceField(Operation.Binding.choices, required=False)
    returnUrl = serializers.CharField(required=False, allow_null=True)
    broadcast = serializers.BooleanField(required=False)
    preOperationContext = ContentPart(required=False, allow_null=True, help_text="Not in lists.")
    transaction = TransactionBody(required=False, help_text="As sent. Not in lists.")
    postOperationContext = ContextBody(required=False, allow_null=True, help_text="As sent. Not in lists.")
    requestedUserAttributes = serializers.ListField(child=serializers.CharField())
    applicationId = serializers.UUIDField(required=False)
    confirmation = serializers.ChoiceField(Operation.Confirmation.choices, required=False)
    deviceName = serializers.CharField(required=False, allow_null=True)


class ResultPart(serializers.Serializer):
    authMethod = serializers.ChoiceField(AuthMethod.choices, allow_null=True, help_text="The method that was used.")
    requestedUserAttributes = serializers.DictField(
        child=serializers.JSONField(), help_text="Name to value, of those that there are; needs attributes:read."
    )
    signature = serializers.CharField(required=False, help_text="Signatures: the consent JWT.")


class EvidencePart(serializers.Serializer):
    """Verifies offline; docs/protocol.md, chapter 9."""

    proof = serializers.CharField(help_text="Compact JWS of the device over the statement.")
    deviceJwk = KeyPart(help_text="The public key that signed it.")
    deviceThumbprint = serializers.CharField(help_text="RFC 7638.")
    authMethod = serializers.ChoiceField(
        AuthMethod.choices, allow_null=True, help_text="The method that was used; null for a registration."
    )
    at = serializers.DateTimeField(help_text=TIME)


class OperationRow(serializers.Serializer):
    """An operation as lists show it."""

    operationId = serializers.UUIDField(help_text="The operation's id.")
    type = serializers.ChoiceField(Type.choices, help_text="The kind of operation.")
    state = serializers.ChoiceField(Status.choices, help_text="All but PENDING and IN_PROGRESS are final.")
    failureReason = serializers.ChoiceField(
        FAILURE_REASONS,
        required=False,
        help_text="Why it is CANCELED (CANCELED, SUPERSEDED, USER_LOCKED, USER_DEACTIVATED, DEVICE_DEACTIVATED), "
        "REJECTED (USER, NOT_ME) or FAILED (NUMBER_MISMATCH, CONFIRMATION_FAILED).",
    )
    awaitingReturnCode = serializers.BooleanField(
        required=False, help_text="True when the phone has approved and `release` is due (SAME_DEVICE)."
    )
    created = serializers.DateTimeField(help_text=TIME)
    completed = serializers.DateTimeField(allow_null=True, help_text="When it ended, however it did.")
    expiresAt = serializers.DateTimeField(help_text=TIME)
    clientReference = serializers.CharField(allow_null=True, help_text="Your own reference.")
    user = PersonPart(allow_null=True, help_text="Null until a phone claims an operation started for nobody.")
    device = PhonePart(allow_null=True, help_text="The phone that answered, or was asked.")
    operationProperties = PropertiesPart(help_text="What was asked.")
    result = ResultPart(allow_null=True, help_text="Of a completed operation. Null in lists.")


class OperationAnswer(OperationRow):
    """The status of an operation; also the `data` of its events."""

    evidence = EvidencePart(required=False, help_text="Of a completed operation.")


class QRFrame(serializers.Serializer):
    """What the page shows in this second."""

    t = serializers.IntegerField(help_text="Unix seconds; a phone takes it from a second before to three after.")
    qrUri = serializers.CharField(help_text="The content of the QR code.")
    qr = serializers.CharField(help_text="The QR code as an SVG data URI.")


class DeviceAnswer(serializers.Serializer):
    """A phone bound to a person."""

    deviceId = serializers.UUIDField(help_text="The device's id.")
    userId = serializers.UUIDField(help_text="Whose it is.")
    applicationId = serializers.UUIDField(help_text="The app that it runs.")
    state = serializers.ChoiceField(Device.Status.choices, help_text="DEACTIVATED is final.")
    lockReason = serializers.CharField(allow_null=True, help_text="While LOCKED: the reason's code.")
    lockedUntil = serializers.DateTimeField(allow_null=True, help_text="While LOCKED: when the lock ends, if it does.")
    name = serializers.CharField(help_text="The name that its person gave it.")
    platform = serializers.CharField(allow_null=True, help_text="As the phone reports it, like the next four.")
    osVersion = serializers.CharField(allow_null=True)
    model = serializers.CharField(allow_null=True)
    sdkVersion = serializers.CharField(allow_null=True)
    appVersion = serializers.CharField(allow_null=True)
    authMethods = serializers.ListField(
        child=serializers.ChoiceField(AuthMethod.choices), help_text="What it has keys for and its application allows."
    )
    keyVersion = serializers.IntegerField(help_text="Raised by every change of the PIN.")
    keyThumbprint = serializers.CharField(help_text="RFC 7638, of the possession key.")
    failedAttempts = serializers.IntegerField(help_text="Since the last good one.")
    lastUsed = serializers.DateTimeField(allow_null=True, help_text=TIME)
    created = serializers.DateTimeField(help_text=TIME)


class DeviceEventData(DeviceAnswer):
    """`data` of a device's event: the device, who changed it and why."""

    actor = ActorAnswer()
    reason = serializers.CharField(allow_null=True, help_text="The reason's code, where a person decided.")


register("device", DeviceEventData)
for noun in ("operation", *Type.values):
    register(noun, OperationAnswer)
