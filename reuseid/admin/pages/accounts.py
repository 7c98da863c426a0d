"""Accounts: the tenants."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant

from reuseid.admin.kit import formatting
from reuseid.admin.kit.dialogs import ReasonForm, dialog_action
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
    list_display = ("name", "state", "open_catalogue", "created", "id")
    list_filter = (StatusFilter,)
    sortable_by = None
    ordering = ("name",)
    search_exact = ("pk", "name")
    search_hint = _("Id or name, exactly")
    shown = ("name", "logo_uri", "open_catalogue", "id", "state", "created")
    readonly_fields = ("id", "state", "created")
    actions_detail = ("block", "unblock")
    available_when = {
        "block": lambda account: account.status == Account.Status.ACTIVE,
        "unblock": lambda account: account.status == Account.Status.BLOCKED,
    }

    def get_fields(self, request, obj=None):
        return self.shown if obj else ("name", "logo_uri")

    @display(description=_("State"), ordering="status")
    def state(self, account):
        return formatting.state(account)

    @display(description=_("Created"), ordering="created_at")
    def created(self, account):
        return formatting.when(account.created_at)

    def create(self, request, values):
        return accounts.create(values["name"], actor=self.actor(request), logo_uri=values["logo_uri"])

    def change(self, request, account, values):
        return accounts.update(account, actor=self.actor(request), **values)

    def has_block_permission(self, request, object_id=None):
        return self.may(request, object_id, "block_account")

    @dialog_action(
        _("Block"),
        icon="block",
        permission="block",
        effect=Effect.MANY,
        variant=ActionVariant.WARNING,
        title=_("Block this account"),
        form=BlockForm,
    )
    def block(self, request, form, object_id):
        return self.act(request, object_id, accounts.block, done=_("The account is blocked."), **form.values())

    @dialog_action(
        _("Let in again"),
        icon="lock_open",
        permission="block",
        effect=Effect.OPENS,
        variant=ActionVariant.SUCCESS,
        title=_("Let this account in again"),
        form=UnblockForm,
    )
    def unblock(self, request, form, object_id):
        return self.act(request, object_id, accounts.unblock, done=_("The account is let in again."), **form.values())
