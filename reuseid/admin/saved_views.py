"""Views that a colleague keeps: their own list of them, and removing one."""

from django.contrib import admin, messages
from django.http import Http404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from reuseid.admin import cells
from reuseid.admin.base import BackOfficeAdmin
from reuseid.admin.dialogs import SureForm
from reuseid.admin.pages import Facts, Header, PageAdmin, Tab, go_to
from reuseid.models import SavedView
from reuseid.services import saved_views


def address_of(view):
    """Where a saved view leads."""
    app, model = view.model.split(".")
    from django.urls import reverse

    return f"{reverse(f'admin:{app}_{model}_changelist')}?{view.query}"


def facts(request, view):
    rows = [
        (_("List"), view.model.partition(".")[2]),
        (_("Filters"), cells.text(view.query)),
        (_("Saved"), cells.when(view.created_at)),
        (_("Open it"), cells.anchor(address_of(view), view.name)),
    ]
    return [Facts(rows)]


@admin.register(SavedView)
class SavedViewAdmin(PageAdmin):
    account_paths = ()
    page_related = ()
    list_display = ("name", "of_list", "query", "saved")
    list_display_links = ("name",)
    sortable_by = None
    ordering = ("model", "name")
    exact = ("name",)
    actions_detail = ("remove",)
    tabs = [Tab("overview", gettext_lazy("Overview"), facts)]

    def get_queryset(self, request):
        """Nobody's but one's own, a superuser's too."""
        return super(BackOfficeAdmin, self).get_queryset(request).filter(staff=request.user)

    @display(description=gettext_lazy("List"))
    def of_list(self, view):
        return cells.anchor(address_of(view), view.model.partition(".")[2])

    @display(description=gettext_lazy("Saved"))
    def saved(self, view):
        return cells.when(view.created_at)

    def header(self, request, view):
        return Header(title=view.name)

    def has_remove_permission(self, request, object_id=None):
        return self.may(request, object_id, "view_savedview")

    @action(
        description=gettext_lazy("Remove"),
        url_path="remove",
        icon="bookmark_remove",
        permissions=["remove"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": gettext_lazy("Remove this saved view"),
            "description": gettext_lazy("Only the link goes; the rows stay as they are."),
            "form_class": SureForm,
            "form_submit_text": gettext_lazy("Remove"),
        },
    )
    def remove(self, request, form, object_id):
        view = self.row(request, object_id)
        if view is None:
            raise Http404
        saved_views.remove(view, staff=request.user)
        messages.success(request, _("The view is removed."))
        return go_to(request, cells.list_of(SavedView))
