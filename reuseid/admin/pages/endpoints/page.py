"""Endpoints: where an account's callbacks go. Made, changed, tested, paused and removed here as by the REST API."""

from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from reuseid.admin.kit import formatting
from reuseid.admin.kit.answers import Refusals, go_to, shown_once
from reuseid.admin.kit.dialogs import SureForm, dialog_action, row_act
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import AccountFilter, StatusFilter
from reuseid.admin.kit.pages import ROWS, Facts, Header, PageAdmin, Tab, Table, Timeline, trail_of
from reuseid.admin.kit.quick_filters import View, only
from reuseid.admin.pages.endpoints import forms
from reuseid.models import Delivery, WebhookEndpoint
from reuseid.services.webhooks import deliveries, endpoints

Status = WebhookEndpoint.Status


def endpoint_overview(request, endpoint):
    scopes = endpoint.shown_scopes()
    owed = Delivery.objects.filter(endpoint=endpoint, status=Delivery.Status.PENDING)
    failed = Delivery.objects.filter(account=endpoint.account_id, endpoint=endpoint, status=Delivery.Status.FAILED)
    rows = [
        (_("Address"), formatting.ident(endpoint.url)),
        (_("Description"), formatting.text(endpoint.description)),
        (_("Event types"), formatting.words(endpoint.event_types) if endpoint.event_types else _("all")),
        (_("Its events show"), formatting.words(scopes) if scopes else _("ids and types")),
        (_("Secret"), formatting.MASK),
        (_("Public key"), formatting.ident(endpoint.public_key)),
        (_("Keys before the last rotation sign until"), formatting.when(endpoint.previous_secret_expires_at)),
        (_("Failing since"), formatting.when(endpoint.failing_since)),
        (_("Failures in a row"), endpoint.consecutive_failures),
        (_("Rests until"), formatting.when(endpoint.open_until)),
        (_("Owed"), _up_to(owed)),
        (_("Given up"), _up_to(failed)),
    ]
    latest = Delivery.objects.filter(endpoint=endpoint).select_related("event").defer("event__payload")
    table = [
        [
            formatting.when(delivery.created_at),
            formatting.link(Delivery, delivery.pk, delivery.event.type),
            formatting.state(delivery),
            delivery.attempts,
            formatting.when(delivery.settled_at),
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
            more=formatting.list_of(Delivery, q=str(endpoint.pk)),
        ),
        Timeline(trail_of(endpoint, request.user), title=_("History")),
    ]


def _up_to(rows, limit=1000):
    """How many rows, counted no further than ``limit``."""
    found = rows.order_by()[: limit + 1].count()
    return _("more than %(limit)s") % {"limit": limit} if found > limit else found


