"""API clients: made, limited to scopes, given a new secret, blocked. A secret is shown once."""

from django import forms
from django.conf import settings
from django.contrib import admin
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from reuseid.admin.kit import formatting
from reuseid.admin.kit.answers import Refusals, go_to, shown_once
from reuseid.admin.kit.dialogs import LET_IN, ReasonForm, dialog_action, row_act
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import AccountFilter, StatusFilter
from reuseid.admin.kit.pages import Facts, Header, PageAdmin, Tab, Timeline, trail_of
from reuseid.admin.kit.scope import accounts_of
from reuseid.models import Account, Client
from reuseid.services import clients

BlockForm = ReasonForm.about(Client, lambda client: [_("It is not let in any more; its access tokens are deleted.")])
UnblockForm = ReasonForm.about(Client, lambda client: [_("It may ask for tokens again.")])
RotateForm = ReasonForm.about(
    Client,
    lambda client: [_("The present secret and every access token stop at once."), _("The new one is shown once.")],
)


def scope_choices():
    return [(scope, f"{scope}: {gettext(sentence)}") for scope, sentence in settings.SCOPES.items()]


def scope_field():
    return forms.MultipleChoiceField(
        label=_("Scopes"), choices=scope_choices, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )


class NewForm(BaseDialogForm):
    """Name, account and scopes of a new client."""

    account = forms.ModelChoiceField(
        label=_("Account"), queryset=Account.objects.none(), widget=UnfoldAdminSelectWidget
    )
    name = forms.CharField(label=_("Name"), max_length=120, widget=UnfoldAdminTextInputWidget)
    scopes = scope_field()

    def __init__(self, request, object_id=None, *args, **kwargs):
        super().__init__(request, object_id, *args, **kwargs)
        self.fields["account"].queryset = accounts_of(request.user)


class ScopesForm(ReasonForm.about(Client, lambda client: [_("A scope that is taken away stops for live tokens too.")])):
    """The scopes that the client keeps, and why."""

    scopes = scope_field()
    field_order = ("scopes", "reason", "note")

    def values(self):
        return {**super().values(), "scopes": self.cleaned_data["scopes"]}


def facts(request, client):
    rows = [
        (_("Client id"), formatting.ident(client.client_id)),
        (_("Secret"), formatting.MASK),
        (_("Scopes"), formatting.words(client.scopes)),
        (_("Account"), client.account.name),
        (_("Created"), formatting.when(client.created)),
        (_("Last got a token"), formatting.when(client.token_at, formatting.NEVER)),
    ]
    return [Facts(rows), Timeline(trail_of(client, request.user), title=_("History"))]


@admin.register(Client)
class ClientAdmin(PageAdmin):
    list_display = ("name", "state", "client_id", "account", "token_at", "created")
    headers = {"token_at": _("Last got a token"), "created": _("Created")}
    missing = {"token_at": formatting.NEVER}
    list_filter = (StatusFilter, AccountFilter)
    list_select_related = ("account",)
    sortable_by = None
    ordering = ("name", "pk")
    search_exact = ("client_id", "name")
    search_hint = _("Client id or name, exactly")
    actions_list = ("create",)
    actions_detail = ("scopes", "rotate", "block", "unblock")
    tabs = [Tab("overview", _("Overview"), facts)]
    rights = {
        "create": "add_client",
        "scopes": "change_client",
        "rotate": "rotate_client",
        "block": "block_client",
        "unblock": "block_client",
    }
    available_when = {
        "block": lambda client: client.status == Client.Status.ACTIVE,
        "unblock": lambda client: client.status == Client.Status.BLOCKED,
    }

    def header(self, request, client):
        return Header(
            title=client.name,
            state=formatting.state(client),
            ident=formatting.ident(client.client_id),
            lines=[(_("Account"), client.account.name), (_("Created"), formatting.when(client.created))],
        )

    @dialog_action(
        _("New client"),
        url_path="new",
        icon="add",
        effect=Effect.GIVES_SECRET,
        variant=ActionVariant.PRIMARY,
        title=_("A new API client"),
        description=_("Its secret is shown once, after this."),
        form=NewForm,
        submit=_("Make it"),
    )
    def create(self, request, form):
        values = form.cleaned_data
        with Refusals(request, _("Nothing was made. %(why)s")):
            client, secret = clients.create(
                values["account"], name=values["name"], scopes=values["scopes"], actor=self.actor(request)
            )
            return self._secret(request, client, secret)
        return go_to(request, formatting.list_of(Client))

    scopes = row_act(
        clients.set_scopes,
        label=_("Scopes"),
        name="scopes",
        icon="rule",
        effect=Effect.OPENS,
        title=_("What the client may do"),
        form=ScopesForm,
        submit=_("Save"),
        done=_("The scopes are saved."),
    )

    @dialog_action(
        _("New secret"),
        icon="key",
        effect=Effect.GIVES_SECRET,
        variant=ActionVariant.WARNING,
        title=_("A new secret for this client"),
        form=RotateForm,
        submit=_("Make a new secret"),
    )
    def rotate(self, request, form, object_id):
        return self.act(request, object_id, clients.rotate_secret, then=self._secret, **form.values())

    def _secret(self, request, client, secret):
        return shown_once(
            request,
            title=_("The secret of %(name)s") % {"name": client.name},
            secret=secret,
            advice=_("Client id %(ident)s. The secret is shown now and never again: hand it over safely.")
            % {"ident": client.client_id},
            back=formatting.page_of(Client, client.pk),
        )

    block = row_act(
        clients.block,
        label=_("Block"),
        icon="block",
        effect=Effect.HOLDS,
        title=_("Block this client"),
        form=BlockForm,
        done=_("The client is blocked."),
    )

    unblock = row_act(
        clients.unblock,
        label=_("Let in again"),
        title=_("Let this client in again"),
        form=UnblockForm,
        done=_("The client is let in again."),
        **LET_IN,
    )
