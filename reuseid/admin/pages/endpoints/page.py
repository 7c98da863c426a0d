"""Endpoints: where an account's callbacks go. Made, changed, tested, paused and removed here as by the REST API."""

from django.contrib import admin, messages
from django.http import Http404
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display
from unfold.enums import ActionVariant

from reuseid.admin.kit import formatting
from reuseid.admin.kit.dialogs import SureForm, dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import AccountFilter, StatusFilter
from reuseid.admin.kit.one_time_secret import shown_once
from reuseid.admin.kit.pages import ROWS, Facts, Header, PageAdmin, Tab, Table, Timeline, explain, go_to, trail_of
from reuseid.admin.kit.quick_filters import View, only
from reuseid.admin.pages.endpoints import forms
from reuseid.errors import ServiceError
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
    list_display = ("url", "state", "health", "description", "account", "made")
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
    available_when = {
        "test": lambda endpoint: endpoint.status == Status.ACTIVE,
        **dict.fromkeys(
            ("edit", "resend_since", "resend_failed", "rotate", "remove"),
            lambda endpoint: endpoint.status != Status.DELETED,
        ),
        "pause": lambda endpoint: endpoint.status in WebhookEndpoint.MOVES[WebhookEndpoint.Status.PAUSED],
        "resume": lambda endpoint: endpoint.status in WebhookEndpoint.MOVES[WebhookEndpoint.Status.ACTIVE],
    }

    @display(description=_("State"), ordering="status")
    def state(self, endpoint):
        return formatting.state(endpoint)

    @display(description=_("Health"))
    def health(self, endpoint):
        if endpoint.failing_since:
            return formatting.badge(_("failing, %(count)s in a row") % {"count": endpoint.consecutive_failures}, "bad")
        return formatting.badge(_("well"), "good")

    @display(description=_("Made"), ordering="created_at")
    def made(self, endpoint):
        return formatting.when(endpoint.created_at)

    def header(self, request, endpoint):
        lines = [(_("Account"), endpoint.account.name), (_("Since"), formatting.when(endpoint.status_since))]
        if endpoint.disabled_reason:
            lines.append((_("Because"), endpoint.disabled_reason))
        if endpoint.failing_since:
            lines.append((_("Failing since"), formatting.when(endpoint.failing_since)))
        return Header(
            title=endpoint.url, state=formatting.state(endpoint), ident=formatting.ident(endpoint.pk), lines=lines
        )

    def has_pause_permission(self, request, object_id=None):
        return self.may(request, object_id, "pause_webhookendpoint")

    @dialog_action(
        _("Pause"),
        icon="pause",
        permission="pause",
        effect=Effect.HOLDS,
        variant=ActionVariant.WARNING,
        title=_("Pause this endpoint"),
        form=forms.PauseForm,
    )
    def pause(self, request, form, object_id):
        return self.act(request, object_id, endpoints.pause, done=_("The endpoint is paused."), **form.values())

    @dialog_action(
        _("Resume"),
        icon="play_arrow",
        permission="pause",
        effect=Effect.SENDS_AGAIN,
        variant=ActionVariant.SUCCESS,
        title=_("Resume this endpoint"),
        form=forms.ResumeForm,
    )
    def resume(self, request, form, object_id):
        return self.act(request, object_id, endpoints.resume, done=_("The endpoint gets its events."), **form.values())

    # Set-up

    def has_create_permission(self, request, object_id=None):
        return self.permitted(request, "add_webhookendpoint")

    def has_edit_permission(self, request, object_id=None):
        return self.may(request, object_id, "change_webhookendpoint")

    def has_rotate_permission(self, request, object_id=None):
        return self.may(request, object_id, "rotate_webhookendpoint")

    def has_remove_permission(self, request, object_id=None):
        return self.may(request, object_id, "delete_webhookendpoint")

    def has_resend_permission(self, request, object_id=None):
        return self.may(request, object_id, "resend_delivery")

    @dialog_action(
        _("New endpoint"),
        url_path="new",
        icon="add",
        permission="create",
        effect=Effect.GIVES_SECRET,
        variant=ActionVariant.PRIMARY,
        title=_("A new endpoint"),
        description=_("Its secret is shown once, after this."),
        form=forms.NewEndpointForm,
        submit=_("Make it"),
    )
    def create(self, request, form):
        try:
            endpoint = endpoints.create(form.cleaned_data["account"], actor=self.actor(request), **form.values())
        except ServiceError as error:
            messages.error(request, _("Nothing was made. %(why)s") % {"why": explain(error)})
            return go_to(request, formatting.list_of(WebhookEndpoint))
        return self._secret(request, endpoint)

    @dialog_action(
        _("Change"),
        icon="edit",
        permission="edit",
        effect=Effect.REDIRECTS,
        title=_("Change this endpoint"),
        description=_("What is owed already goes to the new address."),
        form=forms.ChangeEndpointForm,
        submit=_("Save"),
    )
    def edit(self, request, form, object_id):
        return self.act(request, object_id, endpoints.update, done=_("The endpoint is changed."), **form.values())

    @dialog_action(
        _("New secret"),
        icon="key",
        permission="rotate",
        effect=Effect.GIVES_SECRET,
        variant=ActionVariant.WARNING,
        title=_("New keys for this endpoint"),
        form=forms.RotateForm,
        submit=_("Make new keys"),
    )
    def rotate(self, request, form, object_id):
        endpoint = self._found(request, object_id)
        try:
            endpoint = endpoints.rotate_secret(endpoint, actor=self.actor(request), **form.values())
        except ServiceError as error:
            messages.error(request, _("Nothing was changed. %(why)s") % {"why": explain(error)})
            return go_to(request, formatting.page_of(WebhookEndpoint, endpoint.pk))
        return self._secret(request, endpoint)

    @dialog_action(
        _("Remove"),
        icon="delete",
        permission="remove",
        effect=Effect.FOR_GOOD,
        variant=ActionVariant.DANGER,
        title=_("Remove this endpoint for good"),
        form=forms.RemoveForm,
        submit=_("Remove for good"),
    )
    def remove(self, request, form, object_id):
        return self.act(request, object_id, endpoints.delete, done=_("The endpoint is removed."), **form.values())

    @dialog_action(
        _("Send a test"),
        icon="science",
        permission="edit",
        effect=Effect.SENDS_AGAIN,
        title=_("Send a test to this endpoint"),
        description=_("It gets the event webhook.test, signed as all others. Its answer is shown."),
        form=SureForm,
        submit=_("Send"),
    )
    def test(self, request, form, object_id):
        endpoint = self._found(request, object_id)
        try:
            event = endpoints.send_test(endpoint, actor=self.actor(request))
        except ServiceError as error:
            messages.error(request, _("Nothing was sent. %(why)s") % {"why": explain(error)})
            return go_to(request, formatting.page_of(WebhookEndpoint, endpoint.pk))
        messages.success(request, _("The test is on its way: this page shows the answer as soon as it is there."))
        return go_to(request, formatting.page_of(Delivery, event.deliveries.get(endpoint=endpoint).pk))

    # Sending again

    @dialog_action(
        _("Send again since …"),
        icon="history",
        permission="resend",
        effect=Effect.SENDS_AGAIN,
        title=_("Send again what it missed since a time"),
        form=forms.ResendSinceForm,
        submit=_("Send again"),
    )
    def resend_since(self, request, form, object_id):
        values = form.values()
        since = values.pop("since")

        def more(moment):
            return formatting.sentence(_("There are more: send again since %(time)s for the next ones."), time=moment)

        return self._resend(request, object_id, deliveries.resend_since, more, since, **values)

    @dialog_action(
        _("Send all failed again"),
        icon="replay",
        permission="resend",
        effect=Effect.SENDS_AGAIN,
        title=_("Send all again that were given up"),
        form=forms.ResendFailedForm,
        submit=_("Send again"),
    )
    def resend_failed(self, request, form, object_id):
        def more(_left):
            return _("There are more: send all failed again once these are through.")

        return self._resend(request, object_id, deliveries.resend_failed, more, **form.values())

    def _resend(self, request, object_id, service, more, *args, **values):
        endpoint = self._found(request, object_id)
        try:
            count, left = service(endpoint, *args, actor=self.actor(request), **values)
        except ServiceError as error:
            messages.error(request, _("Nothing was changed. %(why)s") % {"why": explain(error)})
        else:
            self._tell(request, count)
            if left:
                messages.warning(request, more(left))
        return go_to(request, formatting.page_of(WebhookEndpoint, endpoint.pk))

    def _tell(self, request, count):
        if count:
            sentence = ngettext(
                "%(count)s callback is owed again, due now.", "%(count)s callbacks are owed again, due now.", count
            )
            messages.success(request, sentence % {"count": count})
        else:
            messages.info(request, _("There was nothing to send again."))

    def _found(self, request, object_id):
        endpoint = self.row(request, object_id)
        if endpoint is None:
            raise Http404
        return endpoint

    def _secret(self, request, endpoint):
        return shown_once(
            request,
            title=_("The secret of %(address)s") % {"address": endpoint.url},
            secret=endpoints.secret_of(endpoint),
            advice=_("It verifies the v1 signatures. It is shown now and never again: hand it over safely."),
            back=formatting.page_of(WebhookEndpoint, endpoint.pk),
        )
