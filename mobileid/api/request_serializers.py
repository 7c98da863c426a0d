"""What callers send to MobileID's API; docs/api.md. Contents are judged by the services, which name the member."""

from typing import ClassVar

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from mobileid.api import examples
from mobileid.models import AuthMethod, Operation
from mobileid.protocol.content import PDF
from mobileid.services import operations
from mobileid.services.descriptions import MIME_TYPES
from mobileid.services.registration import by_integrator
from reuseid.api import patterns
from reuseid.api.examples import example, uses
from reuseid.api.fields import Choice, Flag, Identifier, Text, Whole
from reuseid.api.serializers import StrictSerializer

BASE64_PDF = "^JVBERi[0-3][A-Za-z0-9+/]([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
"""Base64 of what begins with ``%PDF-``."""
_PATH = r'([/?][!"$-\[\]-~]*)?'
RETURN_URL = (
    rf"^(https://[A-Za-z0-9.-]+(:[0-9]{{1,5}})?{_PATH}"
    rf"|http://(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{{1,5}})?{_PATH}"
    r"|(?!(https?|javascript|data|vbscript|file|blob|about|view-source|filesystem|content):)"
    rf'[a-z][a-z0-9+.-]*:(//[A-Za-z0-9._~-]*{_PATH}|(?!//)[!"$-\[\]-~]*))$'
)
"""An https address, an app's own scheme, or (in development) loopback: no fragment, credentials or backslash."""
AMOUNT = r"^(?=.*[1-9])(0|[1-9][0-9]{0,14})(\.[0-9]{1,4})?$"
ACCOUNT = "^[0-9A-Za-z]([0-9A-Za-z /.-]*[0-9A-Za-z/.-])?$"


def _names(**kwargs):
    return serializers.ListField(
        child=Text(max_length=64),
        required=False,
        max_length=32,
        source="requested_attributes",
        help_text="Names of the user's attributes that the completed operation shows.",
        **kwargs,
    )


class ContextBody(StrictSerializer):
    """What the phone shows: a text as `content`, or a PDF as `contentBase64`."""

    rules: ClassVar = {
        "if": {"properties": {"mimeType": {"const": PDF}}},
        "then": {"required": ["contentBase64"], "not": {"required": ["content"]}},
        "else": {"required": ["content"], "not": {"required": ["contentBase64"]}},
    }

    title = Text(
        required=False,
        allow_blank=True,
        max_length=120,
        pattern=patterns.SHOWN,
        help_text="One line above the content.",
    )
    mimeType = Choice([(kind, kind) for kind in MIME_TYPES], help_text="The type of the content.")
    content = Text(
        required=False,
        pattern=patterns.SHOWN_LINES,
        help_text="For text types: the text itself, hashed as its UTF-8 bytes.",
    )
    contentBase64 = Text(
        required=False, pattern=BASE64_PDF, help_text="For application/pdf: base64 (RFC 4648, section 4)."
    )


class TransactionBody(StrictSerializer):
    """A payment, from which the service writes what the phone shows (PSD2 dynamic linking)."""

    amount = Text(help_text="Decimal number with a point, such as 1234.50.", max_length=20, pattern=AMOUNT)
    currency = Text(help_text="ISO 4217, three capitals.", max_length=3, pattern="^[A-Z]{3}$")
    creditorName = Text(help_text="Up to 70 characters.", max_length=70, pattern=patterns.SHOWN_TRIMMED)
    creditorAccount = Text(
        help_text="IBAN, or another account number of up to 34 characters.", max_length=64, pattern=ACCOUNT
    )
    reference = Text(required=False, help_text="Up to 140 characters.", max_length=140, pattern=patterns.SHOWN_TRIMMED)


class PropertiesBody(StrictSerializer):
    """What is asked of the person and the phone."""

    rules: ClassVar = {
        "if": {"properties": {"binding": {"const": "SAME_DEVICE"}}, "required": ["binding"]},
        "then": {"required": ["returnUrl"]},
        "else": {"not": {"required": ["returnUrl"]}},
        # Not both, and not neither.
        "not": {
            "anyOf": [
                {"required": ["transaction", "preOperationContext"]},
                {"not": {"anyOf": [{"required": ["transaction"]}, {"required": ["preOperationContext"]}]}},
            ]
        },
        "dependentSchemas": {
            "authMethods": {
                "if": {"properties": {"authLevel": {"const": "ONE_FACTOR"}}, "required": ["authLevel"]},
                "else": {"properties": {"authMethods": {"items": {"enum": ["DEVICE_PIN", "DEVICE_BIOMETRIC"]}}}},
                "properties": {"authMethods": {"uniqueItems": True}},
            }
        },
    }

    authLevel = Choice(
        Operation.AuthLevel.choices, source="auth_level", required=False, help_text="TWO_FACTOR unless given."
    )
    authMethods = serializers.ListField(
        child=Choice(AuthMethod.choices),
        source="auth_methods",
        required=False,
        min_length=1,
        max_length=3,
        help_text="The methods that may be used; all of the level unless given.",
    )
    binding = Choice(
        Operation.Binding.choices, required=False, help_text="How it is tied to your session; NONE unless given."
    )
    returnUrl = Text(
        source="return_url",
        required=False,
        max_length=500,
        pattern=RETURN_URL,
        help_text="SAME_DEVICE only: where the phone takes the person, with `#operationId=…&returnCode=…` added.",
    )
    preOperationContext = ContextBody(source="content", required=False, help_text="Shown before the decision.")
    postOperationContext = ContextBody(source="post_context", required=False, help_text="Shown after success; 8 KiB.")
    transaction = TransactionBody(required=False, help_text="Instead of preOperationContext: an authorisation.")
    requestedUserAttributes = _names()


