"""What every change of a user shares: its row is taken, its version rises, the integrators are told."""

from collections.abc import Collection
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_noop

from reuseid.actors import Actor
from reuseid.errors import Conflict, PreconditionFailed, WrongState
from reuseid.models import User
from reuseid.services.descriptions import describe_user_event
from reuseid.services.webhooks import outbox

ALTERABLE = [User.Status.ACTIVE, User.Status.LOCKED]


class ExternalRefTaken(Conflict):
    """Another user of the account has the external reference."""

    code = "external_ref_taken"
    title = gettext_noop("Another user has this external reference.")


def touch(user: User, *, versions: Collection[int] | None = None, **changes: Any) -> None:
    """Take the user's row, raise its version and set ``changes``, in one conditional UPDATE.

    Raises PreconditionFailed when ``versions`` are given and it has none of them, WrongState, or ExternalRefTaken.
    """
    rows = User.objects.filter(pk=user.pk, status__in=ALTERABLE)
    if versions is not None:
        rows = rows.filter(version__in=versions)
    try:
        with transaction.atomic():
            done = rows.update(version=F("version") + 1, updated_at=Now(), **changes)
    except IntegrityError:
        raise ExternalRefTaken from None
    reload(user)
    if not done:
        if user.status not in ALTERABLE:
            raise WrongState(user, "changed")
        raise PreconditionFailed


def reload(user: User) -> None:
    """Read the row anew, and keep the account that was loaded with it."""
    account = user.account
    user.refresh_from_db()
    user.account = account


def tell(user: User, event_type: str, *, actor: Actor, reason: str = "", changed: list[str] | None = None) -> None:
    """Owe the event: the user without attribute values, who did it and why."""
    data = describe_user_event(user, actor=actor, reason=reason, changed=changed)
    outbox.owe(user, event_type, data, user_id=user.pk)
