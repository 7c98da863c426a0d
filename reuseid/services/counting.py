"""Hours that are over, counted once: each by an index range, exact and safe to repeat.

An hour is counted SETTLED after its end, when no transaction that began in it is still open. The hour that runs, and
one that is not counted yet, are counted from the rows themselves, the newest LIVE of them.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import (
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    IntegerField,
    Max,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Now, TruncDay, TruncHour

from reuseid.models import Delivery, DeliveryCount, Event, EventCount

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SETTLED = timedelta(minutes=5)
LIVE = 20_000
# Steps of the time from owed to settled, in seconds; the last holds all that took longer.
STEPS = (1, 2, 5, 10, 30, 60, 300, 1800, 7200, 86_400, 259_200, 2_592_000)

_TOOK = ExpressionWrapper(F("settled_at") - F("created_at"), output_field=DurationField())
_WITHIN = Case(
    *(When(took__lte=timedelta(seconds=step), then=Value(step)) for step in STEPS[:-1]),
    default=Value(STEPS[-1]),
    output_field=IntegerField(),
)


def count_next_hours() -> bool:
    """Count the oldest hour of events and of deliveries that is over and not counted; False when there was none."""
    return any([_count_next(_Events), _count_next(_Deliveries)])


class _Events:
    """Events: counted by type."""

    counts, rows, moment, keys = EventCount, Event.objects.all(), "created_at", ("type",)


class _Deliveries:
    """Settled deliveries: counted by outcome and by how long they took."""

    # One that was sent again has waited for a person, which says nothing about the sender.
    counts, moment, keys = DeliveryCount, "settled_at", ("status", "within")
    rows = Delivery.objects.filter(attempts_before=0, settled_at__isnull=False).exclude(status="CANCELED")
    rows = rows.annotate(took=_TOOK, within=_WITHIN)


def hour_of(moment: datetime) -> datetime:
    """The beginning of the hour that ``moment`` is in."""
    return moment.replace(minute=0, second=0, microsecond=0)


def counted_until(kind: Any) -> datetime | None:
    """The end of the newest hour that is counted; None where there is none. Hours without a row are skipped."""
    newest = kind.counts.objects.aggregate(newest=Max("hour"))["newest"]
    return newest and newest + HOUR


def _count_next(kind):
    until = counted_until(kind)
    rows = kind.rows.filter(**{f"{kind.moment}__gte": until}) if until else kind.rows
    first = rows.order_by(kind.moment).annotate(now=Now()).values_list(kind.moment, "now").first()
    if first is None:
        return False
    hour = hour_of(first[0])
    if hour + HOUR + SETTLED > first[1]:
        return False
    span = {f"{kind.moment}__gte": hour, f"{kind.moment}__lt": hour + HOUR}
    found = kind.rows.filter(**span).order_by().values("account", *kind.keys).annotate(found=Count("pk"))
    with transaction.atomic():
        kind.counts.objects.bulk_create(
            (kind.counts(account_id=row.pop("account"), hour=hour, count=row.pop("found"), **row) for row in found),
            ignore_conflicts=True,
        )
    return True


def events_by_hour(
    accounts: Iterable[UUID], types: Iterable[str], since: datetime, step: timedelta = HOUR
) -> tuple[Counter, bool]:
    """``{(hour, type): count}`` of the accounts' events, and whether the hours not counted yet were read to the end.

    With a ``step`` of days the hours of a day, in the zone of ``since``, are one.
    """
    return _by_hour(_Events, accounts, since, step, {"type__in": list(types)})


def deliveries_by_hour(accounts: Iterable[UUID], since: datetime, step: timedelta = HOUR) -> tuple[Counter, bool]:
    """``{(hour, status, within): count}`` of the accounts' settled deliveries; otherwise as `events_by_hour`."""
    return _by_hour(_Deliveries, accounts, since, step, {})


def _by_hour(kind, accounts, since, step, condition):
    mine = {"account__in": list(accounts), **condition}
    trunc, zone = TruncDay if step >= DAY else TruncHour, since.tzinfo
    counted = kind.counts.objects.filter(hour__gte=since, **mine).order_by().annotate(start=trunc("hour", tzinfo=zone))
    sums = counted.values_list("start", *kind.keys).annotate(found=Sum("count"))
    figures = Counter({tuple(key): count for *key, count in sums})
    since = max(since, counted_until(kind) or since)
    live = kind.rows.filter(**{f"{kind.moment}__gte": since}, **mine)
    # The database counts: to fetch thousands of rows costs the page more than all the rest.
    oldest = Subquery(live.order_by(f"-{kind.moment}").values(kind.moment)[LIVE - 1 : LIVE])
    live = live.filter(**{f"{kind.moment}__gte": Coalesce(oldest, since)}).order_by()
    live = live.annotate(start=trunc(kind.moment, tzinfo=zone)).values_list("start", *kind.keys)
    found = Counter({tuple(key): count for *key, count in live.annotate(found=Count("pk"))})
    return figures + found, found.total() < LIVE
