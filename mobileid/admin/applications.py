"""Applications: the apps of an account and the policy for their phones."""

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from mobileid.models import Application, AuthMethod
from mobileid.services import applications
from reuseid.admin import cells
from reuseid.admin.edits import EditAdmin, EditForm
from reuseid.admin.filters import AccountFilter


class ApplicationForm(EditForm):
    auth_methods = forms.MultipleChoiceField(
        label=_("Auth methods"),
        choices=AuthMethod,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        initial=list(AuthMethod.values),
    )


@admin.register(Application)
class ApplicationAdmin(EditAdmin):
    form = ApplicationForm
    list_display = ("name", "account", "server", "methods", "suite", "pin_type", "created")
    list_filter = (AccountFilter,)
    list_select_related = ("account",)
    sortable_by = None
    ordering = ("account", "name")
    exact = ("pk", "name")
    search_hint = _("Id or name, exactly")
    shown = ("account", "server", *applications.POLICY, "id", "created")

    def get_fields(self, request, obj=None):
        return self.shown if obj else ("account", "server", *applications.POLICY)

    def get_readonly_fields(self, request, obj=None):
        if obj and not self.has_change_permission(request):
            return self.shown
        return ("account", "server", "id", "created") if obj else ()

    @display(description=_("Methods"))
    def methods(self, application):
        return cells.words([AuthMethod(method).label for method in application.auth_methods])

    @display(description=_("Suite at least"), ordering="min_suite")
    def suite(self, application):
        return {1: "X25519", 2: "X-Wing"}[application.min_suite]

    @display(description=_("Made"), ordering="created_at")
    def created(self, application):
        return cells.when(application.created_at)

    def create(self, request, values):
        account = values.pop("account")
        return applications.create_application(account, actor=self.actor(request), **values)

    def change(self, request, application, values):
        return applications.change_application(application, actor=self.actor(request), **values)
