"""The history: who did what to whom, when and why, in the transaction of the change."""

from collections.abc import Iterable
from typing import TypedDict, Unpack
from uuid import UUID

from django.db.models import Model

from reuseid import tracing
from reuseid.actors import Actor
from reuseid.models import TrailEntry, kind_of
from reuseid.prepared import Insert

LINE = Insert(TrailEntry, returning=["id"])
"""Writes one line."""


def line_after(part: str) -> Insert:
    """Writes one line when ``part`` of a `Together` has written its row."""
    return Insert(TrailEntry, after=part)


class Told(TypedDict, total=False):
    """What a line may say besides.

    ``user_id`` is the person whom it is about; taken from the object where that is a user or belongs to one.
    ``changes`` holds names and values that are not personal.
    """

    user_id: UUID | None
    reason: str
    note: str
    changes: dict | None


def record(obj: Model, action: str, *, actor: Actor, **told: Unpack[Told]) -> TrailEntry:
    """Write one line about ``obj``. A line about a colleague belongs to no account."""
    entry = line(obj, action, actor=actor, **told)
    LINE(entry)
    return entry


def record_each(objs: Iterable[Model], action: str, *, actor: Actor, changes: dict | None = None) -> None:
    """`record` one line about each of the rows, in one statement."""
    TrailEntry.objects.bulk_create([line(obj, action, actor=actor, changes=changes) for obj in objs])


def line(
    obj: Model,
    action: str,
    *,
    actor: Actor,
    user_id: UUID | None = None,
    reason: str = "",
    note: str = "",
    changes: dict | None = None,
) -> TrailEntry:
    """The line of `record`, for `LINE` or `line_after` to write with the change itself."""
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
