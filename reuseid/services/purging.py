"""What is kept for a time is deleted when that is over: in bounded batches, safe to run twice at once."""

import logging
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError
from django.db.models import Exists, OuterRef
from django.db.models.functions import Now
from oauth2_provider.models import get_access_token_model

from reuseid.models import Delivery, DeliveryAttempt, DeliveryCount, Event, EventCount
from reuseid.services import idempotency, sweeping
from reuseid.services.audit import access
from reuseid.services.jobs import bulk, exports
from reuseid.services.people import approvals
from reuseid.services.staff import sign_ins

log = logging.getLogger(__name__)

BATCH = 1000
BATCHES = 20
RUN = 60  # seconds for which a run goes on while it is behind


def purge() -> dict[str, int]:
    """Delete what is past its retention, at most BATCHES × BATCH rows of each kind; how many of which.

    A kind that fails is logged and keeps back no other.
    """
    counts = {}
    for name, step in _STEPS.items():
        try:
            counts[name] = _in_batches(step)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("Purging %s failed.", name)
    if any(counts.values()):
        log.info("Purged: %s.", ", ".join(f"{count} {name}" for name, count in counts.items() if count))
    return counts


def catch_up(seconds: float = RUN) -> None:
    """`purge`, and again while some kind has more than that takes, for so many seconds; each kind has its turn."""
    until = time.monotonic() + seconds
    while any(count >= BATCH * BATCHES for count in purge().values()) and time.monotonic() < until:
        pass


def _in_batches(step: Callable[[int], int]) -> int:
    total = 0
    for _ in range(BATCHES):
        count = step(BATCH)
        total += count
        if count < BATCH:
            break
    return total


def unsent(limit: int) -> int:
    """Cancel what is still owed past the events' retention: to endpoints that stayed paused or disabled so long.

    One that is being sent has its next time ahead and is left alone.
    """
    old = Event.objects.filter(created_at__lt=_past_retention(), pk=OuterRef("event"))
    rows = Delivery.objects.due().filter(created_at__lt=_past_retention()).filter(Exists(old))
    ids = list(rows.order_by("created_at").values_list("pk", flat=True)[:limit])
    return Delivery.objects.due().filter(pk__in=ids).update(status=Delivery.Status.CANCELED, settled_at=Now())


def events(limit: int) -> int:
    """Events past EVENT_RETENTION_DAYS, with their deliveries and attempts; none that is still owed."""
    owed = Delivery.objects.filter(event=OuterRef("pk"), status=Delivery.Status.PENDING)
    old = Event.objects.filter(~Exists(owed), created_at__lt=_past_retention()).order_by("created_at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    DeliveryAttempt.objects.filter(delivery__event__in=ids).delete()
    Delivery.objects.filter(event__in=ids).exclude(status=Delivery.Status.PENDING).delete()
    Event.objects.filter(~Exists(owed), pk__in=ids).delete()
    return len(ids)


def _past_retention():
    return Now() - timedelta(days=settings.EVENT_RETENTION_DAYS)


def tokens(limit: int) -> int:
    """Access tokens that have expired. The table holds the live ones of an hour, so walking it by id is short."""
    tokens = get_access_token_model().objects
    return sweeping.delete(tokens.filter(expires__lt=Now()).order_by("pk"), limit)


def sessions(limit: int) -> int:
    """Back-office sessions that have ended."""
    return sweeping.delete(Session.objects.filter(expire_date__lt=Now()).order_by("expire_date"), limit)


def counts(limit: int) -> int:
    """Numbers of hours past COUNT_RETENTION_DAYS."""
    deleted = 0
    for model in (EventCount, DeliveryCount):
        old = model.objects.filter(hour__lt=Now() - timedelta(days=settings.COUNT_RETENTION_DAYS)).order_by("hour")
        deleted = max(deleted, sweeping.delete(old, limit))
    return deleted


_STEPS = {
    "idempotency keys": idempotency.purge,
    "unsent deliveries": unsent,
    "events": events,
    "access tokens": tokens,
    "sessions": sessions,
    "requests": approvals.purge,
    "sign-ins": sign_ins.purge,
    "bulk acts": bulk.purge,
    "typed lines": bulk.forget_typed,
    "exports": exports.purge,
    "revealed values": access.purge_reveals,
    "access log": access.purge_views,
    "hourly numbers": counts,
}
