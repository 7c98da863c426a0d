"""Exports: asked for on a list with a reason, made in the background, downloaded by who asked."""

import json
from urllib.parse import parse_qsl, urlsplit

from asgiref.sync import sync_to_async
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.handlers.asgi import ASGIRequest
from django.http import Http404, HttpResponseNotAllowed, StreamingHttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from reuseid.admin import cells
from reuseid.admin.base import BackOfficeAdmin
from reuseid.admin.dialogs import ReasonForm, dialog_action
from reuseid.admin.effects import Effect
from reuseid.admin.filters import AccountFilter, DateFilter, StatusFilter, with_zone
from reuseid.admin.pages import Facts, Header, PageAdmin, Tab, Timeline, explain, go_to, trail_of
from reuseid.admin.progress import Progress
from reuseid.admin.scope import account_ids
from reuseid.admin.words import reason_in_words
from reuseid.errors import ServiceError
from reuseid.models import Account, Export, ExportPart
from reuseid.services import export_kinds, exports

# Parts of a list's address that are no filters.
ORDER = {"p", "o", "all", "e"}


def filters_of(request) -> dict:
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

    def __init__(self, request, object_id=None, *args, **kwargs):
        super().__init__(request, object_id, *args, **kwargs)
        listed = filters_of(request)
        accounts = Account.objects.filter(pk__in=account_ids(request.user)).order_by("name")
        self.fields["account"].queryset = accounts
        account = next((pk for pk in account_ids(request.user) if str(pk) == listed.get("account")), None)
        self.initial = {
            "account": account or next(iter(account_ids(request.user)), None),
            "filters": json.dumps(
                with_zone({name: value for name, value in listed.items() if name != "account" and value})
            ),
        }

    def get_before_template_context(self, request, object_id=None):
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

    def clean_filters(self):
        found = self._filters(self.cleaned_data["filters"] or "{}")
        if "q" in found:
            raise forms.ValidationError(_("Filters are carried over, a search is not: clear the search first."))
        return found

    def _filters(self, text):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) and all(isinstance(value, str) for value in found.values()) else {}

    def clean(self):
        values = super().clean()
        if "filters" in self.errors:
            # A hidden field has no place for what is wrong with it.
            self.add_error("account", self.errors.pop("filters"))
        return values

    def values(self):
        names = {"account", "filters", "bom", "attributes"} & set(self.cleaned_data)
        return {**super().values(), **{name: self.cleaned_data[name] for name in names}}


