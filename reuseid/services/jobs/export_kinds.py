"""What can be exported: columns, rows in batches, and the rights it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from reuseid.errors import Invalid
from reuseid.models import AttributeKey, TrailEntry, User
from reuseid.services.jobs import exported_people
from reuseid.times import rfc3339

ATTRIBUTES = 200


@dataclass(frozen=True)
class Kind:
    """``rows(account id, filters)`` is a queryset; ``batch(export, rows, cursor)`` gives lines and the next cursor."""

    rights: tuple[str, ...]
    columns: Callable
    rows: Callable
    batch: Callable


# Users

USER_COLUMNS = ["userId", "externalRef", "segment", "state", "stateSince", "lockReason", "lockedUntil", "created"]


def attribute_names(account_id: UUID) -> list[str]:
    """The attributes that get a column: the first ATTRIBUTES names of the account's catalogue, in order."""
    return list(AttributeKey.objects.filter(account=account_id).order_by("name").values_list("name", flat=True))[
        :ATTRIBUTES
    ]


def _hidden(export):
    """All that is not called plain at this moment: a rule that became stricter counts at once."""
    if export.sensitive:
        return ()
    plain = AttributeKey.objects.filter(account=export.account_id, sensitive=False).values_list("name", flat=True)
    return set(export.attributes) - set(plain)


def _users(export, rows, cursor):
    last = User(pk=UUID(cursor[1]), created_at=datetime.fromisoformat(cursor[0])) if cursor else None
    batch = exported_people.next_users(rows, last)
    lines = []
    for user, described in zip(
        batch, exported_people.described(batch, export.attributes, _hidden(export)), strict=True
    ):
        facts = [described[name] for name in USER_COLUMNS[:4]]
        facts += [rfc3339(user.status_since), user.lock_reason, rfc3339(user.locked_until), rfc3339(user.created_at)]
        lines.append([*facts, *(described["attributes"].get(name) for name in export.attributes)])
    return lines, [batch[-1].created_at.isoformat(), str(batch[-1].pk)] if batch else None


# The trail

TRAIL_COLUMNS = (
    *("id", "time", "action", "objectType", "objectId", "userId", "actorType", "actorId", "actorLabel"),
    *("reason", "note", "changes", "traceId"),
)


def _trail_rows(account_id, filters):
    rows = TrailEntry.objects.filter(account=account_id)
    zone, filters = exported_people.zone_of(filters)
    for name, value in filters.items():
        if name not in {"at_from", "at_to"}:
            raise Invalid.field(name, "This filter can't be used here.")
        rows = rows.filter(exported_people.between(name, value, zone))
    return rows


def _trail(export, rows, cursor):
    batch = list((rows.filter(pk__gt=cursor) if cursor else rows).order_by("pk")[: exported_people.BATCH])
    lines = [
        [
            str(entry.pk),
            rfc3339(entry.at),
            entry.action,
            entry.object_type,
            entry.object_id,
            entry.user_id and str(entry.user_id),
            entry.actor_type,
            entry.actor_id,
            entry.actor_label,
            entry.reason,
            entry.note,
            entry.changes or None,
            entry.trace_id,
        ]
        for entry in batch
    ]
    return lines, batch[-1].pk if batch else None


KINDS = {
    "users": Kind(
        ("reuseid.view_user", "reuseid.export_user"),
        lambda export: [*USER_COLUMNS, *(f"attributes.{name}" for name in export.attributes)],
        exported_people.chosen,
        _users,
    ),
    "trail": Kind(
        ("reuseid.view_trailentry", "reuseid.export_trailentry"),
        lambda export: list(TRAIL_COLUMNS),
        _trail_rows,
        _trail,
    ),
}


def rights_of(kind: str, sensitive: bool) -> tuple[str, ...]:
    """The rights (``app.codename``) that an export takes, two more with ``sensitive`` values.

    Raises Invalid for a kind that is not in KINDS, or that has no sensitive values.
    """
    if kind not in KINDS or (sensitive and kind != "users"):
        raise Invalid.field("kind", "It can't be exported.")
    return KINDS[kind].rights + (("reuseid.view_attribute", "reuseid.export_sensitive") if sensitive else ())
