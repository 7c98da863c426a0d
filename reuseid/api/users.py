"""``/reuseid/core/users``: people, their states and their history."""

import django_filters
from django.core.validators import RegexValidator
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_field
from rest_framework.response import Response

from reuseid.api import patterns, request_serializers
from reuseid.api.errors import MEDIA_TYPE, InvalidQuery
from reuseid.api.etags import etag, versions
from reuseid.api.examples import LINE
from reuseid.api.filters import FilterSet, MomentFilter, TextFilter
from reuseid.api.openapi.problems import problem_response
from reuseid.api.permissions import has_scope, require_scope
from reuseid.api.response_serializers import ReasonsAnswer, TrailEntryAnswer, TrailProofAnswer, UserAnswer
from reuseid.api.views import APIView
from reuseid.errors import Invalid, Unknown
from reuseid.models import Attribute, TrailEntry, User
from reuseid.normalisation import compose
from reuseid.prepared import Param, Select
from reuseid.services import reasons
from reuseid.services.audit import proofs
from reuseid.services.descriptions import describe_reasons, describe_trail_entry, describe_user
from reuseid.services.people import attributes, catalogue, erasure, users

ATTRIBUTES = OpenApiParameter(
    "attributes", OpenApiTypes.STR, description="Comma-separated names of the attributes to show; all unless given."
)
IF_MATCH = OpenApiParameter(
    "If-Match",
    {"anyOf": [{"type": "string", "const": "*"}, {"type": "string", "pattern": patterns.ENTITY_TAGS}]},
    OpenApiParameter.HEADER,
    description='The ETag that you read, as `"2"`; 412 if it has changed. A weak tag (`W/"2"`) never matches.',
)
ETAG = OpenApiParameter(
    "ETag", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[200, 201], description="The version of the user."
)

LINE_ID = OpenApiParameter(
    "line_id",
    {"type": "string", "pattern": "^[0-9]{1,18}$"},
    OpenApiParameter.PATH,
    description="`id` in the history.",
    examples=[OpenApiExample("Example", LINE["id"])],
)


@extend_schema_field({"type": "string", "pattern": r"^[A-Za-z][A-Za-z0-9_.-]{0,63}:[^\u0000]+$"})
class AttributeFilter(TextFilter):
    """``name:value``."""

    def __init__(self, **kwargs):
        super().__init__(validators=[RegexValidator(":", "Say name:value.")], **kwargs)


class ComposedFilter(TextFilter):
    """Text that is kept composed (NFC), compared however it was composed."""

    def filter(self, queryset, value):
        """By the form that is kept."""
        return super().filter(queryset, value and compose(value))


_USER = Select(lambda: User.objects.of(Param("account")).select_related("account").filter(pk=Param("pk")))


class UserFilters(FilterSet):
    """Each filter is backed by an index."""

    state = django_filters.ChoiceFilter(field_name="status", choices=User.Status.choices)
    externalRef = ComposedFilter(field_name="external_ref")
    segment = ComposedFilter(field_name="segment")
    createdAfter = MomentFilter(field_name="created_at", lookup_expr="gte")
    createdBefore = MomentFilter(field_name="created_at", lookup_expr="lt")
    attribute = AttributeFilter(
        method="by_attribute", help_text="`name:value`, exact; case, spaces and phone formats are forgiven."
    )

    class Meta:
        model = User
        fields = []

    def by_attribute(self, queryset, name, value):
        """By keyed hash; needs attributes:read, since a search tells a value."""
        require_scope(self.request, "attributes:read")
        key, _colon, text = value.partition(":")
        try:
            indexes = catalogue.search_indexes(self.request.account, key, text)
        except Invalid as error:
            raise InvalidQuery(invalid_params=error.invalid_params) from None
        return queryset.filter(pk__in=Attribute.objects.filter(blind_index__in=indexes).values("user"))


