"""Bulk acts: many people or devices at once, a dry run first, then carried out by workers with a result a row."""

import csv

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from reuseid.admin.kit import formatting
from reuseid.admin.kit.answers import explain
from reuseid.admin.kit.base import BackOfficeAdmin
from reuseid.admin.kit.bulk_lists import offered
from reuseid.admin.kit.dialogs import LockForm, SureForm, dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import AccountFilter, DateFilter, StatusFilter
from reuseid.admin.kit.pages import Facts, Header, Tab, Table, Timeline, trail_of
from reuseid.admin.kit.progress import JobAdmin, Progress
from reuseid.admin.kit.scope import account_ids, accounts_of
from reuseid.admin.kit.texts import reason_in_words
from reuseid.admin.kit.texts.statuses import colour_of
from reuseid.errors import ServiceError
from reuseid.models import Account, BulkRow, BulkRun
from reuseid.models.sealed import unseal_field
from reuseid.services.jobs import bulk, csv_text

_VERBS = {"lock": gettext_lazy("Lock %(things)s"), "unlock": gettext_lazy("Unlock %(things)s")}
_DONE = {"lock": gettext_lazy("locked"), "unlock": gettext_lazy("unlocked")}
_WOULD = {"lock": gettext_lazy("would be locked"), "unlock": gettext_lazy("would be unlocked")}
_ALREADY = {"lock": gettext_lazy("is locked already"), "unlock": gettext_lazy("is not locked")}
_WORDS = {
    "WAITING": gettext_lazy("not yet"),
    "NOT_FOUND": gettext_lazy("not found"),
    "TWICE": gettext_lazy("named twice"),
    "SKIPPED": gettext_lazy("not carried out"),
}


def act_label(kind, act):
    """“Lock users”."""
    things = bulk.KINDS[kind].model._meta.verbose_name_plural
    return str(_VERBS[act]) % {"things": things}


def outcome(run, status, would=False):
    """What became of a row, or what would."""
    if status == "DONE":
        return str((_WOULD if would else _DONE)[run.act])
    if status == "ALREADY":
        return str(_ALREADY[run.act])
    if status == "REFUSED":
        return _("would be refused") if would else _("refused")
    return str(_WORDS[status])


class BulkForm(LockForm):
    """What, for whom, why. ``BaseDialogForm`` brings the request; this one is a page of its own."""

    form_before_template = None

    what = forms.ChoiceField(label=gettext_lazy("What"), widget=UnfoldAdminSelectWidget)
    account = forms.ModelChoiceField(
        label=gettext_lazy("Account"), queryset=Account.objects.none(), empty_label=None, widget=UnfoldAdminSelectWidget
    )
    lines = forms.CharField(
        label=gettext_lazy("Who"),
        max_length=100_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 12, "spellcheck": "false", "autocomplete": "off"}),
        help_text=gettext_lazy(
            "One id or external reference a line. Or paste a CSV with its header: the column id, userId, deviceId or "
            "externalRef is taken."
        ),
    )
    field_order = ("what", "account", "lines", "reason", "until", "note")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        request = kwargs["request"]
        self.fields["what"].choices = [(f"{kind}.{act}", act_label(kind, act)) for kind, act in offered(request.user)]
        self.fields["account"].queryset = accounts_of(request.user)
        self.fields["until"].help_text = _("Counts for locks only.")

    def clean_lines(self):
        try:
            return bulk.lines_of(self.cleaned_data["lines"])
        except ServiceError as error:
            raise forms.ValidationError(error.invalid_params[0]["reason"]) from error


