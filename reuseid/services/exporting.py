"""Bulk export of users, recorded with its reason."""

from collections.abc import Iterator

from reuseid.actors import Actor
from reuseid.models import User
from reuseid.services import attributes, reasons, trail

BATCH = 500


def users_of(account, names: list[str] | None, *, actor: Actor, reason: str, note: str = "") -> Iterator[dict]:
    """Each user in the form that the import reads, with its id and state; ``names`` of attributes, None for all.

    Raises Invalid for a wrong reason. The trail gets its line before the first user is given out.
    """
    reasons.check(reason, note)
    changes = {"attributes": "all" if names is None else names}
    trail.record(account, "users.exported", actor=actor, reason=reason, note=note, changes=changes)
    return _walk(account, names)


def _walk(account, names):
    last = None
    while True:
        rows = User.objects.of(account).order_by("pk")
        batch = list((rows if last is None else rows.filter(pk__gt=last))[:BATCH])
        if not batch:
            return
        last = batch[-1].pk
        values = attributes.values(batch, names) if names != [] else {}
        for user in batch:
            yield {
                "userId": str(user.pk),
                "externalRef": user.external_ref,
                "segment": user.segment or None,
                "state": user.status,
                "attributes": values.get(user.pk, {}),
            }
