"""``/reuseid/core/users/{id}/attributes`` and ``/proofings``."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from reuseid.api import patterns, request_serializers
from reuseid.api.etags import etag, versions
from reuseid.api.response_serializers import AttributeAnswer, AttributesAnswer, ProofingAnswer
from reuseid.api.users import ETAG, IF_MATCH, UserView
from reuseid.models import Proofing
from reuseid.services.descriptions import describe_attribute, describe_proofing
from reuseid.services.people import attributes, proofings, users

NAME = OpenApiParameter(
    "name",
    {"type": "string", "pattern": patterns.ATTRIBUTE_NAME, "example": "email"},
    OpenApiParameter.PATH,
    description="The attribute's name.",
)


class Attributes(UserView):
    """All records of a user."""

    scopes = {"GET": "attributes:read"}

    @extend_schema(operation_id="listAttributes", summary="List a user's attributes", responses=AttributesAnswer)
    def get(self, request, user_id):
        """Every record, by name."""
        self.only_query()
        rows = self.user(user_id).attributes.order_by("name")
        return Response({"results": [describe_attribute(row, attributes.value_of(row)) for row in rows]})


class OneAttribute(UserView):
    """``attributes/{name}``: one attribute with its provenance."""

    scopes = {"GET": "attributes:read", "PUT": "attributes:write", "DELETE": "attributes:write"}

    @extend_schema(
        operation_id="getAttribute", summary="Get an attribute", parameters=[NAME], responses=AttributeAnswer
    )
    def get(self, request, user_id, name):
        """The record."""
        self.only_query()
        return self.record(self.user(user_id), name)

    @extend_schema(
        operation_id="putAttribute",
        summary="Set an attribute",
        parameters=[NAME, IF_MATCH, ETAG],
        request=request_serializers.RecordBody,
        responses=AttributeAnswer,
    )
    def put(self, request, user_id, name):
        """Makes or replaces the record; the value before is kept in its history. Sends `user.updated`."""
        record = self.body(request_serializers.RecordBody)
        user = users.update(
            self.user(user_id), actor=request.actor, attributes={name: record}, versions=versions(request)
        )
        return self.record(user, name, headers={"ETag": etag(user)})

    @extend_schema(
        operation_id="deleteAttribute",
        summary="Delete an attribute",
        parameters=[NAME, IF_MATCH],
        responses={204: None},
    )
    def delete(self, request, user_id, name):
        """The value goes to the history. Sends `user.updated`."""
        user = self.user(user_id)
        attributes.get(user, name)
        users.update(user, actor=request.actor, attributes={name: None}, versions=versions(request))
        return Response(status=204)

    @staticmethod
    def record(user, name, headers=None):
        """The stored record as answer."""
        attribute = attributes.get(user, name)
        return Response(describe_attribute(attribute, attributes.value_of(attribute)), headers=headers)


def _describe(proofing):
    return describe_proofing(proofing, proofings.reference_of(proofing))


class Proofings(UserView):
    """Proofings of a user."""

    scopes = {"GET": "users:read", "POST": "users:write"}
    queryset = Proofing.objects.none()
    query_names = ()

    @extend_schema(operation_id="listProofings", summary="List a user's proofings", responses=ProofingAnswer(many=True))
    def get(self, request, user_id):
        """Newest first."""
        return self.page(self.user(user_id).proofings.all(), lambda rows: [_describe(row) for row in rows])

    @extend_schema(
        operation_id="recordProofing",
        summary="Record a proofing",
        request=request_serializers.ProofingBody,
        responses={201: ProofingAnswer},
    )
    def post(self, request, user_id):
        """Proofing happens outside; this records it. Sends `user.updated`."""
        body = self.body(request_serializers.ProofingBody)
        return Response(_describe(proofings.record(self.user(user_id), actor=request.actor, **body)), status=201)


class DeactivateProofing(UserView):
    """A proofing that no longer counts."""

    scopes = {"POST": "users:write"}

    @extend_schema(
        operation_id="deactivateProofing",
        summary="Deactivate a proofing",
        request=request_serializers.ReasonBody,
        responses=ProofingAnswer,
    )
    def post(self, request, user_id, proofing_id):
        """Its attributes are marked (`withdrawnAt`) and lose their assurance level. Sends `user.updated`."""
        body = self.body(request_serializers.ReasonBody)
        proofing = self.find(self.user(user_id).proofings.select_related("user__account"), pk=proofing_id)
        return Response(_describe(proofings.deactivate(proofing, actor=request.actor, **body)))
