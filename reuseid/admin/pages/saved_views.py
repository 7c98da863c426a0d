"""Views that a colleague keeps: their own list of them, and removing one."""

from urllib.parse import parse_qsl, urlencode

from django import forms
from django.apps import apps as installed
from django.contrib import admin, messages
from django.http import Http404
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from reuseid.admin.kit import formatting
from reuseid.admin.kit.answers import Refusals, go_to
from reuseid.admin.kit.base import BackOfficeAdmin
from reuseid.admin.kit.dialogs import SureForm, dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.pages import Facts, Header, PageAdmin, Tab
from reuseid.models import SavedView
from reuseid.services.staff import saved_views


def list_name(view):
    """The list that it is of, as the side bar calls it."""
    return capfirst(installed.get_model(view.model)._meta.verbose_name_plural)


def filters_in_words(view):
    """Its filters as an address has them, one after the other."""
    return formatting.words([f"{name.replace('_', ' ')}: {value}" for name, value in parse_qsl(view.query)])


def address_of(view):
    """Where a saved view leads."""
    return f"{formatting.list_of(installed.get_model(view.model))}?{view.query}"


class NameForm(BaseDialogForm):
    """The name of a view; the address of the dialog says which list and filters."""

    name = forms.CharField(
        max_length=saved_views.NAME,
        label=gettext_lazy("Name"),
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("Only you see it. What was typed into the search box is not kept."),
    )


def facts(request, view):
    rows = [
        (_("List"), list_name(view)),
        (_("Filters"), filters_in_words(view)),
        (_("Saved"), formatting.when(view.created_at)),
        (_("Open it"), formatting.anchor(address_of(view), view.name)),
    ]
    return [Facts(rows)]


@admin.register(SavedView)
class SavedViewAdmin(PageAdmin):
    account_paths = ()
    page_related = ()
    list_display = ("name", "of_list", "filters", "created_at")
    headers = {"created_at": gettext_lazy("Saved")}
    list_display_links = ("name",)
    sortable_by = ("name",)
    ordering = ("model", "name")
    search_exact = ("name",)
    actions_list = ("create",)
    actions_detail = ("remove",)
    tabs = [Tab("overview", gettext_lazy("Overview"), facts)]
    rights = {"create": "view_savedview", "remove": "view_savedview"}

    def get_queryset(self, request):
        """Nobody's but one's own, a superuser's too."""
        return super(BackOfficeAdmin, self).get_queryset(request).filter(staff=request.user)

    @display(description=gettext_lazy("List"))
    def of_list(self, view):
        return formatting.anchor(address_of(view), list_name(view))

    @display(description=gettext_lazy("Filters"))
    def filters(self, view):
        return filters_in_words(view)

    def header(self, request, view):
        return Header(title=view.name)

    def get_actions_list(self, request):
        """A view is saved from the list that it is of."""
        return []

    @dialog_action(
        gettext_lazy("Save this view"),
        url_path="new",
        icon="bookmark_add",
        effect=Effect.NOTES,
        title=gettext_lazy("Save this view"),
        description=gettext_lazy("The list with its filters, as a link above it."),
        form=NameForm,
        submit=gettext_lazy("Save"),
    )
    def create(self, request, form):
        listed = self._list_of(request)
        if listed is None:
            raise Http404
        allowed = [pair for pair in parse_qsl(request.GET.get("query", "")) if listed.lookup_allowed(*pair, request)]
        with Refusals(request, _("Nothing was saved. %(why)s")):
            view = saved_views.keep(
                actor=self.actor(request),
                model=listed.opts.label_lower,
                name=form.cleaned_data["name"],
                query=urlencode(allowed),
            )
            messages.success(request, _("The view “%(name)s” is saved.") % {"name": view.name})
            return go_to(request, address_of(view))
        return go_to(request, formatting.list_of(listed.model))

    def _list_of(self, request):
        """The admin of the list that the dialog's address names, if the colleague may see it."""
        listed = {admin.opts.label_lower: admin for admin in self.admin_site._registry.values()}
        found = listed.get(request.GET.get("model", ""))
        return found if found is not None and found.has_view_permission(request) else None

    @dialog_action(
        gettext_lazy("Remove"),
        icon="bookmark_remove",
        effect=Effect.NOTES,
        variant=ActionVariant.DANGER,
        title=gettext_lazy("Remove this saved view"),
        description=gettext_lazy("Only the link goes; the rows stay as they are."),
        form=SureForm,
    )
    def remove(self, request, form, object_id):
        service = saved_views.remove
        return self.act(request, object_id, service, done=_("The view is removed."))

    def page_after(self, view):
        return formatting.list_of(SavedView)
