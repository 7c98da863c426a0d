"""``POST`` of the three operations."""

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from mobileid.api import request_serializers, response_serializers
from mobileid.api.lists import OperationList
from mobileid.models import Operation
from mobileid.services import contexts, operations
from mobileid.services.descriptions import describe_start
from mobileid.services.qr import svg_data_uri
from mobileid.services.registration import by_integrator
from reuseid.api.errors import MEDIA_TYPE
from reuseid.api.openapi.links import FURTHER
from reuseid.api.openapi.problems import problem_response
from reuseid.errors import Invalid
from reuseid.models import User
from reuseid.services.people import users

_OF_USER = {"requestBody": {"userId": "$response.body#/userId"}}
FURTHER.update(
    {("createUser", start): _OF_USER for start in ("startRegistration", "startAuthentication", "startSignature")}
)
# JSON's escapes make three bytes of one at most (``\u00e4``), base64 fewer; and the frame. Over the content's limit is
# a 422, not a 413.
MAX_BODY = 3 * contexts.SIGNATURE_LIMIT + 128 * 1024
NOT_FOUND = {(404, MEDIA_TYPE): problem_response(404, "The account has no such user or device.")}


def find_user(request, body: dict) -> User | None:
    """The person that a body names; Unknown (404) for an ``externalRef`` that the account does not have.

    One that is named by its id is not read here: the service does when it locks the row, and says Unknown then.
    """
    user_id, external_ref = body.pop("user_id", None), body.pop("external_ref", None)
    if external_ref is not None:
        return users.by_external_ref(request.account, external_ref)
    return None if user_id is None else User(pk=user_id, account=request.account)


def started(operation, shown: dict) -> Response:
    """201 with what only this answer shows."""
    return Response(describe_start(operation) | shown, status=201)


class Registrations(OperationList):
    """Start a registration, or list them."""

    kind = Operation.Type.REGISTRATION
    scopes = {"GET": "operations:read", "POST": "operations:write"}

    @extend_schema(
        request=request_serializers.RegistrationBody,
        responses={201: response_serializers.RegistrationStarted} | NOT_FOUND,
        summary="Start a registration",
        description="The activation code and its URI are shown here and nowhere else.",
    )
    def post(self, request):
        body = self.body(request_serializers.RegistrationBody)
        drawn = body.pop("qr")
        user = find_user(request, body)
        if user is None:
            raise Invalid.field("userId", "Needed, or externalRef.")
        application = operations.only_application(request.account, body.pop("application_id", None))
        operation, shown = by_integrator.start_registration(
            request.account, user=user, application=application, actor=request.actor, **body
        )
        if drawn:
            shown["qr"] = svg_data_uri(shown["activationUri"])
        return started(operation, shown)


class _Starts(OperationList):
    scopes = {"GET": "operations:read", "POST": "operations:write"}
    max_body = MAX_BODY

    def start(self, request, serializer, service):
        body = self.body(serializer)
        terms = body | body.pop("properties", {})
        terms.pop("properties", None)
        terms["user"] = find_user(request, terms)
        operation, shown = service(request.account, actor=request.actor, **terms)
        return started(operation, shown)


class Authentications(_Starts):
    """Start an authentication or authorisation, or list them."""

    kind = Operation.Type.AUTHENTICATION

    @extend_schema(
        request=request_serializers.StartBody,
        responses={201: response_serializers.OperationStarted} | NOT_FOUND,
        summary="Start an authentication",
        description="With `transaction` it is an authorisation: the service writes the content from it, canonically.",
    )
    def post(self, request):
        return self.start(request, request_serializers.StartBody, operations.start_authentication)


class Signatures(_Starts):
    """Start a consent signature, or list them."""

    kind = Operation.Type.SIGNATURE

    @extend_schema(
        request=request_serializers.SignatureBody,
        responses={201: response_serializers.OperationStarted} | NOT_FOUND,
        summary="Start a consent signature",
        description="The completed operation's result holds `signature`, the consent JWT.",
    )
    def post(self, request):
        return self.start(request, request_serializers.SignatureBody, operations.start_signature)
