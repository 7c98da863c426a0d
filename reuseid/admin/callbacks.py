"""What the accounts' systems are told: events, deliveries with every attempt, and the endpoints they go to."""

import json

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from reuseid import crypto
from reuseid.admin import cells
from reuseid.admin.dialogs import ReasonForm
from reuseid.admin.filters import AccountFilter, DateFilter, StatusFilter
from reuseid.admin.masks import masked_body
from reuseid.admin.pages import ROWS, Facts, Header, PageAdmin, Tab, Table, Text, Timeline, trail_of
from reuseid.admin.views import View, only, since_today
from reuseid.models import Delivery, Event, User, WebhookEndpoint
from reuseid.services import deliveries, webhooks

ResendForm = ReasonForm.about(
    Delivery, lambda delivery: ["The same event with the same webhook-id is sent again, from the first retry time."]
)
PauseForm = ReasonForm.about(
    WebhookEndpoint, lambda endpoint: ["Nothing is sent until somebody resumes it.", "What happens meanwhile is kept."]
)
ResumeForm = ReasonForm.about(
    WebhookEndpoint, lambda endpoint: ["All that is owed is sent now, oldest first for each object."]
)


# Events


def body_of(event):
    """The body as it was sent, personal values hidden; a sentence where it can't be read."""
    try:
        body = crypto.unseal(
            event.payload, account=event.account_id, table=event._meta.db_table, row=event.id, column="payload"
        )
    except crypto.Unreadable:
        return "It can't be decrypted: its key is not configured here."
    return json.dumps(masked_body(json.loads(body)), indent=2, ensure_ascii=False)


def event_overview(request, event):
    owed = event.deliveries.select_related("endpoint").order_by("created_at")
    rows = [
        [
            cells.link(Delivery, delivery.pk),
            cells.state(delivery),
            cells.link(WebhookEndpoint, delivery.endpoint_id, delivery.endpoint.url),
            delivery.attempts,
        ]
        for delivery in owed[:ROWS]
    ]
    return [
        Facts(
            [
                ("Event id", cells.ident(event.id)),
                ("About", f"{event.object_type} {event.object_id}"),
                ("User", cells.link(User, event.user_id, event.user_id)),
                ("Account", event.account.name),
            ]
        ),
        Table(["Delivery", "State", "Endpoint", "Attempts"], rows, title="Deliveries", empty="Nobody asked for it."),
        Text(body_of(event), title="Body, personal values hidden"),
    ]


@admin.register(Event)
class EventAdmin(PageAdmin):
    list_display = ("made", "type", "about", "person", "account")
    list_display_links = ("made",)
    list_filter = (AccountFilter, ("created_at", DateFilter))
    list_select_related = ("account",)
    ordering = ("-sequence",)
    exact = ("id", "object_id", "user_id")
    search_hint = "Id of an event, a user, a device or an operation"
    tabs = [Tab("overview", "Overview", event_overview)]

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows if request.resolver_match.kwargs.get("object_id") else rows.defer("payload")

    @display(description="Time", ordering="sequence")
    def made(self, event):
        return cells.when(event.created_at)

    @display(description="About")
    def about(self, event):
        return f"{event.object_type} {cells.short(event.object_id)}"

    @display(description="User")
    def person(self, event):
        return cells.link(User, event.user_id)

    def header(self, request, event):
        return Header(title=event.type, ident=cells.ident(event.id), lines=[("Time", cells.when(event.created_at))])


# Deliveries


def delivery_overview(request, delivery):
    attempts = [
        [
            attempt.number,
            cells.when(attempt.at),
            cells.NONE if attempt.duration_ms is None else f"{attempt.duration_ms} ms",
            _outcome(attempt),
            attempt.error,
            attempt.answer[:200],
        ]
        for attempt in delivery.attempt_log.order_by("-number")[:ROWS]
    ]
    headers = [
        ("webhook-id", str(delivery.event.id)),
        ("webhook-timestamp", "the time of each attempt"),
        ("webhook-signature", "v1 (HMAC-SHA256) and v1a (Ed25519), made at each attempt"),
        ("content-type", "application/json"),
    ]
    return [
        Table(["No", "Time", "Took", "Status", "Error", "Answer"], attempts, title="Attempts", empty="Not tried yet."),
        Facts(headers, title="Headers"),
        Text(body_of(delivery.event), title="Body, personal values hidden"),
        Timeline(trail_of(delivery), title="History"),
    ]