def overview(request, run):
    """Progress, what was asked, every row with what was foreseen and what came."""
    facts = [
        (_("What"), act_label(run.kind, run.act)),
        (_("Account"), run.account.name),
        (_("Because"), reason_in_words(run.reason)),
        (_("Note"), formatting.text(run.note)),
        (_("Until"), formatting.when(run.until, formatting.quiet(_("somebody unlocks")))),
        (_("Asked by"), str(run.asked_by)),
        (_("Started"), formatting.when(run.started_at, formatting.NOT_YET)),
        (_("Ended"), formatting.when(run.ended_at, formatting.NOT_YET)),
    ]
    panels = [Facts(facts), rows_table(request, run)]
    if run.status != BulkRun.Status.DRAFT:
        panels = [progress_of(run), *panels, Timeline(trail_of(run, request.user), title=_("History"))]
    return panels


def progress_of(run):
    """How many rows are settled, and in which way."""
    counts = bulk.counts_of(run)
    words = [f"{count} {outcome(run, BulkRow.Status(status))}" for status, count in sorted(counts.items())]
    return Progress(
        run,
        done=run.row_count - counts.get(BulkRow.Status.WAITING, 0) - counts.get(BulkRow.Status.SKIPPED, 0),
        total=run.row_count,
        running=run.status == BulkRun.Status.RUNNING,
        details=[run.stopped_because] * bool(run.stopped_because) + words,
    )


def rows_table(request, run):
    rows = list(run.rows.order_by("line"))
    model = bulk.KINDS[run.kind].model
    people = model._default_manager.filter(account=run.account_id).in_bulk([row.target_id for row in rows])
    table = []
    for row in rows:
        target = people.get(row.target_id)
        who = formatting.link(model, target.pk, label_of(target)) if target else typed(row)
        cols = [row.line, who, badge_of(run, row.foreseen, would=True)]
        if run.status != BulkRun.Status.DRAFT:
            cols.append(badge_of(run, row.status))
        table.append([*cols, row.message])
    headers = [_("Line"), _("Who"), _("Dry run"), _("What came of it"), _("Why")]
    if run.status == BulkRun.Status.DRAFT:
        headers.remove(_("What came of it"))
    return Table(headers, table, title=_("Rows"), more="")


def badge_of(run, status, would=False):
    """What became of a row, or what would, as a coloured word."""
    return formatting.badge(outcome(run, status, would), colour_of("bulkrow", status))


def label_of(target):
    """How the row's person or device is called in lists."""
    return getattr(target, "external_ref", None) or getattr(target, "name", None) or str(target.pk)


def typed(row):
    """What was typed where it named nobody."""
    text = unseal_field(row, "typed")
    return text.decode() if text else formatting.text(row.target_id)


