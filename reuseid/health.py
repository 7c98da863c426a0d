"""/healthz and /readyz, for orchestrators and load balancers.

Liveness looks at nothing outside the process: a database that is away is no reason to restart it. Readiness fails (503)
only without the database. What else is late is told with 200 and ``degraded``, since calls are still answered then:
events stay owed and are sent later. ``/readyz?strict=1`` answers 503 for that, too: for a monitor.
"""

import logging
import time

from celery import current_app
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Min, OuterRef, Subquery
from django.db.models.functions import Now
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from reuseid.models import Delivery, WebhookEndpoint
from reuseid.services import heartbeats

log = logging.getLogger(__name__)


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process answers."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, broker, beat, workers, and how late the sender is: each ``ok`` or not, ages in seconds."""
    checks = {"database": _database()}
    if checks["database"]["ok"]:
        checks |= heartbeat_checks() | {"callbacks": _callbacks()}
    checks["broker"] = _broker()
    ready = checks["database"]["ok"]
    fine = all(check["ok"] for check in checks.values())
    status = 200 if ready and (fine or request.GET.get("strict") != "1") else 503
    word = "ok" if fine else "degraded" if ready else "unavailable"
    return JsonResponse({"status": word, "checks": checks}, status=status)


def _database():
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            return {"ok": cursor.fetchone() == (1,)}
    except (DatabaseError, InterfaceError):
        log.exception("The database is not reached.")
        connection.close()
        return {"ok": False}


_broker_seen = {"until": 0.0, "ok": True}


def _broker():
    """Asked at most every 5 s, with 1 s of patience: a probe must not hang, nor be a load."""
    if time.monotonic() > _broker_seen["until"]:
        try:
            with current_app.connection_for_write(connect_timeout=1) as broker:
                broker.ensure_connection(max_retries=1, interval_start=0, timeout=1)
            _broker_seen["ok"] = True
        except Exception as error:
            log.warning("The broker is not reached: %s.", type(error).__name__)
            _broker_seen["ok"] = False
        _broker_seen["until"] = time.monotonic() + 5
    return {"ok": _broker_seen["ok"]}


def heartbeat_checks() -> dict[str, dict]:
    """Beat, and a worker on each queue that the schedule knocks at."""
    return {name: {"ok": not heartbeats.is_late(age), "age": age} for name, age in heartbeats.watched().items()}


def callback_lag() -> float:
    """How long, in seconds, the most overdue callback has waited for a sender: one index probe an endpoint.

    A receiver that is down, paused or resting is not counted: that is its lateness, not ours. What waits for an earlier
    event of its object to be taken counts for the length of a lease at most.
    """
    first = Delivery.objects.due().order_by("next_attempt_at").values("next_attempt_at")
    oldest = WebhookEndpoint.objects.sendable().annotate(oldest=Subquery(first.filter(endpoint=OuterRef("pk"))[:1]))
    lag = oldest.aggregate(lag=Now() - Min("oldest"))["lag"]
    return max(0.0, round(lag.total_seconds(), 1)) if lag else 0.0


def _callbacks():
    lag = callback_lag()
    return {"ok": lag <= settings.CALLBACK_LATE, "lag": lag}
