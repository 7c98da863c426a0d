"""Lists that can be exported: the dialog that asks for the reason and carries the list's filters over."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from reuseid.actors import Actor
from reuseid.admin.kit import formatting
from reuseid.admin.kit.answers import Refusals, go_to
from reuseid.admin.kit.base import BackOfficeAdmin
from reuseid.admin.kit.dialogs import ReasonForm, dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import with_zone
from reuseid.admin.kit.scope import account_ids, accounts_of
from reuseid.models import Account, Export
from reuseid.services.jobs import export_kinds, exports

# Parts of a list's address that are no filters.
ORDER = {"p", "o", "all", "e"}


def filters_of(request: HttpRequest) -> dict:
    """The filters of the list on which the dialog was opened: htmx names its address. ``q`` is a search."""
    query = urlsplit(request.headers.get("HX-Current-URL", "")).query
    return {name: value for name, value in parse_qsl(query) if name not in ORDER}


class ExportForm(ReasonForm):
    """Account, why, and in which form. The list's filters are shown, and come back in a hidden field."""

    kind = "users"
    sensitive = False

    account = forms.ModelChoiceField(
        label=gettext_lazy("Account"), queryset=Account.objects.none(), empty_label=None, widget=UnfoldAdminSelectWidget
    )
    bom = forms.BooleanField(
        label=gettext_lazy("For Excel"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Begins with a byte order mark, so that Excel takes it for UTF-8."),
    )
    filters = forms.CharField(label="", required=False, max_length=2000, widget=forms.HiddenInput)
    field_order = ("account", "attributes", "bom", "reason", "note")

    def __init__(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, object_id, *args, **kwargs)
        listed = filters_of(request)
        self.fields["account"].queryset = accounts_of(request.user)
        account = next((pk for pk in account_ids(request.user) if str(pk) == listed.get("account")), None)
        self.initial = {
            "account": account or next(iter(account_ids(request.user)), None),
            "filters": json.dumps(
                with_zone({name: value for name, value in listed.items() if name != "account" and value})
            ),
        }

    def get_before_template_context(self, request: HttpRequest, object_id: str | None = None) -> dict[str, list[str]]:
        found = self._filters(self["filters"].value() or "{}")
        words = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in found.items() if name != "q")
        limit = {"limit": settings.EXPORT_LIMIT, "hours": settings.EXPORT_HOURS}
        return {
            "follows": [
                _("The list's filters count: %(filters)s.") % {"filters": words} if words else _("No filter is set."),
                _("A worker makes the file, %(limit)s rows at most; only you can download it.") % limit,
                _("It is deleted after %(hours)s hours. Asking and each download stay in the history.") % limit,
            ]
        }

    def clean_filters(self) -> dict[str, str]:
        found = self._filters(self.cleaned_data["filters"] or "{}")
        if "q" in found:
            raise forms.ValidationError(_("Filters are carried over, a search is not: clear the search first."))
        return found

    def _filters(self, text: str) -> dict[str, str]:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()) else {}

    def clean(self) -> dict[str, Any]:
        values = super().clean()
        if "filters" in self.errors:
            # A hidden field has no place for what is wrong with it.
            self.add_error("account", self.errors.pop("filters"))
        return values

    def values(self) -> dict[str, Any]:
        names = {"account", "filters", "bom", "attributes"} & set(self.cleaned_data)
        return {**super().values(), **{name: self.cleaned_data[name] for name in names}}


class PeopleForm(ExportForm):
    """The dialog that asks for an export of people, with or without their attributes."""

    attributes = forms.BooleanField(
        label=gettext_lazy("With attributes"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("A column for each name of the catalogue; sensitive values are masked."),
    )


class SensitiveForm(PeopleForm):
    """The same with all values of the catalogue's attributes."""

    sensitive = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["attributes"]

    def values(self) -> dict[str, Any]:
        return {**super().values(), "attributes": True}


class TrailForm(ExportForm):
    """The dialog that asks for an export of trail lines."""

    kind = "trail"


class ExportListMixin(BackOfficeAdmin):
    """A list that can be exported."""

    def ask_export(self, request: HttpRequest, form: ExportForm) -> HttpResponse:
        """Ask for the export that the form describes, and go to its page."""
        values = form.values()
        with Refusals(request, _("Nothing is exported. %(why)s")):
            export = exports.ask(
                values.pop("account"),
                actor=Actor.staff(request.user),
                kind=form.kind,
                sensitive=form.sensitive,
                **values,
            )
            return go_to(request, formatting.page_of(Export, export.pk))
        return go_to(request, formatting.list_of(self.model))

    def may_export(self, request: HttpRequest, kind: str, sensitive: bool = False) -> bool:
        """Whether the colleague has the rights to this export; the page of the refusal says that they don't."""
        if request.user.has_perms(export_kinds.rights_of(kind, sensitive)):
            return True
        request.refusal = _("Your roles don't include this export.")
        return False


class PeopleExportMixin(ExportListMixin):
    """Two exports of people: masked, and with sensitive values."""

    actions_list = ("export", "export_all")

    def has_export_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may_export(request, "users")

    def has_export_all_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may_export(request, "users", sensitive=True)

    @dialog_action(
        gettext_lazy("Export"),
        icon="download",
        effect=Effect.HANDS_OUT_MASKED,
        title=gettext_lazy("Export people"),
        form=PeopleForm,
    )
    def export(self, request: HttpRequest, form: PeopleForm) -> HttpResponse:
        return self.ask_export(request, form)

    @dialog_action(
        gettext_lazy("Export with sensitive values"),
        icon="download",
        effect=Effect.UNMASKS,
        variant=ActionVariant.WARNING,
        title=gettext_lazy("Export people with sensitive values"),
        form=SensitiveForm,
    )
    def export_all(self, request: HttpRequest, form: SensitiveForm) -> HttpResponse:
        return self.ask_export(request, form)


class TrailExportMixin(ExportListMixin):
    """The export of trail lines."""

    actions_list = ("export",)

    def has_export_permission(self, request: HttpRequest, object_id: str | None = None) -> bool:
        return self.may_export(request, "trail")

    @dialog_action(
        gettext_lazy("Export"),
        icon="download",
        effect=Effect.HANDS_OUT_MASKED,
        title=gettext_lazy("Export the timeline"),
        form=TrailForm,
    )
    def export(self, request: HttpRequest, form: TrailForm) -> HttpResponse:
        return self.ask_export(request, form)
