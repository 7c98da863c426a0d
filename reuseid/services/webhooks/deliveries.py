"""Deliveries: claimed with a lease, settled with a fence, sent anew on request.

Between claim and settlement a delivery stays PENDING with ``next_attempt_at`` at the end of its lease. A sender that
dies leaves it there, and it is due again when the lease is over. ``attempts`` counts claims, so a sender whose lease
is over can't settle what another has claimed since.
"""

import random
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils.translation import gettext as _

from reuseid.actors import Actor
from reuseid.errors import Conflict
from reuseid.models import Delivery, DeliveryAttempt, Event, WebhookEndpoint
from reuseid.services.audit import trail
from reuseid.services.wake import wake
from reuseid.services.webhooks import endpoints, outbox, statements
from reuseid.services.webhooks.claims import Claim, Outcome, as_claim

Status = Delivery.Status
MAX_RETRY_AFTER = 24 * 3600
RESEND_AT_ONCE = 10_000
PAGES = (64, 512, 4096)


Deal = Callable[[list[WebhookEndpoint]], Mapping[WebhookEndpoint, int]]
"""Of endpoints with work to how many deliveries of each."""


def claim_due(deal: Deal, *, without: Collection[UUID] = (), limit: int = 500) -> list[Claim]:
    """`claim` of the endpoints with something due, but for some, as many of each as ``deal`` says.

    Of very many endpoints a random part is dealt to. PostgreSQL: in two statements for all that are healthy.
    """
    if connection.vendor != "postgresql":
        found = list(WebhookEndpoint.objects.with_work().exclude(pk__in=without).order_by("?")[:limit])
        return [claimed for endpoint, slots in deal(found).items() for claimed in claim(endpoint, slots)]
    with statements.pinned():
        wanted = deal(statements.candidates(without, limit))
        healthy = {endpoint.pk: slots for endpoint, slots in wanted.items() if endpoint.open_until is None}
        rows, full = statements.claim(healthy, PAGES[0]) if healthy else ({}, set())
    claims = []
    for endpoint, slots in wanted.items():
        mine = [as_claim(endpoint, row) for row in rows.get(endpoint.pk, ())]
        # The one probe of an endpoint that rested; or too much of the first page waits its turn.
        if endpoint.pk not in healthy or (endpoint.pk in full and len(mine) < slots):
            mine += claim(endpoint, slots - len(mine))
        claims += mine
    return claims


def claim(endpoint: WebhookEndpoint, limit: int) -> list[Claim]:
    """Take up to ``limit`` due deliveries of an endpoint for CALLBACK_LEASE seconds, at most one of each object.

    PostgreSQL: rivals skip each other's locked rows, and a row that was claimed meanwhile fails the re-check of
    ``next_attempt_at``. SQLite: the transaction begins IMMEDIATE, so no rival reads between our SELECT and our UPDATE.
    """
    with transaction.atomic():
        _need_not_last()
        # The endpoint's row before those of deliveries, as `endpoints.delete` does: no deadlock.
        if not _pass_breaker(endpoint):
            return []
        rows = _lock_first_of_objects(endpoint, 1 if endpoint.open_until else limit)
        Delivery.objects.filter(pk__in=[row.pk for row in rows]).update(
            attempts=F("attempts") + 1, next_attempt_at=Now() + timedelta(seconds=settings.CALLBACK_LEASE)
        )
        if not rows and endpoint.open_until:
            transaction.set_rollback(True)  # Nothing to probe with: the rest is not prolonged.
    return [as_claim(endpoint, row) for row in rows]


