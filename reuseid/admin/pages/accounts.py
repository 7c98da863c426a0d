"""Accounts: the tenants."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit.dialogs import LET_IN, ReasonForm, row_act
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import StatusFilter
from reuseid.admin.kit.pages import Acting
from reuseid.admin.kit.service_forms import EditAdmin, EditForm
from reuseid.models import Account
from reuseid.services import accounts

BlockForm = ReasonForm.about(
    Account, lambda account: [_("From the next call on none of its API clients is let in.")], path="pk"
)
UnblockForm = ReasonForm.about(Account, lambda account: [_("Its API clients are let in again.")], path="pk")


class AccountForm(EditForm):
    wire_names = {"logoUri": "logo_uri"}


@admin.register(Account)
class AccountAdmin(Acting, EditAdmin):
    effect = Effect.NAMES
    form = AccountForm
    account_paths = ("pk",)
    list_display = ("name", "state", "open_catalogue", "created_at", "id")
    headers = {"created_at": _("Created")}
    list_filter = (StatusFilter,)
    sortable_by = None
    ordering = ("name",)
    search_exact = ("pk", "name")
    search_hint = _("Id or name, exactly")
    shown = ("name", "logo_uri", "open_catalogue", "id", "state", "created_at")
    readonly_fields = ("id", "state", "created_at")
    actions_detail = ("block", "unblock")
    rights = {"block": "block_account", "unblock": "block_account"}
    available_when = {
        "block": lambda account: account.status == Account.Status.ACTIVE,
        "unblock": lambda account: account.status == Account.Status.BLOCKED,
    }

    def get_fields(self, request, obj=None):
        return self.shown if obj else ("name", "logo_uri")

    def create(self, request, values):
        return accounts.create(values["name"], actor=self.actor(request), logo_uri=values["logo_uri"])

    def change(self, request, account, values):
        return accounts.update(account, actor=self.actor(request), **values)

    block = row_act(
        accounts.block,
        label=_("Block"),
        icon="block",
        effect=Effect.MANY,
        title=_("Block this account"),
        form=BlockForm,
        done=_("The account is blocked."),
    )

    unblock = row_act(
        accounts.unblock,
        label=_("Let in again"),
        title=_("Let this account in again"),
        form=UnblockForm,
        done=_("The account is let in again."),
        **LET_IN,
    )
