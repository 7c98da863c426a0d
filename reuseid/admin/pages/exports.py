"""Exports: asked for on a list with a reason, made in the background, downloaded by who asked."""

from django.contrib import admin
from django.http import HttpResponseNotAllowed, StreamingHttpResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from reuseid.admin.kit import formatting
from reuseid.admin.kit.answers import Refusals, go_to
from reuseid.admin.kit.base import BackOfficeAdmin
from reuseid.admin.kit.filters import AccountFilter, DateFilter, StatusFilter
from reuseid.admin.kit.pages import Facts, Header, Tab, Timeline, trail_of
from reuseid.admin.kit.progress import JobAdmin, Progress
from reuseid.admin.kit.texts import reason_in_words
from reuseid.models import Export, ExportPart
from reuseid.services.jobs import exports


def progress_of(export):
    """How many rows are in the file so far."""
    return Progress(
        export,
        done=export.row_count,
        total=export.expected or 0,
        running=export.status in {Export.Status.OWED, Export.Status.RUNNING},
        details=[export.failure] if export.failure else [],
    )


class Download:
    """The button, for who may; else why not."""

    template = "admin/parts/download.html"

    def __init__(self, request, export):
        self.mine = export.asked_by_id == request.user.pk
        self.ready = export.status == Export.Status.READY
        self.who = str(export.asked_by)
        self.until = formatting.when(export.expires_at)
        self.address = reverse("admin:reuseid_export_download", args=[export.pk])


def overview(request, export):
    """How far it is, the file, what was asked and why, who downloaded it."""
    filters = [f"{name.replace('_', ' ')}: {value}" for name, value in export.filters.items()]
    facts = [
        (_("Account"), export.account.name),
        (_("Filters"), formatting.words(filters)),
        (_("Attributes"), formatting.words(export.attributes)),
        (_("Sensitive values"), _("in it") if export.sensitive else _("masked")),
        (_("Because"), reason_in_words(export.reason)),
        (_("Note"), formatting.text(export.note)),
        (_("Asked by"), str(export.asked_by)),
        (_("Ready"), formatting.when(export.ready_at, formatting.NOT_YET)),
    ]
    panels = [Download(request, export)] if export.status == Export.Status.READY else []
    return [progress_of(export), *panels, Facts(facts), Timeline(trail_of(export, request.user), title=_("History"))]


@admin.register(Export)
class ExportAdmin(JobAdmin):
    progress_of = staticmethod(progress_of)
    page_related = ("account", "asked_by")
    list_display = ("created_at", "kind", "state", "row_count", "sensitive", "who", "account")
    headers = {"created_at": gettext_lazy("Asked")}
    list_display_links = ("created_at",)
    list_filter = (StatusFilter, AccountFilter, ("created_at", DateFilter))
    list_select_related = ("account", "asked_by")
    ordering = ("-created_at", "-id")
    search_hint = gettext_lazy("Id of an export, exactly")
    tabs = [Tab("overview", gettext_lazy("Overview"), overview)]

    @display(description=gettext_lazy("Asked by"))
    def who(self, export):
        return str(export.asked_by)

    def header(self, request, export):
        lines = [(_("Rows"), export.row_count), (_("Asked"), formatting.when(export.created_at))]
        if export.expires_at:
            lines.append((_("Deleted"), formatting.when(export.expires_at)))
        title = export.get_kind_display()
        return Header(title=title, state=formatting.state(export), ident=formatting.ident(export.pk), lines=lines)

    def get_urls(self):
        download = self.admin_site.admin_view(self.download)
        return [path("<path:object_id>/download/", download, name="reuseid_export_download"), *super().get_urls()]

    def download(self, request, object_id):
        """The file, part by part; a link alone downloads nothing."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        export = self.viewable(request, object_id)
        with Refusals(request, _("Nothing was downloaded. %(why)s")):
            return self._file(request, export, exports.download(export, actor=self.actor(request)))
        return go_to(request, formatting.page_of(Export, export.pk))

    def _file(self, request, export, count):
        response = StreamingHttpResponse(_parts(export, count), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{export.kind}-{export.created_at:%Y%m%d-%H%M}.csv"'
        response["Cache-Control"] = "no-store"
        return response


def _parts(export, count):
    """One part in memory at a time, each read when the one before has been sent."""
    for number in range(count):
        yield exports.part(export, number)


@admin.register(ExportPart)
class ExportPartAdmin(BackOfficeAdmin):
    list_display = ("id", "export", "number", "account")
    list_filter = (AccountFilter,)
    list_select_related = ("account", "export")
    ordering = ("-pk",)
    search_exact = ("pk", "export_id")
    search_hint = gettext_lazy("Id of the part or of the export, exactly")
    shown = ("id", "export", "number", "account")

    def get_queryset(self, request):
        return super().get_queryset(request).defer("content")