def _need_not_last():
    """A crash of the server may forget a claim or a settlement: the delivery is made once more, as promised. So this
    transaction need not wait for the disk.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit TO off")


def _lock_first_of_objects(endpoint: WebhookEndpoint, limit: int) -> list[Delivery]:
    """Due deliveries with no earlier one about the same object still owed to the endpoint, locked.

    Walks the index of what is due, further only where too much of it has to wait its turn, and asks for no other
    objects: the work is bounded, whatever is owed. Short queries, where one with NOT EXISTS would leave the plan to
    statistics that are stale in a rush.
    """
    for size in PAGES:
        due = Delivery.objects.due().filter(endpoint=endpoint)
        objects = list(due.order_by("next_attempt_at").values_list("object_id", flat=True)[:size])
        owed = Delivery.objects.filter(endpoint=endpoint, status=Status.PENDING, object_id__in=set(objects))
        first = [event for _, event in owed.values_list("object_id").annotate(first=Min("event_id"))]
        rows = list(
            due.filter(event_id__in=first)
            .order_by("next_attempt_at", "event_id")
            .select_related("event")
            .select_for_update(skip_locked=True, of=("self",))[:limit]
        )
        if len(rows) >= limit or len(objects) < size:
            break
        _put_behind(endpoint, first)
    return rows


def _put_behind(endpoint, first):
    """What follows an event whose retry is beyond any lease need not be looked at again for the length of one."""
    lease = Now() + timedelta(seconds=settings.CALLBACK_LEASE)
    owed = Delivery.objects.filter(endpoint=endpoint, status=Status.PENDING)
    waiting = owed.filter(event_id__in=first, next_attempt_at__gt=lease).values_list("object_id", flat=True)
    owed.due().filter(object_id__in=list(waiting)).update(next_attempt_at=lease)


def _pass_breaker(endpoint):
    """After a rest exactly one sender makes the probe: the one whose UPDATE moves ``open_until``."""
    if endpoint.open_until is None:
        return True
    lease = Now() + timedelta(seconds=settings.CALLBACK_LEASE)
    return WebhookEndpoint.objects.sendable().filter(pk=endpoint.pk).update(open_until=lease)


def settle(outcomes: list[Outcome]) -> None:
    """Write what attempts came to; one whose fence is gone is only logged. Then judge the endpoints."""
    # In one order everywhere, so that two senders whose leases overlapped don't lock each other out.
    outcomes = sorted(outcomes, key=lambda outcome: outcome.claim.delivery_id)
    rest = outcomes
    if connection.vendor == "postgresql":
        received = [outcome for outcome in outcomes if _at_once(outcome)]
        rest = [outcome for outcome in outcomes if not _at_once(outcome)]
        if received:
            statements.write_received(received)
    if rest:
        _write(rest)
    for endpoint_id in sorted({outcome.claim.endpoint_id for outcome in outcomes}):
        judge(endpoint_id, [outcome for outcome in outcomes if outcome.claim.endpoint_id == endpoint_id])


def _at_once(outcome):
    return outcome.good and not outcome.claim.retry


def _write(outcomes):
    with transaction.atomic():
        _need_not_last()
        good = [outcome.claim for outcome in outcomes if outcome.good]
        for attempt in sorted({claim.attempt for claim in good}):
            ids = [claim.delivery_id for claim in good if claim.attempt == attempt]
            Delivery.objects.filter(pk__in=ids, attempts=attempt, status=Status.PENDING).update(
                status=Status.SENT, settled_at=Now()
            )
        for outcome in outcomes:
            if not outcome.good:
                _put_off(outcome)
            if outcome.claim.retry:
                _let_follow(outcome.claim)
        _log(outcomes)


def _let_follow(claim):
    """What was put behind a retry may go at once: that one is settled, or its next time is another."""
    behind = Delivery.objects.filter(endpoint=claim.endpoint_id, object_id=claim.object_id, status=Status.PENDING)
    behind.filter(attempts=F("attempts_before"), next_attempt_at__gt=Now()).update(next_attempt_at=Now())


def _log(outcomes):
    """An attempt was made whether or not its fence still held. A repeated settlement writes no second line."""
    DeliveryAttempt.objects.bulk_create(
        (
            DeliveryAttempt(
                delivery_id=outcome.claim.delivery_id,
                number=outcome.claim.attempt,
                duration_ms=outcome.duration_ms,
                http_status=outcome.status,
                error=outcome.error[:200],
                answer=outcome.answer,
            )
            for outcome in outcomes
        ),
        ignore_conflicts=True,
    )


def _put_off(outcome):
    """To the next time of the table, or give up after its last. 410 says that nothing will ever be taken."""
    claim = outcome.claim
    held = Delivery.objects.filter(pk=claim.delivery_id, attempts=claim.attempt, status=Status.PENDING)
    if claim.tries_left <= 0 or outcome.status == 410:
        held.update(status=Status.FAILED, settled_at=Now())
    else:
        held.update(next_attempt_at=Now() + timedelta(seconds=retry_delay(outcome)))


def retry_delay(outcome: Outcome) -> float:
    """Seconds to the next attempt: the table's, ±10 % so that a crowd spreads, and never before Retry-After."""
    table = settings.CALLBACK_RETRIES
    delay = table[len(table) - outcome.claim.tries_left] * random.uniform(0.9, 1.1)  # noqa: S311 - no secret
    return max(delay, min(outcome.retry_after or 0, MAX_RETRY_AFTER))


