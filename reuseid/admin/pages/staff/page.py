"""Colleagues: who works here, in which roles, for which accounts."""

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from reuseid.admin.auth.sign_in import factor_facts, sign_in_table
from reuseid.admin.kit import formatting
from reuseid.admin.kit.answers import Refusals, go_to, shown_once
from reuseid.admin.kit.dialogs import ReasonForm, SureForm, dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.pages import Facts, Header, PageAdmin, Tab, Timeline, trail_of
from reuseid.admin.kit.scope import account_names, accounts_of, colleagues
from reuseid.admin.pages.staff.activity import activity
from reuseid.models import Account, Staff
from reuseid.services.staff import members, second_factors


class AccessForm(BaseDialogForm):
    """Roles and accounts, chosen among all roles and the accounts that the asker sees."""

    roles = forms.ModelMultipleChoiceField(
        label=_("Roles"), queryset=Group.objects.none(), required=False, widget=UnfoldAdminCheckboxSelectMultipleWidget
    )
    accounts = forms.ModelMultipleChoiceField(
        label=_("Accounts"),
        queryset=Account.objects.none(),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    def __init__(self, request, object_id=None, *args, **kwargs):
        super().__init__(request, object_id, *args, **kwargs)
        self.fields["roles"].queryset = members.all_roles()
        self.fields["accounts"].queryset = accounts_of(request.user)

    def values(self):
        values = {name: value for name, value in self.cleaned_data.items() if not name.startswith("_")}
        return {**values, "roles": list(values["roles"]), "accounts": list(values["accounts"])}


class NewForm(AccessForm):
    """A new colleague."""

    username = forms.CharField(label=_("Username"), max_length=150, widget=UnfoldAdminTextInputWidget)
    email = forms.EmailField(label=_("E-mail"), required=False, widget=UnfoldAdminEmailInputWidget)
    field_order = ("username", "email", "roles", "accounts")


class ChangeForm(AccessForm):
    """A colleague's roles and accounts, and whether they may sign in, as they are."""

    is_active = forms.BooleanField(required=False, label=_("May sign in"), widget=UnfoldBooleanSwitchWidget)
    field_order = ("is_active", "roles", "accounts")

    def __init__(self, request, object_id=None, *args, **kwargs):
        super().__init__(request, object_id, *args, **kwargs)
        staff = colleagues(request.user).filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if staff is not None:
            self.initial = {
                "is_active": staff.is_active,
                "roles": list(staff.groups.all()),
                "accounts": list(staff.accounts.all()),
            }


class Foreseen:
    """A dialog about a colleague that says what will follow, or why it would be refused."""

    form_before_template = "admin/parts/consequences.html"

    def get_before_template_context(self, request, object_id=None):
        row = colleagues(request.user).filter(pk=object_id).first()
        return {"follows": self.foreseen(row, request.user) if row else []}


def _refusal(check, staff, reader):
    try:
        check(staff, reader.pk)
    except members.TakesTwo as refusal:
        return [refusal.detail]
    return []


class PasswordForm(Foreseen, SureForm):
    """A new password for a colleague."""

    def foreseen(self, staff, reader):
        """Who knows what afterwards."""
        return _refusal(members.check_gives, staff, reader) or [
            _("The present password stops at once, and every session ends. The new one is shown once, to you."),
            _("Right after signing in with it the colleague has to choose an own one; nothing else opens before."),
            _("Until then you can't reset their second factor: another administrator does."),
        ]


class ResetForm(Foreseen, ReasonForm):
    """A colleague lost what they sign in with."""

    danger = True

    def foreseen(self, staff, reader):
        """What stops, and who could sign in as the colleague in between."""
        giver = staff.password_set_by
        known = _("%(who)s gave the present password and knows it: after this it is all that it takes to sign in.")
        return _refusal(second_factors.check_resets, staff, reader) or [
            _("The authenticator app, the passkeys and the recovery codes stop, and every session ends."),
            *([known % {"who": giver.get_username()}] if giver and giver.pk != reader.pk else []),
            _("With the password the colleague sets up a new one: make sure that it is the colleague who asks."),
            _("Until they have, you can't give them a password: another administrator does."),
        ]


def facts(request, staff):
    rows = [
        (_("Name"), formatting.text(staff.get_full_name())),
        (_("E-mail"), formatting.text(staff.email)),
        (_("Roles"), formatting.words([group.name for group in staff.groups.order_by("name")])),
        (
            _("Accounts"),
            _("all")
            if staff.is_superuser
            else formatting.words(account_names([str(a) for a in staff.accounts.order_by("name")], request.user)),
        ),
        (_("May sign in"), _("yes") if staff.is_active else _("no")),
        *_given(staff),
        (_("Last signed in"), formatting.when(staff.last_login, formatting.NEVER)),
        (_("Since"), formatting.when(staff.date_joined)),
        *factor_facts(staff),
    ]
    return [Facts(rows), Timeline(trail_of(staff, request.user), title=_("History of this entry"))]


def _given(staff):
    """What other colleagues did for this one's signing in, as long as it lasts."""
    rows = []
    if staff.password_set_by:
        rows.append((_("Password given by"), staff.password_set_by.get_username()))
    if staff.factor_reset_by:
        rows.append((_("Second factor reset by"), staff.factor_reset_by.get_username()))
    return rows


def sign_ins(request, staff):
    """When the colleague signed in, and what was refused."""
    return [sign_in_table(staff)]


@admin.register(Staff)
class StaffAdmin(PageAdmin):
    account_paths = ("accounts",)
    page_related = ("password_set_by", "factor_reset_by")
    list_display = ("username", "full_name", "roles", "is_active", "last_login")
    headers = {"last_login": _("Last signed in")}
    missing = {"last_login": formatting.NEVER}
    sortable_by = None
    ordering = ("username",)
    search_exact = ("pk", "username", "email")
    search_hint = _("Name or e-mail address, exactly")
    actions_list = ("create",)
    actions_detail = ("access", "password", "reset_factor")
    rights = {
        "create": "add_staff",
        "access": "change_staff",
        "password": "change_staff",
        "reset_factor": "change_staff",
    }
    available_when = {"reset_factor": lambda staff: any(second_factors.listed(staff))}
    tabs = [
        Tab("overview", _("Overview"), facts),
        Tab("sign-ins", _("Sign-ins"), sign_ins, permission="reuseid.view_staffsignin"),
        Tab("activity", _("What they did"), activity, permission="reuseid.view_trailentry"),
    ]

    def get_queryset(self, request):
        """Those who share an account with the reader; superusers are seen by superusers."""
        return colleagues(request.user).order_by(*self.ordering).prefetch_related("groups")

    @display(description=_("Name"))
    def full_name(self, staff):
        return formatting.text(staff.get_full_name())

    @display(description=_("Roles"))
    def roles(self, staff):
        return (
            _("superuser")
            if staff.is_superuser
            else formatting.words(sorted(group.name for group in staff.groups.all()))
        )

    def header(self, request, staff):
        state = (
            formatting.badge(_("May sign in"), "good") if staff.is_active else formatting.badge(_("Shut out"), "bad")
        )
        return Header(
            title=staff.username,
            state=state,
            lines=[(_("Last signed in"), formatting.when(staff.last_login, formatting.NEVER))],
        )

    @dialog_action(
        _("New colleague"),
        url_path="new",
        icon="person_add",
        effect=Effect.GIVES_SECRET,
        variant=ActionVariant.PRIMARY,
        title=_("A new colleague"),
        description=_(
            "The first password is shown once, after this. The colleague chooses an own one right after signing in."
        ),
        form=NewForm,
        submit=_("Make the entry"),
    )
    def create(self, request, form):
        with Refusals(request, _("Nothing was made. %(why)s")):
            staff, password = members.create(actor=self.actor(request), **form.values())
            return self._secret(request, staff, password)
        return go_to(request, formatting.list_of(Staff))

    @dialog_action(
        _("Access"),
        icon="badge",
        effect=Effect.OPENS,
        title=_("Roles and accounts"),
        description=_("They count from the colleague's next click."),
        form=ChangeForm,
        submit=_("Save"),
    )
    def access(self, request, form, object_id):
        done = _("The access is saved.")
        return self.act(request, object_id, members.change, done=done, **form.values())

    @dialog_action(
        _("New password"),
        icon="key",
        effect=Effect.GIVES_SECRET,
        variant=ActionVariant.WARNING,
        title=_("A new password"),
        form=PasswordForm,
        submit=_("Make a new password"),
    )
    def password(self, request, form, object_id):
        return self.act(request, object_id, members.new_password, then=self._secret)

    @dialog_action(
        _("Reset second factor"),
        icon="phonelink_erase",
        effect=Effect.OPENS,
        variant=ActionVariant.DANGER,
        title=_("Reset this colleague's second factor"),
        form=ResetForm,
        submit=_("Reset"),
    )
    def reset_factor(self, request, form, object_id):
        done = _("The second factor is reset. With the password the colleague sets up a new one.")
        return self.act(request, object_id, second_factors.reset, done=done, **form.values())

    def _secret(self, request, staff, secret):
        return shown_once(
            request,
            title=_("The password of %(name)s") % {"name": staff.username},
            secret=secret,
            advice=_(
                "It is shown now and never again. Give it to the colleague in person: it opens nothing but the choice "
                "of an own one."
            ),
            back=formatting.page_of(Staff, staff.pk),
        )