class UserView(APIView):
    """Finds a user of the caller's account, and describes it with the attributes that the caller may see."""

    query_names = ("attributes",)
    serializer_class = UserAnswer

    def user(self, user_id):
        """With its account, in one query; 404 for another account's."""
        user = _USER.one(account=self.request.account.pk, pk=user_id)
        if user is None:
            raise Unknown
        return user

    def answer(self, user, status=200):
        """The user with its ETag."""
        return Response(self.describe([user], shown=True)[0], status=status, headers={"ETag": etag(user)})

    def shown_again(self, answer):
        """Attribute values only for a caller who may still read them."""
        if not has_scope(self.request, "attributes:read"):
            answer.pop("attributes", None)
        return answer

    def describe(self, found, shown=None):
        """Descriptions in one query for all; in a list, values only where ``attributes`` asks for them."""
        names = self.request.query_params.get("attributes")
        may_read = has_scope(self.request, "attributes:read")
        if names is not None and not may_read:
            require_scope(self.request, "attributes:read")
        if not may_read or not (shown or names is not None):
            return [describe_user(user) for user in found]
        wanted = None if names is None else [name for name in names.split(",") if name]
        values = attributes.values(found, wanted)
        return [describe_user(user, values[user.pk]) for user in found]


class Users(UserView):
    """All users of the account."""

    scopes = {"GET": "users:read", "POST": "users:write"}
    filterset_class = UserFilters
    max_body = 256 * 1024

    @extend_schema(
        operation_id="listUsers",
        summary="List users",
        parameters=[ATTRIBUTES],
        responses=UserAnswer(many=True),
        examples=[OpenApiExample("Exact", "email:anna@example.com", parameter_only=("attribute", "query"))],
    )
    def get(self, request):
        """Newest first. Attribute values are shown where `attributes` names them."""
        return self.page(User.objects.of(request.account), self.describe)

    @extend_schema(
        operation_id="createUser",
        summary="Create a user",
        parameters=[ETAG],
        request=request_serializers.CreateUserBody,
        responses={201: UserAnswer},
    )
    def post(self, request):
        """A new ACTIVE user. 409 `external_ref_taken`, `attribute_not_unique`. Sends `user.created`."""
        body = self.body(request_serializers.CreateUserBody)
        if body.get("attributes"):
            require_scope(request, "attributes:write")
        user = users.create(
            request.account,
            actor=request.actor,
            external_ref=body.get("external_ref"),
            segment=body.get("segment") or "",
            attributes=body.get("attributes"),
            proofing=body.get("proofing"),
        )
        return self.answer(user, 201)


class UserDetailView(UserView):
    """A user by id."""

    scopes = {"GET": "users:read", "PATCH": "users:write"}
    max_body = 256 * 1024

    @extend_schema(operation_id="getUser", summary="Get a user", parameters=[ATTRIBUTES, ETAG], responses=UserAnswer)
    def get(self, request, user_id):
        """The user and its attributes."""
        self.only_query("attributes")
        return self.answer(self.user(user_id))

    @extend_schema(
        operation_id="updateUser",
        summary="Change a user",
        parameters=[IF_MATCH, ETAG],
        request=request_serializers.PatchUserBody,
        responses=UserAnswer,
    )
    def patch(self, request, user_id):
        """Merge patch (RFC 7396): absent members stay, null removes. Sends `user.updated`."""
        body = self.body(request_serializers.PatchUserBody)
        if body.get("attributes"):
            require_scope(request, "attributes:write")
        user = users.update(self.user(user_id), actor=request.actor, versions=versions(request), **body)
        return self.answer(user)


class UserByExternalRef(UserView):
    """A user by your own reference."""

    scopes = {"GET": "users:read"}

    @extend_schema(
        operation_id="getUserByExternalRef",
        summary="Get a user by external reference",
        parameters=[ATTRIBUTES, ETAG],
        responses=UserAnswer,
    )
    def get(self, request, external_ref):
        """Percent-encode the reference."""
        self.only_query("attributes")
        return self.answer(users.by_external_ref(request.account, external_ref))


class ActOnUser(UserView):
    """POST with a reason: one service, the user as answer."""

    scopes = {"POST": "users:write"}
    body_class = request_serializers.ReasonBody
    status = 200

    def act(self, user, **body):
        """The service; set by each subclass."""
        return type(self).service(user, actor=self.request.actor, **body)

    def run(self, user_id):
        """Find, act, answer."""
        body = self.body(self.body_class)
        return self.answer(self.act(self.user(user_id), **body), self.status)


