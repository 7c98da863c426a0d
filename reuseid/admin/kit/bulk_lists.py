"""Lists whose rows can be chosen for a bulk act."""

from collections.abc import Callable

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from reuseid.models import BulkRun, Staff
from reuseid.services.jobs import bulk

LABELS = {"lock": gettext_lazy("Lock…"), "unlock": gettext_lazy("Unlock…")}


def offered(user: Staff) -> list[tuple[str, str]]:
    """What the colleague may do to many at once, as ``(kind, act)``."""
    return [
        (name, act)
        for name, kind in bulk.KINDS.items()
        for act in kind.acts
        if user.has_perms(bulk.rights_of(name, act))
    ]


def for_chosen(kind: str, act: str) -> Callable:
    """The act of a list's drop-down: leads to the form with the chosen rows, and changes nothing itself."""

    @admin.action(description=LABELS[act], permissions=[f"bulk_{act}"])
    def choose(model_admin: ModelAdmin, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        rows = list(queryset.values_list("pk", "account_id")[: settings.BULK_LIMIT + 1])
        accounts = {account for _pk, account in rows}
        if len(rows) > settings.BULK_LIMIT:
            messages.warning(request, _("At most %(limit)s at once.") % {"limit": settings.BULK_LIMIT})
            return None
        if len(accounts) > 1:
            messages.warning(request, _("They belong to different accounts: filter by one account first."))
            return None
        lines = "\n".join(str(pk) for pk, _account in rows)
        chosen = {"what": f"{kind}.{act}", "account": accounts.pop(), "lines": lines}
        return admin.site._registry[BulkRun].form_page(request, initial=chosen)

    choose.__name__ = f"bulk_{act}"
    return choose


class BulkListMixin:
    """A list whose rows can be chosen for a bulk act; ``bulk_kind`` names them."""

    bulk_kind = ""
    list_disable_select_all = True

    def has_bulk_lock_permission(self, request: HttpRequest) -> bool:
        return (self.bulk_kind, "lock") in offered(request.user)

    def has_bulk_unlock_permission(self, request: HttpRequest) -> bool:
        return (self.bulk_kind, "unlock") in offered(request.user)
