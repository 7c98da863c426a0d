"""/metrics, for Prometheus.

What the database knows is asked of the database, so that every process tells the same and none forgets: windows of the
last WINDOW and states as they are, by bounded queries along an index. What only the web server knows (HTTP) is counted
in the process, or in all of them when PROMETHEUS_MULTIPROC_DIR names a folder that they share.
"""

import hmac
import os
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.multiprocess import MultiProcessCollector

from reuseid import health
from reuseid.models import Delivery, DeliveryAttempt, StaffNotice, WebhookEndpoint
from reuseid.services.heartbeats import ages

WINDOW = timedelta(minutes=5)
AT_MOST = 10_000  # rows that one query looks at; a figure that reaches it means "this many or more"

_Families = Callable[[], Iterable[GaugeMetricFamily]]
_collectors: list[_Families] = []


def collector(function: _Families) -> _Families:
    """Register a function that gives metric families from the database."""
    _collectors.append(function)
    return function


class _FromDatabase:
    """Asks every registered function at each scrape."""

    def collect(self):
        for function in _collectors:
            yield from function()


_DATABASE = CollectorRegistry(auto_describe=False)
_DATABASE.register(_FromDatabase())


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Text for Prometheus; 404 to who has neither METRICS_TOKEN nor, where none is set, a loopback address."""
    if not _may_read(request):
        return HttpResponseNotFound()
    return HttpResponse(generate_latest(_process_registry()) + generate_latest(_DATABASE), CONTENT_TYPE_LATEST)


def _may_read(request):
    if settings.METRICS_TOKEN:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    # Loopback itself, not a proxy on this host that passes on somebody else's call.
    proxied = "HTTP_X_FORWARDED_FOR" in request.META or "HTTP_FORWARDED" in request.META
    return request.META.get("REMOTE_ADDR") in {"127.0.0.1", "::1"} and not proxied


def _process_registry():
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return registry


def gauge(name: str, text: str, labels: list[str], rows: Iterable[tuple[Iterable[object], float]]) -> GaugeMetricFamily:
    """One family; ``rows`` are (label values, value)."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, value in rows:
        family.add_metric([str(label) for label in values], value)
    return family


def at_most(queryset: QuerySet) -> int:
    """The rows, counted no further than AT_MOST."""
    return len(queryset.order_by()[:AT_MOST].values_list("pk"))


@collector
def callbacks() -> Iterator[GaugeMetricFamily]:
    """What is owed, how late the sender is, and what the last minutes' attempts came to."""
    yield gauge("reuseid_callback_lag_seconds", "Longest wait for a sender.", [], [((), health.callback_lag())])
    owed = at_most(Delivery.objects.filter(status=Delivery.Status.PENDING))
    yield gauge("reuseid_callbacks_owed", f"Deliveries not settled, counted up to {AT_MOST}.", [], [((), owed)])
    recent = DeliveryAttempt.objects.filter(at__gt=Now() - WINDOW).order_by("-at")
    yield gauge("reuseid_callback_attempts_5m", "Attempts by outcome.", ["outcome"], _outcomes(recent))
    endpoints = WebhookEndpoint.objects.exclude(status=WebhookEndpoint.Status.DELETED)
    states = endpoints.order_by().values_list("status").annotate(count=Count("pk"))
    yield gauge("reuseid_webhooks", "Endpoints by state.", ["state"], [((state,), n) for state, n in states])
    unseen = at_most(StaffNotice.objects.filter(seen_at=None))
    yield gauge("reuseid_notices_unseen", "Notices that no colleague has seen.", [], [((), unseen)])


def _outcomes(attempts):
    counts = dict.fromkeys(("2xx", "3xx", "4xx", "5xx", "none"), 0)
    for status in attempts.values_list("http_status", flat=True)[:AT_MOST]:
        counts[f"{status // 100}xx" if status and 200 <= status < 600 else "none"] += 1
    return [((outcome,), count) for outcome, count in counts.items()]


@collector
def heartbeats() -> Iterator[GaugeMetricFamily]:
    """Age of each sign of life."""
    rows = [((name,), age) for name, age in ages().items()]
    yield gauge("reuseid_heartbeat_age_seconds", "Since the last sign of life.", ["name"], rows)


REQUESTS = Counter("http_requests", "Answers.", ["method", "route", "status"])
SECONDS = Histogram(
    "http_request_seconds",
    "Time to the answer.",
    ["route"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


class MetricsMiddleware:
    """Counts each answer under its route's pattern: never under a path, which holds ids and has no end."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        route = request.resolver_match.route if request.resolver_match else "none"
        method = request.method if request.method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} else "other"
        _answers_of(method, route, response.status_code).inc()
        _seconds_of(route).observe(time.perf_counter() - started)
        return response


# Looking a series up by its labels costs more than counting in it; there are as many as routes, methods and statuses.
_answers_of, _seconds_of = cache(REQUESTS.labels), cache(SECONDS.labels)