def _outcome(attempt):
    if attempt.http_status is None:
        return cells.badge("no answer", "bad")
    return cells.badge(attempt.http_status, "good" if 200 <= attempt.http_status < 300 else "bad")


@admin.register(Delivery)
class DeliveryAdmin(PageAdmin):
    page_related = ("account", "event", "endpoint")
    list_display = ("made", "state", "event_type", "target", "attempts", "next_try", "account")
    list_display_links = ("made",)
    list_filter = (StatusFilter, AccountFilter, ("created_at", DateFilter))
    views = (
        View(_("Callbacks failing"), only(status="FAILED")),
        View(_("Failed today"), since_today("created_at", status="FAILED")),
        View(_("Still owed"), only(status="PENDING")),
    )
    list_select_related = ("account", "endpoint", "event")
    ordering = ("-created_at", "-id")
    exact = ("pk", "object_id", "endpoint_id")
    search_hint = "Id of a delivery, its object or its endpoint"
    actions_detail = ("resend",)
    tabs = [Tab("overview", "Overview", delivery_overview)]
    fits = {"resend": lambda delivery: delivery.status in Delivery.MOVES[Delivery.Status.PENDING]}

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows if request.resolver_match.kwargs.get("object_id") else rows.defer("event__payload")

    @display(description="Owed since", ordering="created_at")
    def made(self, delivery):
        return cells.when(delivery.created_at)

    @display(description="State", ordering="status")
    def state(self, delivery):
        return cells.state(delivery)

    @display(description="Event")
    def event_type(self, delivery):
        return cells.link(Event, delivery.event_id, delivery.event.type)

    @display(description="Endpoint")
    def target(self, delivery):
        return cells.link(WebhookEndpoint, delivery.endpoint_id, delivery.endpoint.url)

    @display(description="Next try", ordering="next_attempt_at")
    def next_try(self, delivery):
        return cells.when(delivery.next_attempt_at) if delivery.status == Delivery.Status.PENDING else cells.NONE

    def header(self, request, delivery):
        owed = delivery.status == Delivery.Status.PENDING
        ahead = ("Next try", delivery.next_attempt_at) if owed else ("Settled", delivery.settled_at)
        return Header(
            title=delivery.event.type,
            state=cells.state(delivery),
            ident=cells.ident(delivery.pk),
            lines=[
                ("To", cells.link(WebhookEndpoint, delivery.endpoint_id, delivery.endpoint.url)),
                ("Event", cells.link(Event, delivery.event_id, f"no. {delivery.event_id}")),
                ("Owed since", cells.when(delivery.created_at)),
                ("Attempts", delivery.attempts),
                (ahead[0], cells.when(ahead[1])),
            ],
        )

    def has_resend_permission(self, request, object_id=None):
        return self.may(request, object_id, "resend_delivery")

    @action(
        description="Send again",
        url_path="resend",
        icon="replay",
        permissions=["resend"],
        dialog={
            "title": "Send this callback again",
            "description": "",
            "form_class": ResendForm,
            "form_submit_text": "Send again",
        },
    )
    def resend(self, request, form, object_id):
        return self.act(request, object_id, deliveries.resend, done="It is owed again, due now.", **form.values())


# Endpoints


