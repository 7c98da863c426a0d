"""Applications: the apps of an account, the policy for their phones, how they look, and what they are built with."""

import json

from django import forms
from django.contrib import admin, messages
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from mobileid.admin import branding
from mobileid.models import Application, AuthMethod, ChannelKey, SigningKey, Suite, TrustAnchor
from mobileid.services import applications
from mobileid.services.qr import svg_data_uri
from reuseid.admin.kit import formatting
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import AccountFilter
from reuseid.admin.kit.pages import Table, Timeline, trail_of
from reuseid.admin.kit.service_forms import EditAdmin, EditForm

ROWS = 20


LABELS = {
    "min_sdk_version": _("SDK version at least"),
    "pin_min_length": _("Shortest PIN"),
    "pin_max_length": _("Longest PIN"),
    "pin_type": _("A PIN is made of"),
    "brand_name": _("Name that people see"),
    "brand_logo_uri": _("Logo"),
    "brand_colour": _("Colour"),
    "brand_text_colour": _("Colour of the text"),
    "support_phone": _("Phone for help"),
    "support_email": _("E-mail for help"),
    "support_url": _("Page for help"),
}


class ApplicationForm(EditForm):
    auth_methods = forms.MultipleChoiceField(
        label=_("Methods that may be used"),
        choices=AuthMethod,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        initial=list(AuthMethod.values),
    )
    min_suite = forms.TypedChoiceField(
        label=_("Cipher suite at least"),
        choices=Suite,
        coerce=int,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Apps that know no better one are refused."),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, label in LABELS.items():
            if name in self.fields:
                self.fields[name].label = label


@admin.register(Application)
class ApplicationAdmin(EditAdmin):
    effect = Effect.LOWERS_BAR
    form = ApplicationForm
    list_display = ("name", "account", "server", "methods", "suite", "pin_type", "created_at")
    headers = {"created_at": _("Made")}
    list_filter = (AccountFilter,)
    list_select_related = ("account",)
    sortable_by = None
    ordering = ("account", "name")
    search_exact = ("pk", "name")
    search_hint = _("Id or name, exactly")
    readonly_fields = ("account", "server", "id", "created_at")
    shown_only = ("preview", "configuration", "keys", "history")

    def get_fields(self, request, obj=None):
        policy = (*applications.POLICY, *applications.BRAND)
        return (*self.readonly_fields, *policy, *self.shown_only) if obj else ("account", "server", *policy)

    def get_fieldsets(self, request, obj=None):
        if obj is None:
            return [
                (None, {"fields": ("account", "server", *applications.POLICY)}),
                (_("Looks and help"), {"fields": applications.BRAND}),
            ]
        return [
            (_("Policy"), {"fields": (*self.readonly_fields, *applications.POLICY), "classes": ["tab"]}),
            (_("Looks and help"), {"fields": ("preview", *applications.BRAND), "classes": ["tab"]}),
            (_("Configuration"), {"fields": ("configuration",), "classes": ["tab"]}),
            (_("Keys"), {"fields": ("keys",), "classes": ["tab"]}),
            (_("History"), {"fields": ("history",), "classes": ["tab"]}),
        ]

    def get_readonly_fields(self, request, obj=None):
        if obj and not self.has_change_permission(request):
            return self.get_fields(request, obj)
        return (*self.readonly_fields, *self.shown_only) if obj else ()

    @display(description=_("Methods"))
    def methods(self, application):
        return formatting.words([AuthMethod(method).label for method in application.auth_methods])

    @display(description=_("Suite at least"), ordering="min_suite")
    def suite(self, application):
        return Suite(application.min_suite).label

    @display(description=_("Preview"))
    def preview(self, application):
        return branding.preview(application)

    @display(description=_("What the app is built with"))
    def configuration(self, application):
        """As the SDK reads it, as a QR code and as text."""
        found = applications.configuration(application)
        compact = json.dumps(found, separators=(",", ":"))
        values = {"qr": svg_data_uri(compact), "text": json.dumps(found, indent=2)}
        return render_to_string("admin/parts/configuration.html", values)

    @display(description=_("Keys of the account"))
    def keys(self, application):
        """Which key is used for what, since when; public halves are on the keys' own pages."""
        mine, rows = {"account": application.account_id}, []
        for model, purpose in (
            (TrustAnchor, _("signs the key document; pinned in the app")),
            (SigningKey, _("signs consents")),
        ):
            for key in model.objects.filter(**mine).order_by("-created_at").defer("private_key")[:ROWS]:
                rows.append(
                    [
                        formatting.link(model, key.pk),
                        purpose,
                        formatting.state(key),
                        *_age(key.created_at),
                        formatting.NONE,
                    ]
                )
        now = timezone.now()
        for key in ChannelKey.objects.filter(**mine).order_by("-not_before").defer("private_key")[:ROWS]:
            state = (
                formatting.badge(_("In use"), "good")
                if key.not_before <= now < key.not_after
                else formatting.badge(_("Old"))
            )
            purpose = _("seals messages, suite %(suite)s") % {"suite": Suite(key.suite).label}
            rows.append(
                [
                    formatting.link(ChannelKey, key.pk),
                    purpose,
                    state,
                    *_age(key.not_before),
                    formatting.when(key.not_after),
                ]
            )
        headers = [_("Key"), _("Purpose"), _("State"), _("Since"), _("Age"), _("Until")]
        return _panel(Table(headers, rows, empty=_("The account has no keys yet.")))

    @display(description=_("History"))
    def history(self, application):
        return _panel(Timeline(trail_of(application, application.reader)))

    def create(self, request, values):
        account = values.pop("account")
        application = applications.create_application(account, actor=self.actor(request), **values)
        self._warn(request, application)
        return application

    def change(self, request, application, values):
        application = applications.change_application(application, actor=self.actor(request), **values)
        self._warn(request, application)
        return application

    def _warn(self, request, application):
        if branding.ratio(application) < branding.ENOUGH:
            messages.warning(request, _("Its text is hard to read in these colours: see the preview."))


def _age(moment):
    return formatting.when(moment), formatting.duration(moment, timezone.now())


def _panel(panel):
    return render_to_string(panel.template, {"panel": panel})
