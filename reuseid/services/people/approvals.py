"""Two people for what can't be undone: one colleague asks, another one decides.

For colleagues only: an API client acts at once, since its account's systems have checks of their own.
"""

import contextlib
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from reuseid.actors import SYSTEM, Actor
from reuseid.errors import STAFF, Conflict, Invalid, WrongState
from reuseid.models import ApprovalRequest, Staff, User, move
from reuseid.models.deadlines import IN_TIME, OVERDUE
from reuseid.services import reasons, sweeping
from reuseid.services.audit import trail
from reuseid.services.people import erasure, users
from reuseid.services.people.user_changes import reload

Action, Status = ApprovalRequest.Action, ApprovalRequest.Status

# What each action calls, and the right that asks for it.
_ACTS = {Action.DEACTIVATE: users.deactivate, Action.ERASE: erasure.request}
RIGHTS = {Action.DEACTIVATE: "reuseid.deactivate_user", Action.ERASE: "reuseid.erase_user"}
DECIDE = "reuseid.decide_approvalrequest"

# What else is counted when somebody asks, by name: functions of a user. mobileid adds its own.
COUNTS: dict[str, Callable] = {}


class NotEntitled(Conflict):
    """The actor is no colleague who may do this in this account."""

    code = "not_entitled"
    audience = STAFF
    title = gettext_noop("You may not do this here: it needs an active colleague of the account with the right to it.")


class OwnRequest(Conflict):
    """Nobody decides what they asked for."""

    code = "own_request"
    audience = STAFF
    title = gettext_noop("You asked for this yourself: a second colleague decides.")


class NotTheAsker(Conflict):
    """Only who asked takes it back."""

    code = "not_the_asker"
    audience = STAFF
    title = gettext_noop("Only the colleague who asked can withdraw this; you can reject it.")


class AskerGone(Conflict):
    """Who asked is no active colleague of the account any more, or has lost the right to ask."""

    code = "asker_gone"
    audience = STAFF
    title = gettext_noop("The colleague who asked may not do so any more. Reject it; somebody else can ask again.")


class AlreadyWaiting(Conflict):
    """The same is asked for this person and waits."""

    code = "request_waiting"
    audience = STAFF
    title = gettext_noop("This has been asked for already and waits for a second colleague.")


class Overtaken(Conflict):
    """What was asked for has been done otherwise; the request is WITHDRAWN."""

    code = "request_overtaken"
    audience = STAFF
    title = gettext_noop("It has been done already in another way, so this request is withdrawn.")


def ask(user: User, *, actor: Actor, action: str, reason: str, note: str = "") -> ApprovalRequest:
    """A PENDING request that somebody else decides within REQUEST_HOURS.

    Raises Invalid, NotEntitled, AlreadyWaiting, and WrongState or `erasure.AlreadyAsked` when it is done already.
    """
    if action not in Action.values:
        raise Invalid.field("action", _("One of %(values)s.") % {"values": ", ".join(Action.values)})
    reasons.check(reason, note)
    colleague = _entitled(_colleague(actor), user.account_id, RIGHTS[action])
    if colleague is None:
        raise NotEntitled
    with transaction.atomic():
        reload(user)
        if is_done(user, action):
            raise WrongState(user, User.Status.DEACTIVATED) if action == Action.DEACTIVATE else erasure.AlreadyAsked
        for late in ApprovalRequest.objects.overdue().filter(user=user, action=action):
            with contextlib.suppress(WrongState):
                expire(late)
        approval = _insert(user, colleague, action=action, reason=reason, note=note)
        trail.record(approval, "request.asked", actor=actor, reason=reason, note=note, changes={"action": action})
    return approval


def approve(approval: ApprovalRequest, *, actor: Actor, note: str = "") -> ApprovalRequest:
    """PENDING to APPROVED, and what was asked for is done in the same transaction, by the one who approves.

    Raises Invalid, NotEntitled, OwnRequest, AskerGone, WrongState when it is settled or late (then it is EXPIRED), and
    Overtaken when it was done otherwise in the meantime (then it is WITHDRAWN).
    """
    colleague = _decider(approval, actor, note)
    if not asker_may(approval):
        raise AskerGone
    try:
        with _in_time(approval, Status.APPROVED):
            _settle(approval, Status.APPROVED, decided_by=colleague, decision_note=note)
            _record(approval, "approved", actor, note, asked_by=str(approval.asked_by_id))
            _carry_out(approval, actor)
    except Overtaken:
        _overtake(approval)
        raise
    return approval


def reject(approval: ApprovalRequest, *, actor: Actor, note: str) -> ApprovalRequest:
    """PENDING to REJECTED; the note tells the asker why. Raises Invalid, NotEntitled, OwnRequest or WrongState."""
    colleague = _decider(approval, actor, note)
    if not note.strip():
        raise Invalid.field("note", _("Say why, for the colleague who asked."))
    with _in_time(approval, Status.REJECTED):
        _settle(approval, Status.REJECTED, decided_by=colleague, decision_note=note)
        _record(approval, "rejected", actor, note)
    return approval


