"""People in the form that leaves the house: walked along an index in batches, values masked where they have to be."""

from collections.abc import Collection, Iterator
from datetime import tzinfo
from uuid import UUID

from django.db.models import Q, QuerySet

from reuseid.actors import Actor
from reuseid.errors import Invalid
from reuseid.models import Account, Attribute, User
from reuseid.services import reasons
from reuseid.services.audit import trail
from reuseid.services.people import attributes
from reuseid.times import begins, ends, parse_day, zone_named

BATCH = 500
MASKED = "••••••"


def users_of(account: Account, names: list[str] | None, *, actor: Actor, reason: str, note: str = "") -> Iterator[dict]:
    """Each user in the form that the import reads, with its id and state; ``names`` of attributes, None for all.

    Raises Invalid for a wrong reason. The trail gets its line before the first user is given out.
    """
    reasons.check(reason, note)
    changes = {"attributes": "all" if names is None else names}
    trail.record(account, "users.exported", actor=actor, reason=reason, note=note, changes=changes)
    return _walk(User.objects.of(account), names)


def _walk(rows, names):
    batch: list[User] = []
    while batch := next_users(rows, batch[-1] if batch else None):
        yield from described(batch, names)


def chosen(account_id: UUID, filters: dict) -> QuerySet:
    """The account's users that the filters let through: ``status`` and days (both included) as ISO dates.

    ``zone`` names the zone in which the days are meant, else UTC. Raises Invalid for a filter that is not known or
    makes no sense.
    """
    rows = User.objects.filter(account=account_id)
    zone, filters = zone_of(filters)
    for name, value in filters.items():
        if name == "status" and value in User.Status.values:
            rows = rows.filter(status=value)
        elif name in {f"{column}_{side}" for column in ("created_at", "status_since") for side in ("from", "to")}:
            rows = rows.filter(between(name, value, zone))
        else:
            raise Invalid.field(name, "This filter can't be used here.")
    return rows


def zone_of(filters: dict) -> tuple[tzinfo, dict]:
    """The zone that filters name, and the others; raises Invalid for a zone that is none."""
    zone = zone_named(filters.get("zone", "UTC"))
    if zone is None:
        raise Invalid.field("zone", "Not a time zone.")
    return zone, {name: value for name, value in filters.items() if name != "zone"}


def between(name: str, value: str, zone: tzinfo) -> Q:
    """``column_from`` or ``column_to`` a day (YYYY-MM-DD) in a zone; raises Invalid."""
    column, _, side = name.rpartition("_")
    try:
        day = parse_day(value)
    except ValueError:
        raise Invalid.field(name, "Not a day.") from None
    return Q(**{f"{column}__gte": begins(day, zone)}) if side == "from" else Q(**{f"{column}__lt": ends(day, zone)})


def next_users(rows: QuerySet, last: User | None) -> list[User]:
    """The next BATCH users after ``last`` (of which only ``created_at`` and ``pk`` count), oldest first."""
    if last is not None:
        # The first condition bounds the index walk, which the OR alone would not.
        after = Q(created_at__gt=last.created_at) | Q(created_at=last.created_at, pk__gt=last.pk)
        rows = rows.filter(Q(created_at__gte=last.created_at) & after)
    return list(rows.order_by("created_at", "pk")[:BATCH])


def described(batch: list[User], names: list[str] | None, hidden: Collection[str] = ()) -> list[dict]:
    """Each user with the attributes of these names (None for all); values of ``hidden`` ones are not even opened."""
    open_names = names if names is None else [name for name in names if name not in hidden]
    values = attributes.values(batch, open_names) if open_names != [] else {}
    if hidden:
        there = Attribute.objects.filter(user__in=batch, name__in=list(hidden)).values_list("user_id", "name")
        for user_id, name in there:
            values.setdefault(user_id, {})[name] = MASKED
    return [
        {
            "userId": str(user.pk),
            "externalRef": user.external_ref,
            "segment": user.segment or None,
            "state": user.status,
            "attributes": values.get(user.pk, {}),
        }
        for user in batch
    ]