@admin.register(BulkRun)
class BulkRunAdmin(JobAdmin):
    progress_of = staticmethod(progress_of)
    page_related = ("account", "asked_by")
    list_display = ("created_at", "what", "state", "row_count", "who", "account")
    headers = {"created_at": gettext_lazy("Made")}
    list_display_links = ("created_at",)
    list_filter = (StatusFilter, AccountFilter, ("created_at", DateFilter))
    list_select_related = ("account", "asked_by")
    ordering = ("-created_at", "-id")
    search_hint = gettext_lazy("Id of a bulk act, exactly")
    actions_detail = ("carry_out", "stop")
    tabs = [Tab("overview", gettext_lazy("Overview"), overview)]
    available_when = {
        "carry_out": lambda run: run.status == BulkRun.Status.DRAFT,
        "stop": lambda run: run.status == BulkRun.Status.RUNNING,
    }

    @display(description=gettext_lazy("What"))
    def what(self, run):
        return act_label(run.kind, run.act)

    @display(description=gettext_lazy("Asked by"))
    def who(self, run):
        return str(run.asked_by)

    def header(self, request, run):
        lines = [(_("Rows"), run.row_count), (_("Made"), formatting.when(run.created_at))]
        download = reverse("admin:reuseid_bulkrun_results", args=[run.pk])
        lines.append((_("Results"), formatting.anchor(download, _("Download as CSV"))))
        return Header(
            title=act_label(run.kind, run.act), state=formatting.state(run), ident=formatting.ident(run.pk), lines=lines
        )

    # The form

    def get_urls(self):
        results = self.admin_site.admin_view(self.results)
        return [path("<path:object_id>/results.csv", results, name="reuseid_bulkrun_results"), *super().get_urls()]

    def has_add_permission(self, request):
        if offered(request.user):
            return True
        request.refusal = _("Your roles don't include acting on many at once.")
        return False

    def add_view(self, request, form_url="", extra_context=None):
        """The form, and on POST the dry run."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return self.form_page(request)
        form = BulkForm(data=request.POST, request=request)
        if not form.is_valid():
            return self.form_page(request, form)
        values = form.values()
        kind, _dot, act = form.cleaned_data["what"].partition(".")
        try:
            run = bulk.draft(
                form.cleaned_data["account"],
                form.cleaned_data["lines"],
                actor=self.actor(request),
                kind=kind,
                act=act,
                **values,
            )
        except ServiceError as error:
            form.add_error(None, explain(error))
            return self.form_page(request, form)
        return redirect(formatting.page_of(BulkRun, run.pk))

    def form_page(self, request, form=None, initial=None):
        """The page that asks what, for whom and why."""
        first = account_ids(request.user)[:1]
        form = form or BulkForm(request=request, initial={"account": first[0] if first else None, **(initial or {})})
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("New bulk act"),
            "form": form,
            "limit": bulk.settings.BULK_LIMIT,
            "action": reverse("admin:reuseid_bulkrun_add"),
        }
        return TemplateResponse(request, "admin/bulk_new.html", context)

    # What a run says

    def results(self, request, object_id):
        """Every row as CSV; formulas are escaped."""
        run = self.viewable(request, object_id)
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="bulk-{run.pk}.csv"'
        writer = csv.writer(response, quoting=csv.QUOTE_ALL)
        writer.writerow(["line", "id", "typed", "dryRun", "result", "message"])
        for row in run.rows.order_by("line"):
            text = unseal_field(row, "typed")
            cols = [row.line, row.target_id, text and text.decode(), row.foreseen, row.status, row.message]
            writer.writerow([csv_text.cell(value) for value in cols])
        return response

    # Acts

    def has_carry_out_permission(self, request, object_id=None):
        if object_id is None:
            return self.has_add_permission(request)
        run = self.row(request, object_id)
        return run is not None and (run.kind, run.act) in offered(request.user)

    has_stop_permission = has_carry_out_permission

    @dialog_action(
        gettext_lazy("Carry out"),
        icon="play_arrow",
        effect=Effect.MANY,
        title=gettext_lazy("Carry out this bulk act"),
        description=gettext_lazy(
            "Each row is decided again, one after the other, in the background. Each change leaves its own line in "
            "the history and tells the account's systems. It can be stopped; what was done stays done."
        ),
        form=SureForm,
    )
    def carry_out(self, request, form, object_id):
        return self.act(request, object_id, bulk.start, done=_("It is being carried out."))

    @dialog_action(
        gettext_lazy("Stop"),
        icon="stop",
        effect=Effect.ENDS_OPEN,
        variant=ActionVariant.WARNING,
        title=gettext_lazy("Stop this bulk act"),
        description=gettext_lazy("What was done stays done; nothing more is changed."),
        form=SureForm,
    )
    def stop(self, request, form, object_id):
        return self.act(request, object_id, bulk.stop, done=_("It is stopped."))


@admin.register(BulkRow)
class BulkRowAdmin(BackOfficeAdmin):
    list_display = ("id", "run", "line", "target_id", "foreseen", "status", "account")
    list_filter = (AccountFilter,)
    list_select_related = ("account", "run")
    ordering = ("-pk",)
    search_exact = ("pk", "run_id")
    search_hint = gettext_lazy("Id of the row or of the bulk act, exactly")
    shown = ("id", "run", "line", "target_id", "foreseen", "status", "message", "settled_at", "account")