def withdraw(approval: ApprovalRequest, *, actor: Actor, note: str = "") -> ApprovalRequest:
    """PENDING to WITHDRAWN by the one who asked, with or without the right to ask by now.

    Raises Invalid, NotEntitled, NotTheAsker or WrongState.
    """
    _check_note(note)
    colleague = _colleague(actor)
    if colleague is None:
        raise NotEntitled
    if colleague.pk != approval.asked_by_id:
        raise NotTheAsker
    with _in_time(approval, Status.WITHDRAWN):
        _settle(approval, Status.WITHDRAWN, decision_note=note)
        _record(approval, "withdrawn", actor, note)
    return approval


@transaction.atomic
def expire(approval: ApprovalRequest) -> ApprovalRequest:
    """End an overdue request at its deadline; raises WrongState if it is settled or in time."""
    _settle(approval, Status.EXPIRED, guard=OVERDUE, decided_at=F("expires_at"))
    _record(approval, "expired", SYSTEM)
    return approval


def expire_due(limit: int = 200) -> int:
    """End up to ``limit`` overdue requests, oldest first, accounts in turn; rivals take different ones. How many ended.

    One that fails is logged and left, so it holds up no other.
    """
    return sweeping.sweep(ApprovalRequest.objects.overdue().order_by("expires_at"), expire, limit=limit, together=True)


def purge(limit: int) -> int:
    """Delete a batch of requests settled more than REQUEST_RETENTION_DAYS ago; their lines in the trail stay."""
    settled = ApprovalRequest.objects.filter(decided_at__lt=Now() - timedelta(days=settings.REQUEST_RETENTION_DAYS))
    return sweeping.delete(settled.order_by("decided_at"), limit)


def is_done(user: User, action: str) -> bool:
    """Whether the person, as read, is already what the action would make of them."""
    if action == Action.DEACTIVATE:
        return user.status == User.Status.DEACTIVATED
    return user.erasure_requested_at is not None


def asker_may(approval: ApprovalRequest) -> bool:
    """Whether who asked could ask now, as the database has them: an approval needs both colleagues."""
    asker = Staff.objects.filter(pk=approval.asked_by_id).first()
    return _entitled(asker, approval.account_id, RIGHTS[approval.action]) is not None


def _colleague(actor):
    """The entry of the colleague who acts, read anew; None for a client, a phone or the service."""
    return Staff.objects.filter(pk=actor.staff_id).first() if actor.is_staff else None


def _entitled(staff, account_id, right):
    """The colleague if they are active, see the account and have the right; else None."""
    if staff is None or not staff.is_active or not staff.is_staff or not staff.has_perm(right):
        return None
    return staff if staff.is_superuser or staff.accounts.filter(pk=account_id).exists() else None


def _decider(approval, actor, note):
    _check_note(note)
    colleague = _entitled(_colleague(actor), approval.account_id, DECIDE)
    if colleague is None:
        raise NotEntitled
    if colleague.pk == approval.asked_by_id:
        raise OwnRequest
    return colleague


def _check_note(note):
    if len(note) > reasons.MAX_NOTE:
        raise Invalid.field("note", _("At most %(limit)s characters.") % {"limit": reasons.MAX_NOTE})


def _insert(user, colleague, **values):
    before = {"state": user.status, **{name: count(user) for name, count in COUNTS.items()}}
    ends = Now() + timedelta(hours=settings.REQUEST_HOURS)
    approval = ApprovalRequest(
        account_id=user.account_id, user=user, asked_by=colleague, before=before, expires_at=ends, **values
    )
    try:
        with transaction.atomic():
            approval.save(force_insert=True)
    except IntegrityError:
        raise AlreadyWaiting from None
    approval.refresh_from_db(fields=["asked_at", "expires_at"])
    return approval


@contextlib.contextmanager
def _in_time(approval, to):
    """One transaction; a request that is found overdue becomes EXPIRED here and now, and the caller is told so."""
    try:
        with transaction.atomic():
            yield
            return
    except WrongState as error:
        if error.obj is not approval or approval.status != Status.PENDING:
            raise
    with contextlib.suppress(WrongState):
        expire(approval)
    raise WrongState(approval, to)


def _settle(approval, to, *, guard=IN_TIME, decided_at=None, **changes):
    move(approval, to, guard=guard, decided_at=decided_at or Now(), **changes)
    approval.refresh_from_db(fields=["decided_at"])


def _record(approval, verb, actor, note="", **changes):
    changes = {"action": approval.action} | changes
    trail.record(approval, f"request.{verb}", actor=actor, reason=approval.reason, note=note, changes=changes)


def _carry_out(approval, actor):
    user = approval.user
    try:
        _ACTS[approval.action](
            user, actor=actor, reason=approval.reason, note=approval.note, asked_by=Actor.staff(approval.asked_by)
        )
    except (WrongState, erasure.AlreadyAsked) as error:
        raise Overtaken from error


@transaction.atomic
def _overtake(approval):
    """The approval is rolled back, and the request ends by itself: nobody could ever approve it."""
    approval.refresh_from_db()
    with contextlib.suppress(WrongState):
        move(approval, Status.WITHDRAWN, decided_at=Now())
        _record(approval, "overtaken", SYSTEM)
    approval.refresh_from_db()
