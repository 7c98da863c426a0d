"""The history: who did what to whom, when and why, in the transaction of the change."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Model

from reuseid import tracing
from reuseid.actors import Actor
from reuseid.models import TrailEntry, kind_of


def record(
    obj: Model,
    action: str,
    *,
    actor: Actor,
    user_id: UUID | None = None,
    reason: str = "",
    note: str = "",
    changes: dict | None = None,
) -> TrailEntry:
    """Write one line about ``obj``. ``changes`` holds names and values that are not personal.

    A line about a colleague belongs to no account.
    ``user_id`` is the person whom it is about; taken from ``obj`` where that is a user or belongs to one.
    """
    entry = _entry(obj, action, actor, user_id=user_id, reason=reason, note=note, changes=changes)
    entry.save(force_insert=True)
    return entry


def record_each(objs: Iterable[Model], action: str, *, actor: Actor, changes: dict | None = None) -> None:
    """`record` one line about each of the rows, in one statement."""
    TrailEntry.objects.bulk_create([_entry(obj, action, actor, changes=changes) for obj in objs])


def _entry(obj, action, actor, *, user_id=None, reason="", note="", changes=None):
    return TrailEntry(
        account_id=obj.account_id if hasattr(obj, "account_id") else obj.pk,
        action=action,
        object_type=kind_of(obj),
        object_id=str(obj.pk),
        user_id=user_id or getattr(obj, "user_id", None) or (obj.pk if obj._meta.model_name == "user" else None),
        actor_type=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label,
        reason=reason,
        note=note,
        trace_id=tracing.current(),
        changes=changes or {},
    )