def judge(endpoint_id: UUID, outcomes: list[Outcome]) -> None:
    """Move the circuit breaker: one receipt closes it, failures in a row open it, 410 and days of failure disable.

    A row that was healthy when claimed and stays so is not written: the crowd of good deliveries doesn't queue for it.
    """
    if any(outcome.good for outcome in outcomes):
        if any(outcome.claim.ailing for outcome in outcomes):
            WebhookEndpoint.objects.filter(pk=endpoint_id).update(
                consecutive_failures=0, failing_since=None, open_until=None
            )
        return
    with transaction.atomic():
        endpoint = WebhookEndpoint.objects.select_for_update().get(pk=endpoint_id)
        if endpoint.status == WebhookEndpoint.Status.ACTIVE:
            _blame(endpoint, outcomes)


def _blame(endpoint, outcomes):
    limit, (first, longest) = settings.CALLBACK_BREAKER_AFTER, settings.CALLBACK_BREAKER_REST
    before = endpoint.consecutive_failures
    # A batch that fails together is one opening, not many doublings of the rest.
    after = min(before + len(outcomes), limit) if before < limit else before + 1
    rest = min(first * 2 ** min(after - limit, 20), longest) if after >= limit else 0
    rest = max(rest, *(min(o.retry_after or 0, MAX_RETRY_AFTER) for o in outcomes if o.status in {429, 503}), 0)
    same = WebhookEndpoint.objects.filter(pk=endpoint.pk)
    same.update(consecutive_failures=after, failing_since=Coalesce("failing_since", Now()))
    if rest:
        same.update(open_until=Now() + timedelta(seconds=rest))
    if any(outcome.status == 410 for outcome in outcomes):
        endpoints.disable(endpoint, why="GONE", text="The receiver answered 410 Gone.")
        return
    hours = settings.CALLBACK_DISABLE_AFTER
    if same.filter(failing_since__lte=Now() - timedelta(hours=hours)).exists():
        endpoints.disable(endpoint, why="FAILING", text=f"Every attempt failed for {hours} hours.")


@transaction.atomic
def resend(delivery: Delivery, *, actor: Actor, reason: str = "", note: str = "") -> None:
    """Owe a settled delivery again, from the start of the retry table, with the same id and body.

    One that waits for its next attempt becomes due; one that is being sent right now is left alone. Raises Conflict
    when the endpoint is deleted.
    """
    _check_there(delivery.endpoint)
    _again(Delivery.objects.filter(pk=delivery.pk))
    delivery.refresh_from_db()
    trail.record(delivery, "delivery.resent", actor=actor, reason=reason, note=note, user_id=delivery.event.user_id)
    wake(outbox.SEND)


