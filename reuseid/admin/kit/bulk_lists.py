"""Lists whose rows can be chosen for a bulk act."""

from django.contrib import admin, messages
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reuseid.models import BulkRun
from reuseid.services.jobs import bulk


def offered(user):
    """What the colleague may do to many at once, as ``(kind, act)``."""
    return [
        (name, act)
        for name, kind in bulk.KINDS.items()
        for act in kind.acts
        if user.has_perms(bulk.rights_of(name, act))
    ]


def for_chosen(kind, act):
    """The act of a list's drop-down: leads to the form with the chosen rows, and changes nothing itself."""

    def choose(model_admin, request, queryset):
        rows = list(queryset.values_list("pk", "account_id")[: bulk.settings.BULK_LIMIT + 1])
        accounts = {account for _pk, account in rows}
        if len(rows) > bulk.settings.BULK_LIMIT:
            messages.warning(request, _("At most %(limit)s at once.") % {"limit": bulk.settings.BULK_LIMIT})
            return None
        if len(accounts) > 1:
            messages.warning(request, _("They belong to different accounts: filter by one account first."))
            return None
        lines = "\n".join(str(pk) for pk, _account in rows)
        chosen = {"what": f"{kind}.{act}", "account": accounts.pop(), "lines": lines}
        return admin.site._registry[BulkRun].form_page(request, initial=chosen)

    choose.__name__ = f"bulk_{act}"
    choose.short_description = gettext_lazy("Lock…") if act == "lock" else gettext_lazy("Unlock…")
    choose.allowed_permissions = [f"bulk_{act}"]
    return choose


class BulkListMixin:
    """A list whose rows can be chosen for a bulk act; ``bulk_kind`` names them."""

    bulk_kind = ""
    list_disable_select_all = True

    def has_bulk_lock_permission(self, request):
        return (self.bulk_kind, "lock") in offered(request.user)

    def has_bulk_unlock_permission(self, request):
        return (self.bulk_kind, "unlock") in offered(request.user)
