"""People: found in seconds, read on one page, locked, unlocked and deactivated with a reason."""

from django.contrib import admin
from unfold.decorators import action, display
from unfold.enums import ActionVariant

from reuseid.admin import cells, user_tabs
from reuseid.admin.bulk import BulkListMixin, for_chosen
from reuseid.admin.dialogs import LockForm, ReasonForm
from reuseid.admin.exports import PeopleExportMixin
from reuseid.admin.filters import AccountFilter, DateFilter, StatusFilter
from reuseid.admin.pages import Header, PageAdmin, Tab, last_state_line
from reuseid.admin.search import find_people
from reuseid.models import User
from reuseid.services import reasons, users

# What mobileid says will follow on a person's phones: functions of a user that return sentences.
FOLLOW_ON_PHONES = []


def _follows(*sentences):
    def follows(user):
        return [*(text for more in FOLLOW_ON_PHONES for text in more(user)), *sentences]

    return follows


PersonLockForm = LockForm.about(
    User, _follows("The account's systems get the event user.locked.", "It can be undone: Unlock.")
)
UnlockForm = ReasonForm.about(
    User,
    lambda user: [
        "The person may sign in again. A device that is locked for itself stays locked.",
        "The account's systems get the event user.unlocked.",
    ],
)
DeactivateForm = ReasonForm.about(
    User,
    _follows(
        "All devices are deactivated for good.",
        "The account's systems get the event user.deactivated.",
        "It can't be undone.",
    ),
    danger=True,
)


@admin.register(User)
class UserAdmin(BulkListMixin, PeopleExportMixin, PageAdmin):
    bulk_kind = "user"
    actions = (for_chosen("user", "lock"), for_chosen("user", "unlock"))
    list_display = ("person", "state", "reference", "segment", "account", "since", "created")
    list_display_links = ("person",)
    list_filter = (StatusFilter, AccountFilter, ("status_since", DateFilter), ("created_at", DateFilter))
    list_select_related = ("account",)
    ordering = ("-created_at", "-id")
    exact = ("external_ref",)
    search_hint = "Id of the user, a device or an operation · reference · name:value"
    actions_detail = ("lock", "unlock", "deactivate")
    tabs = [
        Tab("overview", "Overview", user_tabs.overview, order=0),
        Tab("attributes", "Attributes", user_tabs.attributes, right="reuseid.view_attribute", order=10),
        Tab("proofings", "Proofings", user_tabs.proofings, right="reuseid.view_proofing", order=20),
        Tab("timeline", "Timeline", user_tabs.timeline, right="reuseid.view_trailentry", order=60),
        Tab("callbacks", "Callbacks", user_tabs.callbacks, right="reuseid.view_event", order=70),
    ]
    fits = {
        "lock": lambda user: user.status in User.MOVES[User.Status.LOCKED],
        "unlock": lambda user: user.status in User.MOVES[User.Status.ACTIVE],
        "deactivate": lambda user: user.status in User.MOVES[User.Status.DEACTIVATED],
    }

    # The list

    @display(description="User")
    def person(self, user):
        return user.external_ref or cells.short(user.pk)

    @display(description="Id")
    def reference(self, user):
        return cells.ident(user.pk)

    @display(description="State", ordering="status")
    def state(self, user):
        return cells.state(user)

    @display(description="Since", ordering="status_since")
    def since(self, user):
        return cells.when(user.status_since)

    @display(description="Created", ordering="created_at")
    def created(self, user):
        return cells.when(user.created_at)

    def get_search_results(self, request, queryset, search_term):
        if not search_term.strip():
            return queryset, False
        found, request.searched_for = find_people(request, search_term)
        return queryset.filter(pk__in=set(found)), False

    # The page

    def header(self, request, user):
        line = last_state_line(user, ["created", "locked", "unlocked", "deactivated"])
        lines = [("Account", user.account.name), ("Since", cells.when(user.status_since))]
        if line is not None:
            lines.append(("By", line.actor_label or line.actor_id))
        if user.lock_reason or (line and line.reason):
            code = user.lock_reason or line.reason
            lines.append(("Because", f"{code}: {reasons.sentences().get(code, '')}".rstrip(": ")))
        if line is not None and line.note:
            lines.append(("Note", line.note))
        if user.locked_until:
            lines.append(("Locked until", cells.when(user.locked_until)))
        return Header(
            title=user.external_ref or "Without a reference",
            state=cells.state(user),
            ident=cells.ident(user.pk),
            lines=lines,
        )

    # Acts

    def has_lock_permission(self, request, object_id=None):
        return self.may(request, object_id, "lock_user")

    def has_unlock_permission(self, request, object_id=None):
        return self.may(request, object_id, "unlock_user")

    def has_deactivate_permission(self, request, object_id=None):
        return self.may(request, object_id, "deactivate_user")

    @action(
        description="Lock",
        url_path="lock",
        icon="lock",
        permissions=["lock"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Lock this person",
            "description": "",
            "form_class": PersonLockForm,
            "form_submit_text": "Lock",
        },
    )
    def lock(self, request, form, object_id):
        return self.act(request, object_id, users.lock, done="The person is locked.", **form.values())

    @action(
        description="Unlock",
        url_path="unlock",
        icon="lock_open",
        permissions=["unlock"],
        variant=ActionVariant.SUCCESS,
        dialog={
            "title": "Unlock this person",
            "description": "",
            "form_class": UnlockForm,
            "form_submit_text": "Unlock",
        },
    )
    def unlock(self, request, form, object_id):
        return self.act(request, object_id, users.unlock, done="The person is unlocked.", **form.values())

    @action(
        description="Deactivate",
        url_path="deactivate",
        icon="person_off",
        permissions=["deactivate"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Deactivate this person for good",
            "description": "",
            "form_class": DeactivateForm,
            "form_submit_text": "Deactivate for good",
        },
    )
    def deactivate(self, request, form, object_id):
        done = "The person is deactivated for good."
        return self.act(request, object_id, users.deactivate, done=done, **form.values())