class LockUser(ActOnUser):
    """``…/lock``: from ACTIVE to LOCKED, with a reason."""

    body_class = request_serializers.LockBody
    service = staticmethod(users.lock)

    @extend_schema(
        operation_id="lockUser", summary="Lock a user", request=request_serializers.LockBody, responses=UserAnswer
    )
    def post(self, request, user_id):
        """ACTIVE to LOCKED: open operations are cancelled and devices unusable at once. Sends `user.locked`."""
        return self.run(user_id)


class UnlockUser(ActOnUser):
    """``…/unlock``: from LOCKED to ACTIVE, with a reason."""

    service = staticmethod(users.unlock)

    @extend_schema(
        operation_id="unlockUser", summary="Unlock a user", request=request_serializers.ReasonBody, responses=UserAnswer
    )
    def post(self, request, user_id):
        """LOCKED to ACTIVE; a device that was locked for itself stays so. Sends `user.unlocked`."""
        return self.run(user_id)


class DeactivateUser(ActOnUser):
    """``…/deactivate``: to DEACTIVATED, for good."""

    service = staticmethod(users.deactivate)

    @extend_schema(
        operation_id="deactivateUser",
        summary="Deactivate a user",
        request=request_serializers.ReasonBody,
        responses=UserAnswer,
    )
    def post(self, request, user_id):
        """For good: open operations are cancelled and devices deactivated. Sends `user.deactivated`."""
        return self.run(user_id)


class EraseUser(ActOnUser):
    """``…/erase``: ask for the erasure; a task carries it out."""

    service = staticmethod(erasure.request)
    status = 202

    @extend_schema(
        operation_id="eraseUser",
        summary="Erase a user's personal data",
        request=request_serializers.ReasonBody,
        responses={202: UserAnswer},
    )
    def post(self, request, user_id):
        """Deactivates the user if need be. The data goes within minutes (`erased`); evidence and trail stay, under the
        user's id alone."""
        return self.run(user_id)


class UserEvents(UserView):
    """The trail of a person."""

    queryset = TrailEntry.objects.none()
    scopes = {"GET": "users:read"}
    orderings = {"time": "pk"}
    query_names = ()

    @extend_schema(
        operation_id="listUserEvents", summary="List a user's history", responses=TrailEntryAnswer(many=True)
    )
    def get(self, request, user_id):
        """Every change of the user, its attributes, devices and operations: when, who, why. Newest first.

        Of our staff it says only that it was they; what they looked at, noted and asked each other is not in it.
        """
        user = self.user(user_id)
        lines = TrailEntry.objects.told(user)
        return self.page(lines, lambda entries: [describe_trail_entry(entry) for entry in entries])


class UserEventProof(UserView):
    """Proof of one line of the trail of a person."""

    scopes = {"GET": "users:read"}

    @extend_schema(
        operation_id="getUserEventProof",
        summary="Prove a line of a user's history",
        parameters=[LINE_ID],
        responses={
            200: TrailProofAnswer,
            (409, MEDIA_TYPE): problem_response(
                409, "It is not sealed yet, or was sealed before there were proofs.", proofs.NotSealed
            ),
        },
    )
    def get(self, request, user_id, line_id):
        """That a line was sealed as it is: an inclusion proof (RFC 9162) that anybody can check with the public keys.

        409 `not_sealed` in its first minute or two, `not_provable` if it was sealed before there were proofs.
        """
        self.only_query()
        lines = TrailEntry.objects.told(self.user(user_id))
        return Response(proofs.prove(self.find(lines, pk=line_id)))


class Reasons(APIView):
    """``reasons``: the codes that locks and the like may name."""

    scopes = {"GET": "users:read"}

    @extend_schema(operation_id="listReasons", summary="List the reasons", responses=ReasonsAnswer)
    def get(self, request):
        """Codes that lock, unlock, deactivate and erase take, for users and devices."""
        self.only_query()
        return Response(describe_reasons(reasons.sentences()))
