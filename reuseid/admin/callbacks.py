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
from reuseid.admin.words import thing
from reuseid.models import Delivery, Event, User, WebhookEndpoint
from reuseid.services import deliveries, webhooks

ResendForm = ReasonForm.about(
    Delivery, lambda delivery: [_("The same event with the same webhook-id is sent again, from the first retry time.")]
)
PauseForm = ReasonForm.about(
    WebhookEndpoint,
    lambda endpoint: [_("Nothing is sent until somebody resumes it."), _("What happens meanwhile is kept.")],
)
ResumeForm = ReasonForm.about(
    WebhookEndpoint, lambda endpoint: [_("All that is owed is sent now, oldest first for each object.")]
)


# Events


def body_of(event):
    """The body as it was sent, personal values hidden; a sentence where it can't be read."""
    try:
        body = crypto.unseal(
            event.payload, account=event.account_id, table=event._meta.db_table, row=event.id, column="payload"
        )
    except crypto.Unreadable:
        return _("It can't be decrypted: its key is not configured here.")
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
                (_("Event id"), cells.ident(event.id)),
                (_("About"), thing(event.object_type, event.object_id)),
                (_("User"), cells.link(User, event.user_id, event.user_id)),
                (_("Account"), event.account.name),
            ]
        ),
        Table(
            [_("Delivery"), _("State"), _("Endpoint"), _("Attempts")],
            rows,
            title=_("Deliveries"),
            empty=_("Nobody asked for it."),
        ),
        Text(body_of(event), title=_("Body, personal values hidden")),
    ]


@admin.register(Event)
class EventAdmin(PageAdmin):
    list_display = ("made", "type", "about", "person", "account")
    list_display_links = ("made",)
    list_filter = (AccountFilter, ("created_at", DateFilter))
    list_select_related = ("account",)
    ordering = ("-sequence",)
    exact = ("id", "object_id", "user_id")
    search_hint = _("Id of an event, a user, a device or an operation")
    tabs = [Tab("overview", _("Overview"), event_overview)]

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows if request.resolver_match.kwargs.get("object_id") else rows.defer("payload")

    @display(description=_("Time"), ordering="sequence")
    def made(self, event):
        return cells.when(event.created_at)

    @display(description=_("About"))
    def about(self, event):
        return thing(event.object_type, cells.short(event.object_id))

    @display(description=_("User"))
    def person(self, event):
        return cells.link(User, event.user_id)

    def header(self, request, event):
        return Header(title=event.type, ident=cells.ident(event.id), lines=[(_("Time"), cells.when(event.created_at))])


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
        Text(body_of(delivery.event), title=_("Body, personal values hidden")),
        Timeline(trail_of(delivery), title=_("History")),
    ]


def _outcome(attempt):
    if attempt.http_status is None:
        return cells.badge(_("no answer"), "bad")
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
    search_hint = _("Id of a delivery, its object or its endpoint")
    actions_detail = ("resend",)
    tabs = [Tab("overview", _("Overview"), delivery_overview)]
    fits = {"resend": lambda delivery: delivery.status in Delivery.MOVES[Delivery.Status.PENDING]}

    def get_queryset(self, request):
        rows = super().get_queryset(request)
        return rows if request.resolver_match.kwargs.get("object_id") else rows.defer("event__payload")

    @display(description=_("Owed since"), ordering="created_at")
    def made(self, delivery):
        return cells.when(delivery.created_at)

    @display(description=_("State"), ordering="status")
    def state(self, delivery):
        return cells.state(delivery)

    @display(description=_("Event"))
    def event_type(self, delivery):
        return cells.link(Event, delivery.event_id, delivery.event.type)

    @display(description=_("Endpoint"))
    def target(self, delivery):
        return cells.link(WebhookEndpoint, delivery.endpoint_id, delivery.endpoint.url)

    @display(description=_("Next try"), ordering="next_attempt_at")
    def next_try(self, delivery):
        return cells.when(delivery.next_attempt_at) if delivery.status == Delivery.Status.PENDING else cells.NONE

    def header(self, request, delivery):
        owed = delivery.status == Delivery.Status.PENDING
        ahead = (_("Next try"), delivery.next_attempt_at) if owed else (_("Settled"), delivery.settled_at)
        return Header(
            title=delivery.event.type,
            state=cells.state(delivery),
            ident=cells.ident(delivery.pk),
            lines=[
                (_("To"), cells.link(WebhookEndpoint, delivery.endpoint_id, delivery.endpoint.url)),
                (_("Event"), cells.link(Event, delivery.event_id, _("no. %(number)s") % {"number": delivery.event_id})),
                (_("Owed since"), cells.when(delivery.created_at)),
                (_("Attempts"), delivery.attempts),
                (ahead[0], cells.when(ahead[1])),
            ],
        )

    def has_resend_permission(self, request, object_id=None):
        return self.may(request, object_id, "resend_delivery")

    @action(
        description=_("Send again"),
        url_path="resend",
        icon="replay",
        permissions=["resend"],
        dialog={
            "title": _("Send this callback again"),
            "description": "",
            "form_class": ResendForm,
            "form_submit_text": _("Send again"),
        },
    )
    def resend(self, request, form, object_id):
        return self.act(request, object_id, deliveries.resend, done=_("It is owed again, due now."), **form.values())


