"""People: found in seconds, read on one page, locked and unlocked with a reason; what is for good needs two."""

from functools import partial
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.decorators import display

from reuseid.admin.kit import formatting, history
from reuseid.admin.kit.answers import last_line
from reuseid.admin.kit.bulk_lists import BulkListMixin, for_chosen
from reuseid.admin.kit.consequences import consequences, elsewhere
from reuseid.admin.kit.dialogs import LOCK, UNLOCK, LockForm, ReasonForm, caller_advice, row_act
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.export_lists import PeopleExportMixin
from reuseid.admin.kit.filters import AccountFilter, DateFilter, LockFilter, StartFilter, StatusFilter, by_row
from reuseid.admin.kit.pages import Header, PageAdmin, Tab
from reuseid.admin.kit.quick_filters import View, only, since_today
from reuseid.admin.kit.search import find_people
from reuseid.admin.kit.texts import name_of, reason_in_words
from reuseid.admin.kit.texts.statuses import meaning
from reuseid.admin.pages.users import tabs as user_tabs
from reuseid.models import ApprovalRequest, Client, Staff, User
from reuseid.services.audit import access
from reuseid.services.people import approvals, users


def _follows(*sentences):
    def follows(user):
        return [*elsewhere(user), *sentences]

    return follows


PersonLockForm = LockForm.about(
    User, _follows(_("The account's systems get the event user.locked."), _("It can be undone: Unlock."))
)
UnlockForm = ReasonForm.about(
    User,
    lambda user: [
        *caller_advice(user.pk),
        _("The person may sign in again. A device that is locked for itself stays locked."),
        _("The account's systems get the event user.unlocked."),
    ],
)


def _asks(action):
    """The dialog of asking: what happens now is little, what happens later is for good."""

    def follows(user):
        hours = settings.REQUEST_HOURS
        now = [
            ngettext(
                "Nothing happens yet: a second colleague has to agree within %(hours)s hour.",
                "Nothing happens yet: a second colleague has to agree within %(hours)s hours.",
                hours,
            )
            % {"hours": hours}
        ]
        if user.status == User.Status.ACTIVE:
            now.append(_("Until then the person signs in as before. If it is urgent, lock them as well."))
        return [*now, _("Once a colleague has agreed:"), *consequences(action, user)]

    return ReasonForm.about(User, follows, danger=True)


AskDeactivateForm = _asks(ApprovalRequest.Action.DEACTIVATE)
AskEraseForm = _asks(ApprovalRequest.Action.ERASE)
ASKED = _("It is asked for. Nothing has changed yet: a second colleague has to agree.")


def _asker(line):
    """The first of two colleagues, where the trail line is the second's."""
    found = Staff.objects.filter(pk=line.changes["asked_by"]) if "asked_by" in line.changes else []
    return [(_("Asked for by"), str(colleague)) for colleague in found]


def _can_ask(user, action):
    return not approvals.is_done(user, action) and not user_tabs.asked_for(user, action)


