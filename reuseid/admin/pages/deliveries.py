"""What the accounts' systems are told: events, and deliveries with every attempt."""

from datetime import timedelta

from django.conf import settings
from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from reuseid.admin.kit import formatting
from reuseid.admin.kit.dialogs import ReasonForm, row_act
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import AccountFilter, DateFilter, StatusFilter
from reuseid.admin.kit.masking import answers_of, body_of
from reuseid.admin.kit.pages import ROWS, Facts, Header, PageAdmin, Tab, Table, Text, Timeline, trail_of
from reuseid.admin.kit.quick_filters import View, only, since_today
from reuseid.admin.kit.texts import thing
from reuseid.models import Delivery, DeliveryAttempt, Event, User, WebhookEndpoint
from reuseid.services.webhooks import deliveries

ResendForm = ReasonForm.about(
    Delivery, lambda delivery: [_("The same event with the same webhook-id is sent again, from the first retry time.")]
)

# Events


def event_overview(request, event):
    owed = event.deliveries.select_related("endpoint").order_by("created_at")
    rows = [
        [
            formatting.link(Delivery, delivery.pk),
            formatting.state(delivery),
            formatting.link(WebhookEndpoint, delivery.endpoint_id, delivery.endpoint.url),
            delivery.attempts,
        ]
        for delivery in owed[:ROWS]
    ]
    return [
        Facts(
            [
                (_("About"), thing(event.object_type, event.object_id)),
                (_("User"), formatting.link(User, event.user_id, event.user_id)),
                (_("Account"), event.account.name),
            ]
        ),
        Table(
            [_("Delivery"), _("State"), _("Endpoint"), _("Attempts")],
            rows,
            title=_("Deliveries"),
            empty=_("Nobody asked for it."),
        ),
        Text(body_of(event, request.user), title=_("Body, personal values hidden")),
    ]


@admin.register(Event)
class EventAdmin(PageAdmin):
    list_display = ("created_at", "type", "about", "person", "account")
    headers = {"created_at": _("Time")}
    list_display_links = ("created_at",)
    list_filter = (AccountFilter, ("created_at", DateFilter))
    list_select_related = ("account",)
    ordering = ("-sequence",)
    search_exact = ("id", "object_id", "user_id")
    search_hint = _("Id of an event, a user, a device or an operation")
    tabs = [Tab("overview", _("Overview"), event_overview)]

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows if request.resolver_match.kwargs.get("object_id") else rows.defer("payload")

    @display(description=_("About"))
    def about(self, event):
        return thing(event.object_type, formatting.short(event.object_id))

    def header(self, request, event):
        return Header(
            title=event.type, ident=formatting.ident(event.id), lines=[(_("Time"), formatting.when(event.created_at))]
        )


# Deliveries


def delivery_overview(request, delivery):
    said = answers_of(delivery.event, request.user)
    attempts = [
        [
            formatting.link(DeliveryAttempt, attempt.pk, attempt.number),
            formatting.when(attempt.at),
            formatting.NONE if attempt.duration_ms is None else f"{attempt.duration_ms} ms",
            _outcome(attempt),
            attempt.error,
            said(attempt.answer)[:200],
        ]
        for attempt in delivery.attempt_log.order_by("-number")[:ROWS]
    ]
    headers = [
        ("webhook-id", str(delivery.event.id)),
        ("webhook-timestamp", _("the time of each attempt")),
        ("webhook-signature", "v1 (HMAC-SHA256) and v1a (Ed25519), made at each attempt"),
        ("content-type", "application/json"),
    ]
    return [
        Table(
            [_("Attempt"), _("Time"), _("Took"), _("Status"), _("Error"), _("Answer")],
            attempts,
            title=_("Attempts"),
            empty=_("Not tried yet."),
        ),
        Facts(headers, title=_("Headers")),
        Text(body_of(delivery.event, request.user), title=_("Body, personal values hidden")),
        Timeline(trail_of(delivery, request.user), title=_("History"), empty=_("No colleague has sent it again.")),
    ]


def _outcome(attempt):
    if attempt.http_status is None:
        return formatting.badge(_("no answer"), "bad")
    return formatting.badge(attempt.http_status, "good" if 200 <= attempt.http_status < 300 else "bad")


@admin.register(Delivery)
class DeliveryAdmin(PageAdmin):
    page_related = ("account", "event", "endpoint")
    list_display = ("created_at", "state", "event_type", "target", "attempts", "next_try", "account")
    headers = {"created_at": _("Owed since")}
    list_display_links = ("created_at",)
    list_filter = (StatusFilter, AccountFilter, ("created_at", DateFilter))
    views = (
        View(_("Callbacks failing"), only(status="FAILED")),
        View(_("Failed today"), since_today("created_at", status="FAILED")),
        View(_("Still owed"), only(status="PENDING")),
    )
    list_select_related = ("account", "endpoint", "event")
    ordering = ("-created_at", "-id")
    search_exact = ("pk", "object_id", "endpoint_id")
    search_hint = _("Id of a delivery, its object or its endpoint")
    actions_detail = ("resend",)
    tabs = [Tab("overview", _("Overview"), delivery_overview)]
    rights = {"resend": "resend_delivery"}
    available_when = {"resend": lambda delivery: delivery.status in Delivery.MOVES[Delivery.Status.PENDING]}

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows if request.resolver_match.kwargs.get("object_id") else rows.defer("event__payload")

    def refresh_every(self, request, delivery):
        """While the next try is near, the page shows its outcome by itself."""
        near = timezone.now() + timedelta(seconds=settings.CALLBACK_LEASE)
        return 3 if delivery.status == Delivery.Status.PENDING and delivery.next_attempt_at < near else 0

    @display(description=_("Event"))
    def event_type(self, delivery):
        return formatting.link(Event, delivery.event_id, delivery.event.type)

    @display(description=_("Endpoint"))
    def target(self, delivery):
        return formatting.link(WebhookEndpoint, delivery.endpoint_id, delivery.endpoint.url)

    @display(description=_("Next try"), ordering="next_attempt_at")
    def next_try(self, delivery):
        return (
            formatting.when(delivery.next_attempt_at) if delivery.status == Delivery.Status.PENDING else formatting.NONE
        )

    def header(self, request, delivery):
        owed = delivery.status == Delivery.Status.PENDING
        ahead = (_("Next try"), delivery.next_attempt_at) if owed else (_("Settled"), delivery.settled_at)
        return Header(
            title=delivery.event.type,
            state=formatting.state(delivery),
            ident=formatting.ident(delivery.pk),
            lines=[
                (_("To"), formatting.link(WebhookEndpoint, delivery.endpoint_id, delivery.endpoint.url)),
                (
                    _("Event"),
                    formatting.link(Event, delivery.event_id, _("no. %(number)s") % {"number": delivery.event_id}),
                ),
                (_("Owed since"), formatting.when(delivery.created_at)),
                (_("Attempts"), delivery.attempts),
                (ahead[0], formatting.when(ahead[1])),
            ],
        )

    resend = row_act(
        deliveries.resend,
        label=_("Send again"),
        icon="replay",
        effect=Effect.SENDS_AGAIN,
        title=_("Send this callback again"),
        form=ResendForm,
        done=_("It is owed again, due now."),
    )
