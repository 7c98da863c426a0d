"""Erasure is asked for here, at once; a task carries it out (`jobs.erasures`)."""

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from reuseid.actors import Actor
from reuseid.errors import Conflict
from reuseid.models import User
from reuseid.services import reasons
from reuseid.services.audit import trail
from reuseid.services.people import users
from reuseid.services.people.user_changes import reload
from reuseid.services.wake import wake


class AlreadyAsked(Conflict):
    """Erasure was asked for before."""

    code = "erasure_requested"
    title = "Erasure was asked for already."


@transaction.atomic
def request(user: User, *, actor: Actor, reason: str, note: str = "", asked_by: Actor | None = None) -> User:
    """Deactivate the user if need be and owe the erasure. Raises Invalid or AlreadyAsked.

    ``asked_by`` is the first of two colleagues, where the actor is the second (`approvals`).
    """
    reasons.check(reason, note)
    asked = User.objects.filter(pk=user.pk, erasure_requested_at=None)
    if not asked.update(erasure_requested_at=Now(), version=F("version") + 1, updated_at=Now()):
        raise AlreadyAsked
    reload(user)
    if user.status != User.Status.DEACTIVATED:
        users.deactivate(user, actor=actor, reason=reason, note=note, asked_by=asked_by)
    changes = {"asked_by": asked_by.id} if asked_by else None
    trail.record(user, "user.erasure_requested", actor=actor, reason=reason, note=note, changes=changes)
    wake("reuseid.tasks.erase_users")
    return user
