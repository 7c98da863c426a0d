"""The dialogs of an endpoint."""

from datetime import timedelta

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from reuseid import event_types
from reuseid.admin.kit.dialogs import ReasonForm
from reuseid.admin.kit.scope import accounts_of, scoped
from reuseid.errors import Invalid
from reuseid.event_scopes import READING
from reuseid.models import Account, Delivery, WebhookEndpoint
from reuseid.services.webhooks import endpoints
from reuseid.times import in_range

PauseForm = ReasonForm.about(
    WebhookEndpoint,
    lambda endpoint: [_("Nothing is sent until somebody resumes it."), _("What happens meanwhile is kept.")],
)
ResumeForm = ReasonForm.about(
    WebhookEndpoint, lambda endpoint: [_("All that is owed is sent now, oldest first for each object.")]
)


def endpoint_of(request, object_id):
    """The endpoint that a dialog is about, if it is one of the colleague's accounts."""
    rows = scoped(WebhookEndpoint.objects.all(), request.user, "account")
    return rows.filter(pk=object_id).first() if object_id else None


def type_choices():
    """Every type that can be asked for, with its sentence; a test needs no asking for."""
    return [(name, f"{name}: {text}") for name, text in event_types.known().items() if name != "webhook.test"]


class AddressForm(BaseDialogForm):
    """Where to, what for, which events and what they show."""

    url = forms.CharField(
        max_length=500,
        label=_("Address"),
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "url", "autocomplete": "off"}),
        help_text=_("An https:// address that leads to the public internet. Redirects are not followed."),
    )
    description = forms.CharField(
        max_length=200, required=False, label=_("Description"), widget=UnfoldAdminTextInputWidget
    )
    event_types = forms.MultipleChoiceField(
        choices=type_choices,
        required=False,
        label=_("Event types"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Choose none to send everything."),
    )

    scopes = forms.MultipleChoiceField(
        choices=lambda: [(scope, f"{scope}: {gettext(settings.SCOPES[scope])}") for scope in READING],
        required=False,
        label=_("Its events show"),
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("Choose none to send ids and types alone."),
    )

    def __init__(self, request, object_id=None, *args, **kwargs):
        super().__init__(request, object_id, *args, **kwargs)
        # Who may give scopes to clients may give them to endpoints.
        self.holds = READING if request.user.has_perm("reuseid.change_client") else ()
        if not self.holds:
            del self.fields["scopes"]

    def clean_url(self):
        """As the REST API judges it."""
        try:
            endpoints.check_target(self.cleaned_data["url"])
        except Invalid as error:
            raise ValidationError([item["reason"] for item in error.invalid_params]) from error
        return self.cleaned_data["url"]

    def values(self):
        """What the service is called with."""
        named = ("url", "description", "event_types", "scopes")
        return {name: self.cleaned_data[name] for name in named if name in self.cleaned_data} | {"holds": self.holds}


class NewEndpointForm(AddressForm):
    """An endpoint of one of the colleague's accounts."""

    account = forms.ModelChoiceField(
        queryset=Account.objects.none(), label=_("Account"), widget=UnfoldAdminSelectWidget
    )
    field_order = ("account", "url", "description", "event_types", "scopes")

    def __init__(self, request, object_id=None, *args, **kwargs):
        super().__init__(request, object_id, *args, **kwargs)
        self.fields["account"].queryset = accounts_of(request.user)


class ChangeEndpointForm(AddressForm):
    """What there is, to change it."""

    def __init__(self, request, object_id=None, *args, **kwargs):
        super().__init__(request, object_id, *args, **kwargs)
        endpoint = endpoint_of(request, object_id)
        if endpoint:
            self.initial = {name: getattr(endpoint, name) for name in ("url", "description", "event_types")}
            self.initial["scopes"] = endpoint.shown_scopes()


class RotateForm(
    ReasonForm.about(
        WebhookEndpoint,
        lambda endpoint: [
            _("Both keys are new; the secret is shown once."),
            _("Until the overlap ends the old and the new keys sign, so receivers refuse nothing."),
        ],
    )
):
    """How long the old keys sign too."""

    overlap = forms.TypedChoiceField(
        choices=[
            (24, _("For a day")),
            (1, _("For an hour")),
            (72, _("For three days")),
            (168, _("For a week")),
            (0, _("No longer: the old ones are known to somebody else")),
        ],
        coerce=int,
        label=_("The old keys sign too"),
        widget=UnfoldAdminSelectWidget,
    )
    field_order = ("overlap", "reason", "note")

    def values(self):
        return {**super().values(), "overlap_hours": self.cleaned_data["overlap"]}


def _removal_follows(endpoint):
    return [
        _("Its keys are forgotten, and what is owed to it is not sent."),
        _("Events stay in the list, where the account's systems can fetch them."),
        _("It can't be undone."),
    ]


RemoveForm = ReasonForm.about(WebhookEndpoint, _removal_follows, danger=True)


def _failed_follow(endpoint):
    failed = Delivery.objects.filter(account=endpoint.account_id, endpoint=endpoint, status=Delivery.Status.FAILED)
    count = failed[:1000].count()
    return [
        ngettext(
            "%(count)s callback that was given up is owed again, due now.",
            "%(count)s callbacks that were given up are owed again, due now.",
            count,
        )
        % {"count": "1000+" if count == 1000 else count},
        _("Receivers know the ones they have by the same webhook-id."),
    ]


ResendFailedForm = ReasonForm.about(WebhookEndpoint, _failed_follow)


class ResendSinceForm(
    ReasonForm.about(
        WebhookEndpoint,
        lambda endpoint: [
            _("What was given up since then, or never owed while the endpoint was switched off, is owed again."),
            _("Receivers know the ones they have by the same webhook-id."),
        ],
    )
):
    """Since when, and whether also what was taken."""

    since = forms.DateTimeField(
        label=_("Since"),
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local", "step": "1"}),
    )
    delivered = forms.BooleanField(
        required=False, label=_("Also what was taken already"), widget=UnfoldBooleanSwitchWidget
    )
    field_order = ("since", "delivered", "reason", "note")

    def __init__(self, request, object_id=None, *args, **kwargs):
        super().__init__(request, object_id, *args, **kwargs)
        endpoint = endpoint_of(request, object_id)
        since = (endpoint and endpoint.failing_since) or timezone.now() - timedelta(days=1)
        self.initial = {"since": timezone.localtime(since).strftime("%Y-%m-%dT%H:%M:%S")}

    def values(self):
        return {
            **super().values(),
            "since": in_range(self.cleaned_data["since"]),
            "delivered": self.cleaned_data["delivered"],
        }