@admin.register(User)
class UserAdmin(BulkListMixin, PeopleExportMixin, PageAdmin):
    extensible = PageAdmin.extensible | {"overview", "consequences", "finders"}
    bulk_kind = "user"
    page_related = ("account", "client")
    actions = (for_chosen("user", "lock"), for_chosen("user", "unlock"))
    list_display = ("person", "state", "reference", "segment", "account", "status_since", "created_at")
    headers = {"status_since": _("Since"), "created_at": _("Created")}
    list_display_links = ("person",)
    list_filter = (
        StartFilter,
        StatusFilter,
        LockFilter,
        by_row(Client, "client", _("client")),
        AccountFilter,
        ("status_since", DateFilter),
        ("created_at", DateFilter),
    )
    views = (
        View(_("Locked today"), since_today("status_since", status="LOCKED")),
        View(_("Locked until unlocked"), only(lock="lasting")),
        View(_("New today"), since_today("created_at")),
    )
    list_select_related = ("account",)
    ordering = ("-created_at", "-id")
    search_exact = ("external_ref",)
    search_hint = _("Id of the user, a device or an operation · reference · name:value")
    actions_detail = (
        "lock",
        "unlock",
        {"title": _("For good …"), "icon": "gavel", "items": ["deactivate", "erase"]},
    )
    tabs = [
        Tab("overview", _("Overview"), user_tabs.overview, order=0),
        Tab("attributes", _("Attributes"), user_tabs.attributes, permission="reuseid.view_attribute", order=10),
        Tab("proofings", _("Proofings"), user_tabs.proofings, permission="reuseid.view_proofing", order=20),
        Tab("timeline", _("Timeline"), user_tabs.timeline, permission="reuseid.view_trailentry", order=60),
        Tab("callbacks", _("Callbacks"), user_tabs.callbacks, permission="reuseid.view_event", order=70),
        Tab("requests", _("Requests"), user_tabs.requests, permission="reuseid.view_approvalrequest", order=80),
        Tab("looked", _("Who looked"), user_tabs.looked, permission="reuseid.view_useraccess", order=90),
    ]
    rights = {"lock": "lock_user", "unlock": "unlock_user", "deactivate": "deactivate_user", "erase": "erase_user"}
    available_when = {
        "lock": lambda user: user.status in User.MOVES[User.Status.LOCKED],
        "unlock": lambda user: user.status in User.MOVES[User.Status.ACTIVE],
        "deactivate": lambda user: _can_ask(user, ApprovalRequest.Action.DEACTIVATE),
        "erase": lambda user: _can_ask(user, ApprovalRequest.Action.ERASE),
    }

    # The list

    @display(description=_("User"))
    def person(self, user):
        return user.external_ref or formatting.short(user.pk)

    @display(description=_("Id"))
    def reference(self, user):
        return formatting.ident(user.pk, brief=True)

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip():
            return queryset, False
        found, request.searched_for = find_people(request, search_term)
        if advice := getattr(request, "search_rests", ""):
            messages.warning(request, advice)
        return queryset.filter(pk__in=set(found)), False

    def get_changelist_instance(self, request):
        """An empty list offers the deliberate search for the beginning of a reference."""
        found = super().get_changelist_instance(request)
        found.by_start = urlencode({"starts": found.query}) if found.query else ""
        return found

    # The page

    def opened(self, request, user):
        access.viewed(user, actor=self.actor(request))

    def header(self, request, user):
        line = last_line(user, ("created", "locked", "unlocked", "deactivated"))
        lines = [(_("Account"), user.account.name), (_("Since"), formatting.when(user.status_since))]
        if line is not None:
            lines.append((_("By"), history.who(line)))
            lines += _asker(line)
        if user.lock_reason or (line and line.reason):
            code = user.lock_reason or line.reason
            lines.append((_("Because"), reason_in_words(code)))
        if line is not None and line.note:
            lines.append((_("Note"), line.note))
        if user.locked_until:
            lines.append((_("Locked until"), formatting.when(user.locked_until)))
        return Header(
            title=user.external_ref or _("Without a reference"),
            name=user.external_ref or name_of(user),
            state=formatting.state(user),
            ident=formatting.ident(user.pk),
            means=meaning(user),
            lines=lines,
        )

    # Acts

    lock = row_act(
        users.lock,
        label=_("Lock"),
        title=_("Lock this person"),
        form=PersonLockForm,
        done=_("The person is locked."),
        **LOCK,
    )

    unlock = row_act(
        users.unlock,
        label=_("Unlock"),
        title=_("Unlock this person"),
        form=UnlockForm,
        done=_("The person is unlocked."),
        **UNLOCK,
    )

    deactivate = row_act(
        partial(approvals.ask, action=ApprovalRequest.Action.DEACTIVATE),
        name="deactivate",
        label=_("Ask to deactivate …"),
        icon="person_off",
        effect=Effect.FOR_GOOD,
        title=_("Ask a second colleague to deactivate this person for good"),
        form=AskDeactivateForm,
        submit=_("Ask to deactivate"),
        done=ASKED,
    )

    erase = row_act(
        partial(approvals.ask, action=ApprovalRequest.Action.ERASE),
        name="erase",
        label=_("Ask to erase …"),
        icon="delete_forever",
        effect=Effect.FOR_GOOD,
        title=_("Ask a second colleague to erase this person's data"),
        form=AskEraseForm,
        submit=_("Ask to erase"),
        done=ASKED,
    )