def endpoint_overview(request, endpoint):
    owed = Delivery.objects.filter(endpoint=endpoint, status=Delivery.Status.PENDING)
    rows = [
        ("Address", cells.ident(endpoint.url)),
        ("Description", cells.text(endpoint.description)),
        ("Event types", cells.words(endpoint.event_types) if endpoint.event_types else "all"),
        ("Secret", cells.MASK),
        ("Public key", cells.ident(endpoint.public_key)),
        ("Failing since", cells.when(endpoint.failing_since)),
        ("Failures in a row", endpoint.consecutive_failures),
        ("Rests until", cells.when(endpoint.open_until)),
        ("Owed", _up_to(owed)),
    ]
    latest = Delivery.objects.filter(endpoint=endpoint).select_related("event").defer("event__payload")
    table = [
        [
            cells.when(delivery.created_at),
            cells.link(Delivery, delivery.pk, delivery.event.type),
            cells.state(delivery),
            delivery.attempts,
            cells.when(delivery.settled_at),
        ]
        for delivery in latest.order_by("-created_at", "-id")[:ROWS]
    ]
    return [
        Facts(rows),
        Table(
            ["Owed since", "Event", "State", "Attempts", "Settled"],
            table,
            title="Latest deliveries",
            empty="Nothing was ever owed.",
            more=cells.list_of(Delivery, q=str(endpoint.pk)),
        ),
        Timeline(trail_of(endpoint), title="History"),
    ]


def _up_to(rows, limit=1000):
    """How many rows, counted no further than ``limit``."""
    found = rows.order_by()[: limit + 1].count()
    return f"more than {limit}" if found > limit else found


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(PageAdmin):
    list_display = ("url", "state", "health", "description", "account", "made")
    list_filter = (StatusFilter, AccountFilter)
    views = (View(_("Paused"), only(status="PAUSED")), View(_("Switched off"), only(status="DISABLED")))
    list_select_related = ("account",)
    ordering = ("-created_at",)
    exact = ("pk", "url")
    search_hint = "Id or address, exactly"
    actions_detail = ("pause", "resume")
    tabs = [Tab("overview", "Overview", endpoint_overview)]
    fits = {
        "pause": lambda endpoint: endpoint.status in WebhookEndpoint.MOVES[WebhookEndpoint.Status.PAUSED],
        "resume": lambda endpoint: endpoint.status in WebhookEndpoint.MOVES[WebhookEndpoint.Status.ACTIVE],
    }

    @display(description="State", ordering="status")
    def state(self, endpoint):
        return cells.state(endpoint)

    @display(description="Health")
    def health(self, endpoint):
        if endpoint.failing_since:
            return cells.badge(f"failing, {endpoint.consecutive_failures} in a row", "bad")
        return cells.badge("well", "good")

    @display(description="Made", ordering="created_at")
    def made(self, endpoint):
        return cells.when(endpoint.created_at)

    def header(self, request, endpoint):
        lines = [("Account", endpoint.account.name), ("Since", cells.when(endpoint.status_since))]
        if endpoint.disabled_reason:
            lines.append(("Because", endpoint.disabled_reason))
        if endpoint.failing_since:
            lines.append(("Failing since", cells.when(endpoint.failing_since)))
        return Header(title=endpoint.url, state=cells.state(endpoint), ident=cells.ident(endpoint.pk), lines=lines)

    def has_pause_permission(self, request, object_id=None):
        return self.may(request, object_id, "pause_webhookendpoint")

    @action(
        description="Pause",
        url_path="pause",
        icon="pause",
        permissions=["pause"],
        variant=ActionVariant.WARNING,
        dialog={
            "title": "Pause this endpoint",
            "description": "",
            "form_class": PauseForm,
            "form_submit_text": "Pause",
        },
    )
    def pause(self, request, form, object_id):
        return self.act(request, object_id, webhooks.pause, done="The endpoint is paused.", **form.values())

    @action(
        description="Resume",
        url_path="resume",
        icon="play_arrow",
        permissions=["pause"],
        variant=ActionVariant.SUCCESS,
        dialog={
            "title": "Resume this endpoint",
            "description": "",
            "form_class": ResumeForm,
            "form_submit_text": "Resume",
        },
    )
    def resume(self, request, form, object_id):
        return self.act(request, object_id, webhooks.resume, done="The endpoint gets its events.", **form.values())