# Endpoints


def endpoint_overview(request, endpoint):
    owed = Delivery.objects.filter(endpoint=endpoint, status=Delivery.Status.PENDING)
    rows = [
        (_("Address"), cells.ident(endpoint.url)),
        (_("Description"), cells.text(endpoint.description)),
        (_("Event types"), cells.words(endpoint.event_types) if endpoint.event_types else _("all")),
        (_("Secret"), cells.MASK),
        (_("Public key"), cells.ident(endpoint.public_key)),
        (_("Failing since"), cells.when(endpoint.failing_since)),
        (_("Failures in a row"), endpoint.consecutive_failures),
        (_("Rests until"), cells.when(endpoint.open_until)),
        (_("Owed"), _up_to(owed)),
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
            [_("Owed since"), _("Event"), _("State"), _("Attempts"), _("Settled")],
            table,
            title=_("Latest deliveries"),
            empty=_("Nothing was ever owed."),
            more=cells.list_of(Delivery, q=str(endpoint.pk)),
        ),
        Timeline(trail_of(endpoint), title=_("History")),
    ]


def _up_to(rows, limit=1000):
    """How many rows, counted no further than ``limit``."""
    found = rows.order_by()[: limit + 1].count()
    return _("more than %(limit)s") % {"limit": limit} if found > limit else found


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(PageAdmin):
    list_display = ("url", "state", "health", "description", "account", "made")
    list_filter = (StatusFilter, AccountFilter)
    views = (View(_("Paused"), only(status="PAUSED")), View(_("Switched off"), only(status="DISABLED")))
    list_select_related = ("account",)
    ordering = ("-created_at",)
    exact = ("pk", "url")
    search_hint = _("Id or address, exactly")
    actions_detail = ("pause", "resume")
    tabs = [Tab("overview", _("Overview"), endpoint_overview)]
    fits = {
        "pause": lambda endpoint: endpoint.status in WebhookEndpoint.MOVES[WebhookEndpoint.Status.PAUSED],
        "resume": lambda endpoint: endpoint.status in WebhookEndpoint.MOVES[WebhookEndpoint.Status.ACTIVE],
    }

    @display(description=_("State"), ordering="status")
    def state(self, endpoint):
        return cells.state(endpoint)

    @display(description=_("Health"))
    def health(self, endpoint):
        if endpoint.failing_since:
            failing = _("failing, %(count)s in a row") % {"count": endpoint.consecutive_failures}
            return cells.badge(failing, "bad")
        return cells.badge(_("well"), "good")

    @display(description=_("Made"), ordering="created_at")
    def made(self, endpoint):
        return cells.when(endpoint.created_at)

    def header(self, request, endpoint):
        lines = [(_("Account"), endpoint.account.name), (_("Since"), cells.when(endpoint.status_since))]
        if endpoint.disabled_reason:
            lines.append((_("Because"), endpoint.disabled_reason))
        if endpoint.failing_since:
            lines.append((_("Failing since"), cells.when(endpoint.failing_since)))
        return Header(title=endpoint.url, state=cells.state(endpoint), ident=cells.ident(endpoint.pk), lines=lines)

    def has_pause_permission(self, request, object_id=None):
        return self.may(request, object_id, "pause_webhookendpoint")

    @action(
        description=_("Pause"),
        url_path="pause",
        icon="pause",
        permissions=["pause"],
        variant=ActionVariant.WARNING,
        dialog={
            "title": _("Pause this endpoint"),
            "description": "",
            "form_class": PauseForm,
            "form_submit_text": _("Pause"),
        },
    )
    def pause(self, request, form, object_id):
        return self.act(request, object_id, webhooks.pause, done=_("The endpoint is paused."), **form.values())

    @action(
        description=_("Resume"),
        url_path="resume",
        icon="play_arrow",
        permissions=["pause"],
        variant=ActionVariant.SUCCESS,
        dialog={
            "title": _("Resume this endpoint"),
            "description": "",
            "form_class": ResumeForm,
            "form_submit_text": _("Resume"),
        },
    )
    def resume(self, request, form, object_id):
        return self.act(request, object_id, webhooks.resume, done=_("The endpoint gets its events."), **form.values())
