"""Operations: their life with durations and deadline, what was asked, and whether it was approved."""

from datetime import timedelta

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseNotAllowed
from django.urls import path
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from mobileid.admin import contents
from mobileid.admin.operation_timeline import Life
from mobileid.admin.tables import kind, method_name
from mobileid.models import Application, Device, Evidence, Operation
from mobileid.models.operations import OPEN
from mobileid.services import completion, content_reveal
from reuseid.admin.kit import formatting
from reuseid.admin.kit.base import OfPerson
from reuseid.admin.kit.dialogs import ReasonForm, row_act
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import AccountFilter, DateFilter, StatusFilter, by_choice, by_row
from reuseid.admin.kit.pages import Facts, Header, PageAdmin, Tab, Timeline, trail_of
from reuseid.admin.kit.quick_filters import View, only, since_today
from reuseid.admin.kit.reveal import Revealing, reveal_action
from reuseid.admin.kit.texts import reason_in_words
from reuseid.admin.kit.texts.statuses import meaning
from reuseid.models import Client, User

# The contents of a row are big and sealed: no list reads them.
SEALED = (
    "title",
    "content",
    "transaction",
    "post_context",
    "push_notification",
    "binding_secret",
    "confirmation_code",
    "signature",
)

# An operation with a deadline no later than this has somebody waiting in front of it.
SOON = timedelta(minutes=10)

CancelForm = ReasonForm.about(
    Operation,
    lambda operation: [
        _("The phone can't approve it any more."),
        _("The account's systems get the event %(event)s.") % {"event": f"{operation.type}.canceled"},
    ],
)


def overview(request, operation):
    history = Timeline(trail_of(operation, request.user), title=_("History"))
    return [Life(operation), *contents.panels(request, operation), _asked(operation), history]


def _asked(operation):
    rows = [
        (_("Started by"), formatting.link(Client, operation.client_id, operation.client and operation.client.name)),
        (_("Their reference"), formatting.text(operation.client_reference)),
        (_("Application"), formatting.text(operation.application and operation.application.name)),
        (_("Level"), formatting.text(operation.get_auth_level_display())),
        (_("Methods allowed"), formatting.words([method_name(method) for method in operation.auth_methods])),
        (_("Method used"), formatting.text(method_name(operation.auth_method))),
        (_("Binding"), formatting.NONE if operation.binding == "NONE" else operation.get_binding_display()),
        (_("For one device"), formatting.link(Device, operation.target_device_id, _name(operation.target_device))),
        (_("All devices"), _("yes") if operation.broadcast else _("no")),
        (_("Attributes asked for"), formatting.words(operation.requested_attributes)),
    ]
    return Facts(rows, title=_("What was asked"))


def _name(device):
    return device and device.name


@admin.register(Operation)
class OperationAdmin(Revealing, PageAdmin):
    grant = staticmethod(content_reveal.reveal)
    reveal = reveal_action(
        contents.RevealForm,
        description=_("Reveal what was shown"),
        title=_("Show for one minute what the person was shown"),
    )
    page_related = ("account", "user", "device", "target_device", "client", "application", "evidence")
    list_display = ("created_at", "type", "state", "because", "person", "on", "method", "account")
    headers = {"created_at": _("Started")}
    list_display_links = ("created_at",)
    list_filter = (
        StatusFilter,
        by_choice("type"),
        by_choice("binding"),
        by_row(Client, "client", _("client")),
        by_row(Application, "application", _("application")),
        AccountFilter,
        ("created_at", DateFilter),
    )
    views = (
        View(_("Waiting for the phone"), only(status="PENDING")),
        View(_("On the phone"), only(status="IN_PROGRESS")),
        View(_("Rejected today"), since_today("created_at", status="REJECTED")),
        View(_("Failed today"), since_today("created_at", status="FAILED")),
        View(_("Expired today"), since_today("created_at", status="EXPIRED")),
    )
    list_select_related = ("account", "user", "device")
    ordering = ("-created_at", "-id")
    search_exact = ("pk", "user_id", "device_id")
    search_hint = _("Id of an operation, its user or its device")
    actions_detail = ("reveal", "cancel")
    tabs = [Tab("overview", _("Overview"), overview)]
    rights = {"cancel": "cancel_operation", "reveal": "reveal_operation"}
    available_when = {"cancel": lambda operation: operation.status in OPEN, "reveal": content_reveal.is_kept}

    def get_queryset(self, request):
        """Lists read nothing of what is sealed, and a page no content: up to 2 MiB that it shows for a minute."""
        rows = super().get_queryset(request)
        return rows.defer("content") if request.resolver_match.kwargs.get("object_id") else rows.defer(*SEALED)

    def get_urls(self):
        document = self.admin_site.admin_view(self.document)
        return [path("<path:object_id>/document/", document, name="mobileid_operation_document"), *super().get_urls()]

    def refresh_every(self, request, operation):
        """While it is open: often while somebody waits for the phone, seldom for a registration of hours."""
        if operation.status not in OPEN:
            return 0
        return 3 if operation.expires_at - operation.created_at <= SOON else 15

    @display(description=_("Device"))
    def on(self, operation):
        return formatting.link(Device, operation.device_id, _name(operation.device))

    @display(description=_("Because"))
    def because(self, operation):
        return formatting.reason(operation.failure_reason)

    @display(description=_("Method"))
    def method(self, operation):
        return formatting.text(method_name(operation.auth_method))

    def header(self, request, operation):
        phone = operation.device or operation.target_device
        lines = [
            (_("User"), formatting.link(User, operation.user_id, operation.user and operation.user.external_ref)),
            (_("Device"), formatting.link(Device, phone and phone.pk, _name(phone))),
            (_("Account"), operation.account.name),
            (_("Started"), formatting.when(operation.created_at)),
        ]
        if operation.failure_reason:
            lines.append((_("Because"), reason_in_words(operation.failure_reason)))
        return Header(
            title=kind(operation),
            name=f"{kind(operation)} {formatting.short(operation.pk)}",
            state=formatting.state(operation),
            ident=formatting.ident(operation.pk),
            means=meaning(operation),
            lines=lines,
        )

    def page_after(self, operation):
        return formatting.page_of(Operation, operation.pk)

    def document(self, request, object_id):
        """A file that the person was shown, for the colleague whose minute lasts."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_reveal_permission(request, object_id):
            raise PermissionDenied
        part = request.POST.get("part")
        if part not in content_reveal.PARTS:
            raise Http404
        return contents.download(request, self.row(request, object_id), part)

    cancel = row_act(
        completion.cancel,
        label=_("Cancel"),
        icon="cancel",
        effect=Effect.ENDS_OPEN,
        variant=ActionVariant.DANGER,
        title=_("Cancel this operation"),
        form=CancelForm,
        submit=_("Cancel the operation"),
        done=_("The operation is cancelled."),
    )


@admin.register(Evidence)
class EvidenceAdmin(OfPerson):
    account_paths = ("operation__account",)
    list_display = ("of", "auth_method", "device_thumbprint", "at")
    list_display_links = ("auth_method",)
    list_select_related = ()
    ordering = ("-pk",)
    search_exact = ("pk",)
    search_hint = _("Id of the operation, exactly")
    shown = ("of", "auth_method", "device_thumbprint", "device_jwk", "proof", "at")

    @display(description=_("Operation"))
    def of(self, evidence):
        return formatting.link(Operation, evidence.pk, evidence.pk)
