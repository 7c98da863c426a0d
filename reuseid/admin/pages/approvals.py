"""What a colleague asked for and a second one decides: the queue, its pages, approve / reject / withdraw."""

from django.contrib import admin
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from reuseid.admin.kit import formatting
from reuseid.admin.kit.consequences import consequences
from reuseid.admin.kit.dialogs import NoteForm, WhyNotForm, row_act
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.filters import AccountFilter, DateFilter, StatusFilter, by_choice
from reuseid.admin.kit.pages import Facts, Finding, Findings, Header, PageAdmin, Points, Tab, Table, Timeline, trail_of
from reuseid.admin.kit.quick_filters import View, only, since_today
from reuseid.admin.kit.texts import reason_in_words
from reuseid.models import ApprovalRequest, User
from reuseid.services.people import approvals

Action, Status = ApprovalRequest.Action, ApprovalRequest.Status
COUNTED = {"devices": _("Devices that are not deactivated"), "open_operations": _("Open operations")}

ApproveForm = NoteForm.about(
    ApprovalRequest,
    lambda asked: [
        _("It is done at once, in your name; %(asker)s stays named as the one who asked.") % {"asker": asked.asked_by},
        *consequences(asked.action, asked.user),
    ],
    danger=True,
)
RejectForm = WhyNotForm.about(
    ApprovalRequest, lambda asked: [_("Nothing changes for the person."), _("The same can be asked for again.")]
)
WithdrawForm = NoteForm.about(
    ApprovalRequest, lambda asked: [_("Nothing changes for the person."), _("You can ask for it again.")]
)


def hindrances(request, asked):
    """What keeps the reader from approving one that waits, and what helps; the service decides again on the click."""
    if asked.expires_at <= timezone.now():
        yield (_("Its time is over."), _("Whoever still needs it asks again."))
    if approvals.is_done(asked.user, asked.action):
        yield (
            _("It has been done already in another way."),
            _("Reject it, or leave it: it expires, and nothing happens twice."),
        )
    if asked.asked_by_id == request.user.pk:
        yield (
            _("You asked for this yourself, and nobody decides their own request."),
            _("Ask a colleague to open this page. You can withdraw it."),
        )
    elif not request.user.has_perm(approvals.DECIDE):
        yield (_("Your roles don't include the right to decide requests."), _("Senior support has it."))
    if not approvals.asker_may(asked):
        yield (
            _("The colleague who asked may not do so any more."),
            _("Reject it; somebody else can ask again."),
        )


def overview(request, asked):
    """Whether the reader can decide, what was and what will be, why, and what follows."""
    panels = []
    if asked.status == Status.PENDING:
        clear = Finding(_("Yes: another colleague asked, and nothing stands in the way."), level="good")
        found = [Finding(*hindrance) for hindrance in hindrances(request, asked)]
        panels.append(Findings(_("Can you approve this?"), found or [clear]))
    panels += [_before_and_after(asked), _asked(asked)]
    if asked.status == Status.PENDING:
        panels.append(Points(consequences(asked.action, asked.user), title=_("What follows an approval")))
    if request.user.has_perm("reuseid.view_trailentry"):
        panels.append(Timeline(trail_of(asked, request.user), title=_("History")))
    return panels


def _before_and_after(asked):
    """What there was when it was asked, what there is while it waits, and what an approval makes of it."""
    waits = asked.status == Status.PENDING
    before, user = asked.before, asked.user
    rows = [[_("State"), *map(_state_word, (before.get("state"), user.status, User.Status.DEACTIVATED))]]
    for name, count in approvals.COUNTS.items():
        rows.append([COUNTED[name], formatting.text(before.get(name)), count(user), 0])
    if asked.action == Action.ERASE:
        kept, gone = _("kept"), _("erased")
        present = _("being erased") if user.erasure_requested_at else kept
        rows.append([_("Personal data"), kept, gone if user.erased_at else present, gone])
    headers = [_("What"), _("When it was asked"), _("Now"), _("After an approval")]
    columns = len(headers) if waits else 3
    return Table(headers[:columns], [row[:columns] for row in rows], title=_("Before and after"))


def _state_word(status):
    return User.Status(status).label if status in User.Status.values else formatting.NONE


