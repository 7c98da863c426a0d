"""Webhook endpoints, their deliveries, and the list of events."""

from typing import ClassVar

import django_filters
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.response import Response

from reuseid.api import request_serializers
from reuseid.api.examples import EVENT, TESTED, event
from reuseid.api.filters import FilterSet, MomentFilter, TextFilter
from reuseid.api.permissions import has_scope
from reuseid.api.response_serializers import (
    DeliveryShape,
    DeliveryWithAttempts,
    EventShape,
    Resent,
    Webhook,
    WebhookWithSecret,
)
from reuseid.api.views import APIView
from reuseid.event_scopes import READING
from reuseid.models import Delivery, Event, WebhookEndpoint
from reuseid.services.webhooks import deliveries, endpoints
from reuseid.services.webhooks.descriptions import (
    describe_attempts,
    describe_delivery,
    describe_event,
    describe_resent,
    describe_webhook,
    describe_with_secret,
)

MANAGE = "webhooks:manage"
WEBHOOKS = ["Webhooks"]
TEST = OpenApiExample("A test", {"id": EVENT} | event("webhook.test", TESTED))
EVENT_ID = OpenApiParameter(
    "event_id", str, OpenApiParameter.PATH, description="The `webhook-id`.", examples=[OpenApiExample("Example", EVENT)]
)


def readable(request) -> list[str]:
    """The scopes of the caller that open something of an event."""
    return [scope for scope in READING if has_scope(request, scope)]


class WebhookView(APIView):
    """The base of what concerns one endpoint."""

    def endpoint(self, webhook_id):
        """The account's endpoint, or 404; a deleted one is none."""
        return self.find(WebhookEndpoint.objects.of(self.request.account), pk=webhook_id)

    def with_secret(self, endpoint, status=200):
        """For who made or rotated it, once."""
        endpoint.refresh_from_db()
        return Response(describe_with_secret(endpoint, endpoints.secret_of(endpoint)), status=status)


class WebhooksView(WebhookView):
    """All endpoints of the account."""

    queryset = WebhookEndpoint.objects.none()
    scopes: ClassVar = {"GET": MANAGE, "POST": MANAGE}

    @extend_schema(
        operation_id="listWebhooks",
        summary="List webhooks",
        tags=WEBHOOKS,
        responses=Webhook(many=True),
    )
    def get(self, request):
        """The newest first."""
        queryset = WebhookEndpoint.objects.of(request.account)
        return self.page(queryset, lambda rows: [describe_webhook(row) for row in rows])

    @extend_schema(
        operation_id="createWebhook",
        summary="Create a webhook",
        tags=WEBHOOKS,
        request=request_serializers.WebhookCreation,
        responses={201: WebhookWithSecret},
    )
    def post(self, request):
        """The only answer, but that of a rotation, which holds the secret. Events that happen from now on are sent."""
        values = self.body(request_serializers.WebhookCreation)
        holds = readable(request)
        values.setdefault("scopes", holds)
        endpoint = endpoints.create(request.account, actor=request.actor, holds=holds, **values)
        return self.with_secret(endpoint, status=201)


class WebhookDetailView(WebhookView):
    """``webhooks/{id}``: read, change and delete one endpoint."""

    scopes: ClassVar = {"GET": MANAGE, "PATCH": MANAGE, "DELETE": MANAGE}

    @extend_schema(operation_id="getWebhook", summary="Get a webhook", tags=WEBHOOKS, responses=Webhook)
    def get(self, request, webhook_id):
        """With its state and, while it fails, since when."""
        self.only_query()
        return Response(describe_webhook(self.endpoint(webhook_id)))

    @extend_schema(
        operation_id="updateWebhook",
        summary="Change a webhook",
        tags=WEBHOOKS,
        request=request_serializers.WebhookChange,
        responses=Webhook,
    )
    def patch(self, request, webhook_id):
        """Members that are absent stay. What is owed already goes to the new URL."""
        values = self.body(request_serializers.WebhookChange)
        endpoint = endpoints.update(self.endpoint(webhook_id), actor=request.actor, holds=readable(request), **values)
        return Response(describe_webhook(endpoint))

    @extend_schema(
        operation_id="deleteWebhook", summary="Delete a webhook", tags=WEBHOOKS, request=None, responses={204: None}
    )
    def delete(self, request, webhook_id):
        """For good: its keys are forgotten, and what is owed to it is not sent."""
        endpoints.delete(self.endpoint(webhook_id), actor=request.actor)
        return Response(status=204)