class PeopleForm(ExportForm):
    """People, with or without their attributes."""

    attributes = forms.BooleanField(
        label=gettext_lazy("With attributes"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("A column for each name of the catalogue; sensitive values are masked."),
    )


class SensitiveForm(PeopleForm):
    """People with all values of the catalogue's attributes."""

    sensitive = True

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        del self.fields["attributes"]

    def values(self):
        return {**super().values(), "attributes": True}


class TrailForm(ExportForm):
    """Lines of the trail."""

    kind = "trail"


class ExportListMixin:
    """A list that can be exported."""

    def ask_export(self, request, form):
        """Owe it, and go to its page."""
        values = form.values()
        try:
            export = exports.ask(
                values.pop("account"), by=request.user, kind=form.kind, sensitive=form.sensitive, **values
            )
        except ServiceError as error:
            messages.error(request, _("Nothing is exported. %(why)s") % {"why": explain(error)})
            return go_to(request, cells.list_of(self.model))
        return go_to(request, cells.page_of(Export, export.pk))

    def may_export(self, request, kind, sensitive=False):
        """The rights to it; a refusal then says what is missing."""
        if request.user.has_perms(export_kinds.rights_of(kind, sensitive)):
            return True
        request.refusal = _("Your roles don't include this export.")
        return False


class PeopleExportMixin(ExportListMixin):
    """Two exports of people: masked, and with sensitive values."""

    actions_list = ("export", "export_all")

    def has_export_permission(self, request, object_id=None):
        return self.may_export(request, "users")

    def has_export_all_permission(self, request, object_id=None):
        return self.may_export(request, "users", sensitive=True)

    @dialog_action(
        gettext_lazy("Export"),
        icon="download",
        right="export",
        effect=Effect.HANDS_OUT_MASKED,
        title=gettext_lazy("Export people"),
        form=PeopleForm,
    )
    def export(self, request, form):
        return self.ask_export(request, form)

    @dialog_action(
        gettext_lazy("Export with sensitive values"),
        icon="download",
        right="export_all",
        effect=Effect.UNMASKS,
        variant=ActionVariant.WARNING,
        title=gettext_lazy("Export people with sensitive values"),
        form=SensitiveForm,
    )
    def export_all(self, request, form):
        return self.ask_export(request, form)


class TrailExportMixin(ExportListMixin):
    """Lines of the trail."""

    actions_list = ("export",)

    def has_export_permission(self, request, object_id=None):
        return self.may_export(request, "trail")

    @dialog_action(
        gettext_lazy("Export"),
        icon="download",
        right="export",
        effect=Effect.HANDS_OUT_MASKED,
        title=gettext_lazy("Export the timeline"),
        form=TrailForm,
    )
    def export(self, request, form):
        return self.ask_export(request, form)


def progress_of(export, look=0):
    """The bar, which asks again until the file is there."""
    running = export.status in {Export.Status.OWED, Export.Status.RUNNING}
    done = {"done": export.row_count, "total": export.expected or 0}
    return Progress(
        title=_("Progress"),
        done=export.row_count,
        total=max(export.expected or 0, export.row_count, 1),
        text=_("%(done)s of %(total)s rows.") % done,
        details=[export.failure] if export.failure else [],
        running=running,
        address=reverse("admin:reuseid_export_progress", args=[export.pk]),
        look=look,
    )


class Download:
    """The button, for who may; else why not."""

    template = "admin/parts/download.html"

    def __init__(self, request, export):
        self.mine = export.asked_by_id == request.user.pk
        self.ready = export.status == Export.Status.READY
        self.who = str(export.asked_by)
        self.until = cells.when(export.expires_at)
        self.address = reverse("admin:reuseid_export_download", args=[export.pk])


def overview(request, export):
    """How far it is, the file, what was asked and why, who downloaded it."""
    filters = [f"{name.replace('_', ' ')}: {value}" for name, value in export.filters.items()]
    facts = [
        (_("Account"), export.account.name),
        (_("Filters"), cells.words(filters)),
        (_("Attributes"), cells.words(export.attributes)),
        (_("Sensitive values"), _("in it") if export.sensitive else _("masked")),
        (_("Because"), reason_in_words(export.reason)),
        (_("Note"), cells.text(export.note)),
        (_("Asked by"), str(export.asked_by)),
        (_("Ready"), cells.when(export.ready_at, cells.NOT_YET)),
    ]
    panels = [Download(request, export)] if export.status == Export.Status.READY else []
    return [progress_of(export), *panels, Facts(facts), Timeline(trail_of(export, request.user), title=_("History"))]


@admin.register(Export)
class ExportAdmin(PageAdmin):
    page_related = ("account", "asked_by")
    list_display = ("made", "kind", "state", "row_count", "sensitive", "who", "account")
    list_display_links = ("made",)
    list_filter = (StatusFilter, AccountFilter, ("created_at", DateFilter))
    list_select_related = ("account", "asked_by")
    ordering = ("-created_at", "-id")
    search_hint = gettext_lazy("Id of an export, exactly")
    tabs = [Tab("overview", gettext_lazy("Overview"), overview)]

    @display(description=gettext_lazy("Asked"), ordering="created_at")
    def made(self, export):
        return cells.when(export.created_at)

    @display(description=gettext_lazy("State"))
    def state(self, export):
        return cells.state(export)

    @display(description=gettext_lazy("Asked by"))
    def who(self, export):
        return str(export.asked_by)

    def header(self, request, export):
        lines = [(_("Rows"), export.row_count), (_("Asked"), cells.when(export.created_at))]
        if export.expires_at:
            lines.append((_("Deleted"), cells.when(export.expires_at)))
        title = export.get_kind_display()
        return Header(title=title, state=cells.state(export), ident=cells.ident(export.pk), lines=lines)

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("<path:object_id>/progress/", wrap(self.progress), name="reuseid_export_progress"),
            path("<path:object_id>/download/", wrap(self.download), name="reuseid_export_download"),
            *super().get_urls(),
        ]

    def _seen(self, request, object_id):
        export = self.row(request, object_id)
        if export is None:
            raise Http404
        if not self.has_view_permission(request, export):
            raise PermissionDenied
        return export

    def progress(self, request, object_id):
        """The bar alone; when the work is over the page is asked for anew."""
        export = self._seen(request, object_id)
        look = request.GET.get("look", "")
        panel = progress_of(export, look=int(look) if look.isdecimal() and len(look) < 4 else 0)
        response = TemplateResponse(request, panel.template, {"panel": panel})
        if not panel.running:
            response["HX-Refresh"] = "true"
        return response

    def download(self, request, object_id):
        """The file, part by part; a link alone downloads nothing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        export = self._seen(request, object_id)
        try:
            count = exports.download(export, by=request.user)
        except ServiceError as error:
            messages.error(request, _("Nothing was downloaded. %(why)s") % {"why": explain(error)})
            return redirect(cells.page_of(Export, export.pk))
        stream = _later(export, count) if isinstance(request, ASGIRequest) else _now(export, count)
        response = StreamingHttpResponse(stream, content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{export.kind}-{export.created_at:%Y%m%d-%H%M}.csv"'
        response["Cache-Control"] = "no-store"
        return response


def _now(export, count):
    for number in range(count):
        yield exports.part(export, number)


async def _later(export, count):
    """One part in memory at a time, also where the server is asynchronous."""
    for number in range(count):
        yield await sync_to_async(exports.part)(export, number)


@admin.register(ExportPart)
class ExportPartAdmin(BackOfficeAdmin):
    list_display = ("id", "export", "number", "account")
    list_filter = (AccountFilter,)
    list_select_related = ("account", "export")
    ordering = ("-pk",)
    exact = ("pk", "export_id")
    search_hint = gettext_lazy("Id of the part or of the export, exactly")
    shown = ("id", "export", "number", "account")

    def get_queryset(self, request):
        return super().get_queryset(request).defer("content")