def _asked(asked):
    rows = [
        (_("What"), asked.get_action_display()),
        (_("Person"), formatting.link(User, asked.user_id, asked.user.external_ref)),
        (_("Because"), reason_in_words(asked.reason)),
        (_("Note"), formatting.text(asked.note)),
        (_("Asked by"), str(asked.asked_by)),
        (_("Asked"), formatting.when(asked.asked_at)),
        (_("To be decided by"), formatting.when(asked.expires_at)),
    ]
    if asked.status != Status.PENDING:
        rows += [
            (_("Decided by"), formatting.text(asked.decided_by and str(asked.decided_by))),
            (_("Settled"), formatting.when(asked.decided_at)),
            (_("Note on the decision"), formatting.text(asked.decision_note)),
        ]
    return Facts(rows, title=_("What was asked"))


def time_left(asked):
    """How long a second colleague has; nothing once it is settled."""
    if asked.status != Status.PENDING:
        return formatting.NONE
    if asked.expires_at <= timezone.now():
        return _("over")
    return formatting.duration(timezone.now(), asked.expires_at)


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(PageAdmin):
    page_related = ("account", "user", "asked_by", "decided_by")
    list_display = ("asked_at", "what", "state", "person", "change", "asker", "because", "left", "account")
    headers = {"asked_at": _("Asked")}
    list_display_links = ("asked_at", "what")
    list_filter = (
        StatusFilter,
        by_choice("action", _("what")),
        AccountFilter,
        ("asked_at", DateFilter),
        ("decided_at", DateFilter),
    )
    views = (
        View(_("Waiting for approval"), only(status="PENDING")),
        View(_("Settled today"), since_today("decided_at")),
    )
    list_select_related = ("account", "user", "asked_by")
    ordering = ApprovalRequest.QUEUE
    search_exact = ("pk", "user_id")
    search_hint = _("Id of a request or of its user, exactly")
    actions_detail = ("approve", "reject", "withdraw")
    tabs = [Tab("overview", _("Overview"), overview)]
    rights = dict.fromkeys(("approve", "reject"), "decide_approvalrequest") | {"withdraw": "view_approvalrequest"}
    available_when = dict.fromkeys(("approve", "reject", "withdraw"), lambda asked: asked.status == Status.PENDING)

    # The queue

    @display(description=_("What"))
    def what(self, asked):
        return asked.get_action_display()

    @display(description=_("Was → is"))
    def change(self, asked):
        return formatting.words([f"{_state_word(asked.before.get('state'))} → {asked.user.get_status_display()}"])

    @display(description=_("Asked by"))
    def asker(self, asked):
        return str(asked.asked_by)

    @display(description=_("Time left"))
    def left(self, asked):
        return time_left(asked)

    # The page

    def header(self, request, asked):
        lines = [
            (_("User"), formatting.link(User, asked.user_id, asked.user.external_ref)),
            (_("Account"), asked.account.name),
            (_("Asked by"), str(asked.asked_by)),
        ]
        if asked.status == Status.PENDING:
            lines.append((_("Time left"), time_left(asked)))
        else:
            lines.append((_("Settled"), formatting.when(asked.decided_at)))
        return Header(
            title=asked.get_action_display(),
            name=f"{asked.get_action_display()}: {asked.user.external_ref or formatting.short(asked.user_id)}",
            state=formatting.state(asked),
            ident=formatting.ident(asked.pk),
            lines=lines,
        )

    # Acts

    def why_not(self, request, act, asked):
        """Four eyes: who asked may withdraw it, and everybody else may decide."""
        own = asked.asked_by_id == request.user.pk
        if act == "withdraw":
            return "" if own else _("Only the colleague who asked can withdraw this. You can reject it.")
        return _("You asked for this yourself: a second colleague decides.") if own else ""

    approve = row_act(
        approvals.approve,
        label=_("Approve"),
        icon="check",
        effect=Effect.FOR_GOOD,
        title=_("Approve this request"),
        form=ApproveForm,
        submit=_("Approve for good"),
        done=_("Approved: it is done."),
    )

    reject = row_act(
        approvals.reject,
        label=_("Reject"),
        icon="close",
        effect=Effect.ENDS_OPEN,
        title=_("Reject this request"),
        form=RejectForm,
        done=_("Rejected: nothing was changed for the person."),
    )

    withdraw = row_act(
        approvals.withdraw,
        label=_("Withdraw"),
        icon="undo",
        effect=Effect.ENDS_OPEN,
        title=_("Withdraw your request"),
        form=WithdrawForm,
        done=_("Withdrawn: nothing was changed for the person."),
    )