class RotateSecretView(WebhookView):
    """``…/rotate-secret``: new signing keys; the old ones sign beside them for a while."""

    scopes: ClassVar = {"POST": MANAGE}

    @extend_schema(
        operation_id="rotateWebhookSecret",
        summary="Rotate a webhook's keys",
        tags=WEBHOOKS,
        request=request_serializers.Rotation,
        responses=WebhookWithSecret,
    )
    def post(self, request, webhook_id):
        """Both keys are new; the old ones sign too for `overlapHours`, so nothing is refused in between."""
        values = self.body(request_serializers.Rotation)
        endpoint = endpoints.rotate_secret(self.endpoint(webhook_id), actor=request.actor, **values)
        return self.with_secret(endpoint)


class TestEventView(WebhookView):
    """``…/test``: a `webhook.test` event to this endpoint alone."""

    scopes: ClassVar = {"POST": MANAGE}

    @extend_schema(
        operation_id="testWebhook",
        summary="Send a test event",
        tags=WEBHOOKS,
        request=request_serializers.Empty,
        responses={202: OpenApiResponse(EventShape, examples=[TEST])},
    )
    def post(self, request, webhook_id):
        """A `webhook.test` event to this webhook alone, whatever its event types; 409 unless it is ACTIVE."""
        self.body(request_serializers.Empty)
        event = endpoints.send_test(self.endpoint(webhook_id), actor=request.actor)
        event.refresh_from_db()
        return Response(describe_event(event, readable(request)), status=202)


class PauseView(WebhookView):
    """``…/pause``: nothing is sent, events are kept."""

    scopes: ClassVar = {"POST": MANAGE}

    @extend_schema(
        operation_id="pauseWebhook",
        summary="Pause a webhook",
        tags=WEBHOOKS,
        request=request_serializers.Empty,
        responses=Webhook,
    )
    def post(self, request, webhook_id):
        """Nothing is sent; what happens meanwhile stays owed. 409 unless it is ACTIVE."""
        self.body(request_serializers.Empty)
        endpoint = self.endpoint(webhook_id)
        endpoints.pause(endpoint, actor=request.actor)
        return Response(describe_webhook(self.endpoint(webhook_id)))


class ResumeView(WebhookView):
    """``…/resume``: what was kept is sent."""

    scopes: ClassVar = {"POST": MANAGE}

    @extend_schema(
        operation_id="resumeWebhook",
        summary="Resume a webhook",
        tags=WEBHOOKS,
        request=request_serializers.Empty,
        responses=Webhook,
    )
    def post(self, request, webhook_id):
        """From PAUSED or DISABLED. What is owed is sent; what happened while it was DISABLED is resent on request."""
        self.body(request_serializers.Empty)
        endpoints.resume(self.endpoint(webhook_id), actor=request.actor)
        return Response(describe_webhook(self.endpoint(webhook_id)))


class ResendSinceView(WebhookView):
    """Everything since a time."""

    scopes: ClassVar = {"POST": MANAGE}

    @extend_schema(
        operation_id="resendWebhookSince",
        summary="Resend what was missed since a time",
        tags=WEBHOOKS,
        request=request_serializers.ResendSince,
        responses={202: Resent},
    )
    def post(self, request, webhook_id):
        """With the same ids. At most 10 000 events a call: while `continueFrom` is not null, call again with it."""
        values = self.body(request_serializers.ResendSince)
        count, more = deliveries.resend_since(self.endpoint(webhook_id), actor=request.actor, **values)
        return Response(describe_resent(count, more), status=202)


class DeliveryFilter(FilterSet):
    state = django_filters.ChoiceFilter("status", choices=Delivery.Status.choices)
    eventType = TextFilter("event__type")
    eventId = django_filters.UUIDFilter("event__id")
    createdAfter = MomentFilter("created_at", lookup_expr="gte")
    createdBefore = MomentFilter("created_at", lookup_expr="lt")

    class Meta:
        model = Delivery
        fields: ClassVar = []


