"""Identity proofings: done elsewhere, recorded here, pointed to by attributes."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone

from reuseid.actors import Actor
from reuseid.errors import Invalid
from reuseid.models import Proofing, User, move
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.services import reasons
from reuseid.services.audit import trail
from reuseid.services.people.attributes import Record
from reuseid.services.people.user_changes import tell, touch


def add(
    user: User,
    *,
    actor: Actor,
    method: str,
    provider: str,
    assurance_level: str,
    performed_at: datetime,
    reference: str | None = None,
    evidence_hash: str = "",
) -> Proofing:
    """Record a proofing of a new user, within the caller's transaction; `record` does it for one who is there.

    Raises Invalid for a time in the future.
    """
    if performed_at > timezone.now():
        raise Invalid.field("performedAt", "Must not be in the future.")
    proofing = Proofing(
        account_id=user.account_id,
        user=user,
        method=method,
        provider=provider,
        assurance_level=assurance_level,
        performed_at=performed_at,
        evidence_hash=evidence_hash,
    )
    seal_field(proofing, "reference", None if reference is None else reference.encode())
    proofing.save(force_insert=True)
    proofing.refresh_from_db(fields=["created_at"])
    trail.record(
        proofing,
        "proofing.recorded",
        actor=actor,
        changes={"method": method, "provider": provider, "assuranceLevel": assurance_level},
    )
    return proofing


def point_to(proofing: Proofing, record: Record | None) -> Record | None:
    """The record with this proofing as its own, and the proofing's level and time where it names none."""
    if record is None or record.proofing_id:
        return record
    return replace(
        record,
        proofing_id=proofing.pk,
        assurance_level=record.assurance_level or proofing.assurance_level,
        verified_at=record.verified_at or proofing.performed_at,
    )


@transaction.atomic
def record(user: User, *, actor: Actor, **values: Any) -> Proofing:
    """Record a proofing of a user who is there (WrongState when deactivated), and tell that the user changed."""
    touch(user)
    proofing = add(user, actor=actor, **values)
    tell(user, "user.updated", actor=actor, changed=["proofings"])
    return proofing


@transaction.atomic
def deactivate(proofing: Proofing, *, actor: Actor, reason: str, note: str = "") -> Proofing:
    """ACTIVE to DEACTIVATED: the attributes that point to it are marked (``withdrawnAt``) and lose their level.

    Raises Invalid, and WrongState for a proofing or a user who is deactivated.
    """
    reasons.check(reason, note)
    move(proofing, Proofing.Status.DEACTIVATED)
    marked = proofing.attributes.filter(withdrawn_at=None)
    names = sorted(marked.values_list("name", flat=True))
    marked.update(withdrawn_at=Now(), assurance_level="", updated_at=Now())
    touch(proofing.user)
    trail.record(proofing, "proofing.deactivated", actor=actor, reason=reason, note=note, changes={"attributes": names})
    changed = ["proofings", *(f"attributes.{name}" for name in names)]
    tell(proofing.user, "user.updated", actor=actor, reason=reason, changed=changed)
    return proofing


def reference_of(proofing: Proofing) -> str | None:
    """The provider's reference in plain text; None where there is none. Raises crypto.Unreadable."""
    reference = unseal_field(proofing, "reference")
    return None if reference is None else reference.decode()
