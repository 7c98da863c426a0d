"""People: made, changed, locked, unlocked, deactivated. What follows on their phones is told by signals."""

import unicodedata
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _

from reuseid import signals
from reuseid.actors import SYSTEM, Actor
from reuseid.errors import Invalid, Unknown
from reuseid.models import Account, User, move
from reuseid.normalisation import compose, folded_ref
from reuseid.prepared import Insert
from reuseid.services import reasons, sweeping
from reuseid.services.audit import trail
from reuseid.services.people import attributes as attribute_service
from reuseid.services.people import caller_verification, proofings
from reuseid.services.people.attributes import Record
from reuseid.services.people.user_changes import ExternalRefTaken, reload, tell, touch

UNSET: Any = object()
# The reference is all that could be another's.
_CREATED = Insert(User, or_nothing=True, returning=["created_at", "updated_at", "status_since"])


@transaction.atomic
def create(
    account: Account,
    *,
    actor: Actor,
    external_ref: str | None = None,
    segment: str = "",
    attributes: Mapping[str, Record] | None = None,
    proofing: dict[str, Any] | None = None,
) -> User:
    """A new ACTIVE user. ``attributes`` maps names to `Record`; ``proofing`` holds `proofings.add`'s values.

    Attributes without a proofing of their own point to that one. An API client that makes a user stays known on it.
    Raises Invalid, ExternalRefTaken or NotUnique.
    """
    user = User(
        account=account,
        client_id=actor.client_id if actor.is_client else None,
        segment=check_segment(segment),
        **_references(external_ref),
    )
    if _CREATED(user) is None:
        raise ExternalRefTaken
    records: Mapping[str, Record | None] = attributes or {}
    if proofing is not None:
        recorded = proofings.add(user, actor=actor, **proofing)
        records = {name: proofings.point_to(recorded, record) for name, record in records.items()}
    names = attribute_service.write(user, records, actor=actor, new=True)
    trail.record(user, "user.created", actor=actor, changes={"attributes": names})
    tell(user, "user.created", actor=actor)
    return user


@transaction.atomic
def update(
    user: User,
    *,
    actor: Actor,
    external_ref: str | None = UNSET,
    segment: str | None = UNSET,
    attributes: Mapping[str, Record | None] | None = None,
    versions: Collection[int] | None = None,
    reason: str = "",
    note: str = "",
) -> User:
    """Change what is given and leave the rest. ``attributes``: name to `Record`, or None to delete.

    ``versions`` are those that the caller may have read (If-Match): PreconditionFailed when it is none of them. A
    deactivated user is not changed any more (WrongState).
    """
    changes: dict[str, str | None] = {}
    if external_ref is not UNSET and external_ref != user.external_ref:
        changes |= _references(external_ref)
    if segment is not UNSET and (segment or "") != user.segment:
        changes["segment"] = check_segment(segment)
    touch(user, versions=versions, **changes)
    changes.pop("folded_ref", None)
    names = attribute_service.write(user, attributes or {}, actor=actor, reason=reason)
    changed = [*_wire_names(changes), *(f"attributes.{name}" for name in names)]
    trail.record(user, "user.updated", actor=actor, reason=reason, note=note, changes={"changed": changed})
    tell(user, "user.updated", actor=actor, reason=reason, changed=changed)
    return user


@transaction.atomic
def lock(user: User, *, actor: Actor, reason: str, note: str = "", until: datetime | None = None) -> User:
    """ACTIVE to LOCKED, until ``until`` or until it is unlocked; open operations end, phones are unusable at once."""
    reasons.check(reason, note)
    if until is not None and until <= timezone.now():
        raise Invalid.field("until", _("Must be in the future."))
    _move(user, User.Status.LOCKED, lock_reason=reason, locked_until=until)
    trail.record(
        user, "user.locked", actor=actor, reason=reason, note=note, changes={"until": until and until.isoformat()}
    )
    signals.user_locked.send(User, user=user, actor=actor, reason=reason)
    tell(user, "user.locked", actor=actor, reason=reason)
    return user


@transaction.atomic
def unlock(user: User, *, actor: Actor, reason: str, note: str = "") -> User:
    """LOCKED to ACTIVE; a phone that was locked for itself stays so.

    Raises CallerNotVerified where colleagues must have verified the caller.
    """
    reasons.check(reason, note)
    caller_verification.require(user.pk, actor=actor)
    return _unlock(user, actor, reason, note)


def _unlock(user, actor, reason, note="", guard=None):
    _move(user, User.Status.ACTIVE, guard=guard, lock_reason="", locked_until=None)
    trail.record(user, "user.unlocked", actor=actor, reason=reason, note=note)
    signals.user_unlocked.send(User, user=user, actor=actor, reason=reason)
    tell(user, "user.unlocked", actor=actor, reason=reason)
    return user


@transaction.atomic
def deactivate(user: User, *, actor: Actor, reason: str, note: str = "", asked_by: Actor | None = None) -> User:
    """To DEACTIVATED, for good; open operations end and phones are deactivated.

    ``asked_by`` is the first of two colleagues, where the actor is the second (`approvals`).
    """
    reasons.check(reason, note)
    _move(user, User.Status.DEACTIVATED, lock_reason="", locked_until=None)
    changes = {"asked_by": asked_by.id} if asked_by else None
    trail.record(user, "user.deactivated", actor=actor, reason=reason, note=note, changes=changes)
    signals.user_deactivated.send(User, user=user, actor=actor, reason=reason)
    tell(user, "user.deactivated", actor=actor, reason=reason)
    return user


def end_locks(limit: int = 200) -> int:
    """Unlock those whose lock has an end and reached it, each in its own transaction, accounts in turn; how many."""
    over = User.objects.filter(locked_until__lte=Now()).select_related("account").order_by("locked_until")
    return sweeping.sweep(over, _end_lock, limit=limit)


def _end_lock(user):
    _unlock(user, SYSTEM, "LOCK_ENDED", guard={"locked_until__lte": Now()})


def by_external_ref(account: Account, external_ref: str) -> User:
    """The account's user with that reference; raises Unknown."""
    user = User.objects.of(account).filter(external_ref=compose(external_ref)).first()
    if user is None:
        raise Unknown
    return user


def _references(value):
    reference = check_external_ref(value)
    return {"external_ref": reference, "folded_ref": folded_ref(reference)}


def check_external_ref(value: str | None) -> str | None:
    """The reference as it is kept: 1 to 128 printable characters, composed (NFC), or None. Raises Invalid."""
    return None if value is None else _plain("externalRef", value, 128)


def check_segment(value: str | None) -> str:
    """The segment as it is kept: up to 64 printable characters, composed (NFC); None is empty. Raises Invalid."""
    return _plain("segment", value, 64) if value else ""


def _plain(name, value, limit):
    value = compose(value)
    if not 1 <= len(value) <= limit:
        raise Invalid.field(name, _("1 to %(limit)s characters.") % {"limit": limit})
    if value != value.strip() or any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in value):
        raise Invalid.field(name, _("No control characters, and no spaces at its ends."))
    return value


def _move(user, to, guard=None, **changes):
    move(user, to, guard=guard, status_since=Now(), updated_at=Now(), version=F("version") + 1, **changes)
    reload(user)


def _wire_names(changes):
    return [{"external_ref": "externalRef"}.get(name, name) for name in changes]