class DeliveriesView(WebhookView):
    """What was and is owed to one endpoint."""

    scopes: ClassVar = {"GET": MANAGE}
    filterset_class = DeliveryFilter

    @extend_schema(
        operation_id="listDeliveries",
        summary="List deliveries",
        tags=WEBHOOKS,
        responses=DeliveryShape(many=True),
    )
    def get(self, request, webhook_id):
        """The newest first, without their attempts."""
        queryset = Delivery.objects.of(request.account).filter(endpoint=self.endpoint(webhook_id))
        queryset = queryset.select_related("event").defer("event__payload")
        return self.page(queryset, lambda rows: [describe_delivery(row) for row in rows])


class DeliveryDetailView(WebhookView):
    """``…/deliveries/{id}``: one delivery with its attempts."""

    scopes: ClassVar = {"GET": MANAGE}

    @extend_schema(
        operation_id="getDelivery",
        summary="Get a delivery",
        tags=WEBHOOKS,
        responses=DeliveryWithAttempts,
    )
    def get(self, request, webhook_id, delivery_id):
        """With every attempt: when, how long, what came back (the first 2 KiB, for who may read what was sent)."""
        self.only_query()
        return Response(describe_attempts(self.delivery(webhook_id, delivery_id), readable(request)))

    def delivery(self, webhook_id, delivery_id):
        """The endpoint's delivery, or 404."""
        queryset = Delivery.objects.of(self.request.account).defer("event__payload")
        queryset = queryset.select_related("event", "endpoint__granted_by")
        return self.find(queryset, pk=delivery_id, endpoint=self.endpoint(webhook_id))


class ResendView(DeliveryDetailView):
    """``…/resend`` of a delivery: it is owed anew, under the same id."""

    scopes: ClassVar = {"POST": MANAGE}
    http_method_names = ("post",)

    @extend_schema(
        operation_id="resendDelivery",
        summary="Resend a delivery",
        tags=WEBHOOKS,
        request=request_serializers.Empty,
        responses={202: DeliveryShape},
    )
    def post(self, request, webhook_id, delivery_id):
        """With the same id and body, from the start of the retry table. One that is being sent is left alone."""
        self.body(request_serializers.Empty)
        delivery = self.delivery(webhook_id, delivery_id)
        deliveries.resend(delivery, actor=request.actor)
        return Response(describe_delivery(self.delivery(webhook_id, delivery_id)), status=202)


class EventFilter(FilterSet):
    type = TextFilter("type")
    objectId = django_filters.UUIDFilter("object_id")
    userId = django_filters.UUIDFilter("user_id")
    createdAfter = MomentFilter("created_at", lookup_expr="gte")
    createdBefore = MomentFilter("created_at", lookup_expr="lt")

    class Meta:
        model = Event
        fields: ClassVar = []


class EventsView(APIView):
    """Everything that was told, and what would have been told had there been a webhook."""

    scopes: ClassVar = {"GET": MANAGE}
    filterset_class = EventFilter

    @extend_schema(
        operation_id="listEvents",
        summary="List events",
        tags=WEBHOOKS,
        responses=EventShape(many=True),
    )
    def get(self, request):
        """The newest first. Who polls asks `createdAfter` with a minute's overlap and drops ids that it knows.

        `data` is what the token's scopes show: `users:read`, `devices:read` and `operations:read` open events of the
        same, `attributes:read` the attribute values in them. What they don't open is left out; ids are always there.
        """
        queryset = Event.objects.of(request.account)
        scopes = readable(request)
        return self.page(queryset, lambda rows: [describe_event(row, scopes) for row in rows])


class EventDetailView(APIView):
    """``events/{id}``: one event as it was sent, as far as the caller may read it."""

    scopes: ClassVar = {"GET": MANAGE}

    @extend_schema(
        operation_id="getEvent",
        summary="Get an event",
        tags=WEBHOOKS,
        responses=EventShape,
        parameters=[EVENT_ID],
    )
    def get(self, request, event_id):
        """By the id that the callback carried as `webhook-id`."""
        self.only_query()
        event = self.find(Event.objects.of(request.account), id=event_id)
        return Response(describe_event(event, readable(request)))