class HealthFilter(DropdownFilter):
    """Those that take nothing at the moment."""

    title = _("health")
    parameter_name = "health"

    def lookups(self, request, model_admin):
        return [("failing", _("Failing"))]

    def queryset(self, request, queryset):
        return queryset.filter(failing_since__isnull=False) if self.value() == "failing" else queryset


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(PageAdmin):
    list_display = ("url", "state", "health", "description", "account", "created_at")
    headers = {"created_at": _("Made")}
    list_filter = (StatusFilter, HealthFilter, AccountFilter)
    views = (View(_("Paused"), only(status="PAUSED")), View(_("Switched off"), only(status="DISABLED")))
    list_select_related = ("account",)
    ordering = ("-created_at",)
    search_exact = ("pk", "url")
    search_hint = _("Id or address, exactly")
    actions_list = ("create",)
    actions_detail = (
        "test",
        "edit",
        "pause",
        "resume",
        {"title": _("Send again …"), "icon": "history", "items": ["resend_since", "resend_failed"]},
        {"title": _("More …"), "icon": "more_horiz", "items": ["rotate", "remove"]},
    )
    tabs = [Tab("overview", _("Overview"), endpoint_overview)]
    rights = {
        "pause": "pause_webhookendpoint",
        "resume": "pause_webhookendpoint",
        "create": "add_webhookendpoint",
        "edit": "change_webhookendpoint",
        "rotate": "rotate_webhookendpoint",
        "remove": "delete_webhookendpoint",
        "test": "change_webhookendpoint",
        "resend_since": "resend_delivery",
        "resend_failed": "resend_delivery",
    }
    available_when = {
        "test": lambda endpoint: endpoint.status == Status.ACTIVE,
        **dict.fromkeys(
            ("edit", "resend_since", "resend_failed", "rotate", "remove"),
            lambda endpoint: endpoint.status != Status.DELETED,
        ),
        "pause": lambda endpoint: endpoint.status in WebhookEndpoint.MOVES[WebhookEndpoint.Status.PAUSED],
        "resume": lambda endpoint: endpoint.status in WebhookEndpoint.MOVES[WebhookEndpoint.Status.ACTIVE],
    }

    @display(description=_("Health"))
    def health(self, endpoint):
        if endpoint.failing_since:
            return formatting.badge(_("failing, %(count)s in a row") % {"count": endpoint.consecutive_failures}, "bad")
        return formatting.badge(_("well"), "good")

    def header(self, request, endpoint):
        lines = [(_("Account"), endpoint.account.name), (_("Since"), formatting.when(endpoint.status_since))]
        if endpoint.disabled_reason:
            lines.append((_("Because"), endpoint.disabled_reason))
        if endpoint.failing_since:
            lines.append((_("Failing since"), formatting.when(endpoint.failing_since)))
        return Header(
            title=endpoint.url, state=formatting.state(endpoint), ident=formatting.ident(endpoint.pk), lines=lines
        )

    pause = row_act(
        endpoints.pause,
        label=_("Pause"),
        icon="pause",
        effect=Effect.HOLDS,
        title=_("Pause this endpoint"),
        form=forms.PauseForm,
        done=_("The endpoint is paused."),
    )

    resume = row_act(
        endpoints.resume,
        label=_("Resume"),
        icon="play_arrow",
        effect=Effect.SENDS_AGAIN,
        variant=ActionVariant.SUCCESS,
        title=_("Resume this endpoint"),
        form=forms.ResumeForm,
        done=_("The endpoint gets its events."),
    )

    # Set-up

    @dialog_action(
        _("New endpoint"),
        url_path="new",
        icon="add",
        effect=Effect.GIVES_SECRET,
        variant=ActionVariant.PRIMARY,
        title=_("A new endpoint"),
        description=_("Its secret is shown once, after this."),
        form=forms.NewEndpointForm,
        submit=_("Make it"),
    )
    def create(self, request, form):
        with Refusals(request, _("Nothing was made. %(why)s")):
            endpoint = endpoints.create(form.cleaned_data["account"], actor=self.actor(request), **form.values())
            return self._secret(request, endpoint)
        return go_to(request, formatting.list_of(WebhookEndpoint))

    edit = row_act(
        endpoints.update,
        label=_("Change"),
        name="edit",
        icon="edit",
        effect=Effect.REDIRECTS,
        title=_("Change this endpoint"),
        description=_("What is owed already goes to the new address."),
        form=forms.ChangeEndpointForm,
        submit=_("Save"),
        done=_("The endpoint is changed."),
    )

    @dialog_action(
        _("New secret"),
        icon="key",
        effect=Effect.GIVES_SECRET,
        variant=ActionVariant.WARNING,
        title=_("New keys for this endpoint"),
        form=forms.RotateForm,
        submit=_("Make new keys"),
    )
    def rotate(self, request, form, object_id):
        def shown(request, _old, endpoint):
            return self._secret(request, endpoint)

        return self.act(request, object_id, endpoints.rotate_secret, then=shown, **form.values())

    remove = row_act(
        endpoints.delete,
        label=_("Remove"),
        name="remove",
        icon="delete",
        effect=Effect.FOR_GOOD,
        title=_("Remove this endpoint for good"),
        form=forms.RemoveForm,
        submit=_("Remove for good"),
        done=_("The endpoint is removed."),
    )

    @dialog_action(
        _("Send a test"),
        icon="science",
        effect=Effect.SENDS_AGAIN,
        title=_("Send a test to this endpoint"),
        description=_("It gets the event webhook.test, signed as all others. Its answer is shown."),
        form=SureForm,
        submit=_("Send"),
    )
    def test(self, request, form, object_id):
        def to_the_test(request, endpoint, event):
            return go_to(request, formatting.page_of(Delivery, event.deliveries.get(endpoint=endpoint).pk))

        done = _("The test is on its way: this page shows the answer as soon as it is there.")
        nothing = _("Nothing was sent. %(why)s")
        return self.act(request, object_id, endpoints.send_test, done=done, then=to_the_test, nothing=nothing)

    # Sending again

    @dialog_action(
        _("Send again since …"),
        icon="history",
        effect=Effect.SENDS_AGAIN,
        title=_("Send again what it missed since a time"),
        form=forms.ResendSinceForm,
        submit=_("Send again"),
    )
    def resend_since(self, request, form, object_id):
        def tell(request, endpoint, result):
            count, left = result
            sentence = _("There are more: send again since %(time)s for the next ones.")
            _tell(request, count, formatting.sentence(sentence, time=left) if left else "")

        return self.act(request, object_id, deliveries.resend_since, then=tell, **form.values())

    @dialog_action(
        _("Send all failed again"),
        icon="replay",
        effect=Effect.SENDS_AGAIN,
        title=_("Send all again that were given up"),
        form=forms.ResendFailedForm,
        submit=_("Send again"),
    )
    def resend_failed(self, request, form, object_id):
        def tell(request, endpoint, result):
            count, left = result
            _tell(request, count, _("There are more: send all failed again once these are through.") if left else "")

        return self.act(request, object_id, deliveries.resend_failed, then=tell, **form.values())

    def _secret(self, request, endpoint):
        return shown_once(
            request,
            title=_("The secret of %(address)s") % {"address": endpoint.url},
            secret=endpoints.secret_of(endpoint),
            advice=_("It verifies the v1 signatures. It is shown now and never again: hand it over safely."),
            back=formatting.page_of(WebhookEndpoint, endpoint.pk),
        )


def _tell(request, count, more):
    """How many are owed again, and what else there is to do."""
    if count:
        sentence = ngettext(
            "%(count)s callback is owed again, due now.", "%(count)s callbacks are owed again, due now.", count
        )
        messages.success(request, sentence % {"count": count})
    else:
        messages.info(request, _("There was nothing to send again."))
    if more:
        messages.warning(request, more)