def _again(deliveries: QuerySet) -> int:
    """One conditional UPDATE. While a lease runs, the claimed attempt has no line in the log yet."""
    logged = DeliveryAttempt.objects.filter(delivery=OuterRef("pk"), number=OuterRef("attempts"))
    free = ~Q(status=Status.PENDING) | Q(attempts=0) | Exists(logged)
    return (
        deliveries.exclude(status=Status.CANCELED)
        .filter(free)
        .update(status=Status.PENDING, attempts_before=F("attempts"), next_attempt_at=Now(), settled_at=None)
    )


def _check_there(endpoint):
    if not WebhookEndpoint.objects.of(endpoint.account_id).filter(pk=endpoint.pk).exists():
        raise Conflict(_("The webhook is deleted."))


@transaction.atomic
def resend_failed(endpoint: WebhookEndpoint, *, actor: Actor, reason: str = "", note: str = "") -> tuple[int, bool]:
    """Owe the endpoint again what was given up, at most 10 000, the oldest first; how many, and whether there are more.

    Raises Conflict when the endpoint is deleted.
    """
    _check_there(endpoint)
    failed = Delivery.objects.filter(account=endpoint.account_id, endpoint=endpoint, status=Status.FAILED)
    ids = list(failed.order_by("created_at").values_list("pk", flat=True)[: RESEND_AT_ONCE + 1])
    count = 0
    for start in range(0, min(len(ids), RESEND_AT_ONCE), 500):
        some = ids[start : min(start + 500, RESEND_AT_ONCE)]
        count += _again(Delivery.objects.filter(pk__in=some, status=Status.FAILED))
    trail.record(endpoint, "webhook.failed_resent", actor=actor, reason=reason, note=note, changes={"count": count})
    wake(outbox.SEND)
    return count, len(ids) > RESEND_AT_ONCE


@transaction.atomic
def resend_since(
    endpoint: WebhookEndpoint,
    since: datetime,
    *,
    actor: Actor,
    delivered: bool = False,
    reason: str = "",
    note: str = "",
) -> tuple[int, datetime | None]:
    """Owe the endpoint again what it missed since a time: given up, or never owed while it was disabled.

    With ``delivered`` what it got already, too. At most 10 000 events a call, the oldest first: gives how many are owed
    now and, where there are more, the time to go on from. Raises Conflict when the endpoint is deleted.
    """
    _check_there(endpoint)
    events = list(
        Event.objects.of(endpoint.account_id)
        .filter(created_at__gte=since)
        .order_by("created_at", "sequence")
        .values_list("sequence", "object_id", "type", "created_at")[: RESEND_AT_ONCE + 1]
    )
    more = events[RESEND_AT_ONCE][3] if len(events) > RESEND_AT_ONCE else None
    wanted = [event for event in events[:RESEND_AT_ONCE] if outbox.wants(endpoint, event[2])]
    again = [Status.FAILED, Status.SENT] if delivered else [Status.FAILED]
    count = 0
    for start in range(0, len(wanted), 500):
        count += _owe_again(endpoint, wanted[start : start + 500], again)
    changes = {"since": since.isoformat(), "delivered": delivered, "count": count}
    trail.record(endpoint, "webhook.resent", actor=actor, reason=reason, note=note, changes=changes)
    wake(outbox.SEND)
    return count, more


def _owe_again(endpoint, events, statuses):
    ids = [event[0] for event in events]
    there = Delivery.objects.filter(endpoint=endpoint, event__in=ids)
    known = set(there.values_list("event_id", flat=True))
    count = _again(there.filter(status__in=statuses))
    missing = [
        Delivery(account_id=endpoint.account_id, endpoint=endpoint, event_id=sequence, object_id=object_id)
        for sequence, object_id, _, _ in events
        if sequence not in known
    ]
    Delivery.objects.bulk_create(missing, ignore_conflicts=True)
    return count + len(missing)