class PushBody(StrictSerializer):
    """A notification that wakes the phone."""

    title = Text(required=False, max_length=256, pattern=patterns.SHOWN, help_text="1 to 256 characters.")
    message = Text(required=False, max_length=256, pattern=patterns.SHOWN, help_text="1 to 256 characters.")


class _WhoBody(StrictSerializer):
    rules: ClassVar = {"not": {"required": ["userId", "externalRef"]}}
    may_be_empty: ClassVar = False

    userId = Identifier(source="user_id", required=False, help_text="The person; or externalRef.")
    externalRef = Text(source="external_ref", required=False, max_length=128, help_text="Your own reference.")

    def validate(self, attrs):
        """One name for the person."""
        if "user_id" in attrs and "external_ref" in attrs:
            raise serializers.ValidationError({"externalRef": ["Either userId or externalRef."]})
        return attrs


@extend_schema_serializer(examples=uses(examples.AUTHENTICATIONS_SENT))
class StartBody(_WhoBody):
    """An authentication. Without a person it needs binding QR or SAME_DEVICE: who claims it is the person."""

    rules: ClassVar = _WhoBody.rules | {
        "if": {"not": {"anyOf": [{"required": ["userId"]}, {"required": ["externalRef"]}, {"required": ["deviceId"]}]}},
        "then": {
            "properties": {
                "broadcast": {"const": False},
                "operationProperties": {
                    "required": ["binding"],
                    "properties": {"binding": {"enum": ["QR", "SAME_DEVICE"]}},
                },
            },
        },
        "dependentSchemas": {"deviceId": {"properties": {"broadcast": {"const": False}}}},
    }

    deviceId = Identifier(
        source="device_id", required=False, help_text="Only this phone; the one last used unless given."
    )
    broadcast = Flag(required=False, help_text="Every phone of the person: the first decision counts.")
    operationProperties = PropertiesBody(
        source="properties", help_text="What is asked; with preOperationContext or transaction, which is shown."
    )
    pushNotification = PushBody(source="push_notification", required=False, help_text="Texts for the notification.")
    expiresIn = Whole(
        source="expires_in",
        required=False,
        min_value=operations.EXPIRES_IN_MIN,
        max_value=operations.EXPIRES_IN_MAX,
        help_text="Seconds, 180 unless given.",
    )
    clientReference = Text(
        source="client_reference",
        required=False,
        max_length=operations.REFERENCE_LIMIT,
        help_text="Your own reference of the operation; a filter of the list.",
    )
    allowParallel = Flag(
        source="allow_parallel",
        required=False,
        help_text="Leave your older open operation of this type for the same user open, instead of superseding it.",
    )


@extend_schema_serializer(examples=uses(examples.SIGNATURES_SENT))
class SignatureBody(StartBody):
    """A consent signature; the document is the preOperationContext, up to 2 MiB."""

    rules: ClassVar = StartBody.rules | {
        "dependentSchemas": StartBody.rules["dependentSchemas"]
        | {
            "operationProperties": {
                "properties": {
                    "operationProperties": {
                        "required": ["preOperationContext"],
                        "not": {"required": ["transaction"]},
                    }
                }
            }
        }
    }

    operationProperties = PropertiesBody(source="properties", help_text="With the document to consent to.")


@extend_schema_serializer(examples=uses(examples.REGISTRATIONS_SENT))
class RegistrationBody(_WhoBody):
    """A registration of a phone."""

    rules: ClassVar = _WhoBody.rules | {
        "if": {"not": {"required": ["userId"]}},
        "then": {"required": ["externalRef"]},
    }

    applicationId = Identifier(
        source="application_id", required=False, help_text="Needed when the account has several applications."
    )
    deviceName = Text(
        source="device_name",
        required=False,
        max_length=64,
        pattern=patterns.SHOWN_NAME,
        help_text="Name for the phone.",
    )
    confirmation = Choice(
        Operation.Confirmation.choices,
        required=False,
        help_text="INTEGRATOR: the phone waits until you confirm it with the code that it shows.",
    )
    postOperationContext = ContextBody(source="post_context", required=False, help_text="Shown after success; 8 KiB.")
    requestedUserAttributes = _names()
    expiresIn = Whole(
        source="expires_in",
        required=False,
        min_value=by_integrator.EXPIRES_IN_MIN,
        max_value=by_integrator.EXPIRES_IN_MAX,
        help_text="Seconds, 900 unless given.",
    )
    clientReference = Text(
        source="client_reference",
        required=False,
        max_length=operations.REFERENCE_LIMIT,
        help_text="Your own reference.",
    )
    allowParallel = Flag(
        source="allow_parallel", required=False, help_text="Leave your older open registration of the user open."
    )
    qr = Flag(required=False, default=False, help_text="Answer also with the QR code as an SVG data URI.")


@extend_schema_serializer(examples=example(examples.CONFIRMATION_SENT))
class ConfirmBody(StrictSerializer):
    """The code that the phone shows."""

    confirmationCode = Text(
        max_length=16, pattern="^[0-9]{6}$", help_text="Six digits; the third wrong code fails the registration."
    )


@extend_schema_serializer(examples=example(examples.RELEASE_SENT))
class ReleaseBody(StrictSerializer):
    """The code that came with the return URL."""

    returnCode = Text(max_length=64, pattern="^[A-Za-z0-9_-]{43}$", help_text="43 characters of base64url.")


@extend_schema_serializer(examples=example(examples.NAME_SENT))
class RenameBody(StrictSerializer):
    """A merge patch with the only member that may change."""

    name = Text(max_length=64, pattern=patterns.SHOWN_NAME, help_text="1 to 64 characters.")


class EmptyBody(StrictSerializer):
    """No members."""
