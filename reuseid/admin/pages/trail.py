"""The history of everything: who did what to whom, through what, when and why."""

from django.apps import apps
from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from reuseid.actors import ActorKind
from reuseid.admin.kit import formatting, history
from reuseid.admin.kit.base import BackOfficeAdmin, OfService, hidden
from reuseid.admin.kit.export_lists import TrailExportMixin
from reuseid.admin.kit.filters import AccountFilter, DateFilter
from reuseid.admin.kit.scope import trail_lines
from reuseid.admin.kit.texts import act, searched, thing
from reuseid.models import TrailEntry, TrailKey, TrailSeal, kind_of
from reuseid.normalisation import as_uuid


def kinds():
    """What a line can be about: the names of all models of our apps."""
    ours = (apps.get_app_config(label) for label in ("reuseid", "mobileid"))
    return [kind_of(model) for app in ours for model in app.get_models()]


@admin.register(TrailEntry)
class TrailAdmin(TrailExportMixin, BackOfficeAdmin):
    list_title = _("Timeline")
    list_display = ("at", "sentence", "about", "person", "who", "because", "account")
    headers = {"at": _("Time")}
    list_display_links = ("at",)
    list_filter = (AccountFilter, ("at", DateFilter))
    list_select_related = ("account",)
    ordering = ("-id",)
    search_exact = ("user_id", "object_id", "actor_id")
    search_hint = _("Id of a user, an object or a colleague, exactly")
    shown = (
        "at",
        "sentence",
        "action",
        "about",
        "person",
        "who",
        "because",
        "note",
        "changed",
        "trace_id",
        "account",
    )

    def get_queryset(self, request):
        return trail_lines(request.user).order_by(*self.ordering)

    def get_search_results(self, request, queryset, search_term):
        """By id of anything; the kinds are named too, since the indexes begin with them."""
        term = search_term.strip()
        if not term:
            return queryset, False
        request.searched_for = searched(term, [_("user"), _("object"), _("colleague")])
        found = Q(object_type__in=kinds(), object_id=term) | Q(actor_type__in=list(ActorKind), actor_id=term)
        if as_uuid(term):
            found |= Q(user_id=as_uuid(term))
        return queryset.filter(found), False

    @display(description=_("What"))
    def sentence(self, entry):
        return act(entry.action)

    @display(description=_("About"))
    def about(self, entry):
        return thing(entry.object_type, formatting.short(entry.object_id))

    @display(description=_("Who"))
    def who(self, entry):
        return _("%(who)s, through %(what)s") % {"who": history.who(entry), "what": history.through(entry)}

    def name_of(self, entry):
        return f"{act(entry.action)}: {self.about(entry)}"

    @display(description=_("Changes"))
    def changed(self, entry):
        return formatting.text(history.line(entry, entry.reader).changes)


@admin.register(TrailSeal)
class TrailSealAdmin(OfService):
    list_display = ("number", "at", "first_id", "last_id", "count", "root", "key")
    headers = {"at": _("Sealed")}
    ordering = ("-number",)
    search_hint = _("Number, exactly")
    shown = ("number", "at", "first_id", "last_id", "count", "root", "previous", "hash", "signature", "purged_at")

    def get_queryset(self, request):
        return super().get_queryset(request).defer("leaves")


@admin.register(TrailKey)
class TrailKeyAdmin(OfService):
    list_display = ("id", "public_key", "created_at")
    headers = {"created_at": _("Made")}
    ordering = ("-created_at",)
    shown = ("id", "public_key", "private_half", "created_at")

    private_half = hidden(_("Private half"))
