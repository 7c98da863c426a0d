"""What /metrics says of operations."""

from bisect import bisect_left
from collections import Counter

from django.db.models import F, Min
from django.db.models.functions import Now
from prometheus_client.core import GaugeHistogramMetricFamily

from mobileid.models import Operation
from mobileid.models.operations import OPEN
from reuseid.metrics import AT_MOST, WINDOW, collector, gauge

BOUNDS = (1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 600)


@collector
def operations():
    """Open ones, how they ended in the last minutes and after how long, and how late the sweep is."""
    rows = Operation.objects.filter(status__in=OPEN).order_by().values_list("type", "status")[:AT_MOST]
    yield gauge("mobileid_operations_open", "Not ended.", ["type", "state"], Counter(rows).items())
    ended = Operation.objects.filter(ended_at__gt=Now() - WINDOW).order_by("-ended_at")
    rows = list(ended.values_list("type", "status", F("ended_at") - F("created_at"))[:AT_MOST])
    outcomes = Counter((kind, status) for kind, status, _ in rows).items()
    yield gauge("mobileid_operations_ended_5m", "By outcome.", ["type", "state"], outcomes)
    yield _durations([(kind, life.total_seconds()) for kind, status, life in rows if status == "COMPLETED"])
    late = Operation.objects.overdue().aggregate(late=Now() - Min("expires_at"))["late"]
    seconds = late.total_seconds() if late else 0.0
    yield gauge("mobileid_sweep_lag_seconds", "Since the oldest deadline that is not swept.", [], [((), seconds)])


def _durations(lives):
    family = GaugeHistogramMetricFamily(
        "mobileid_operation_seconds_5m", "From start to completion.", labels=["type"], unit=""
    )
    for kind in sorted({kind for kind, _ in lives}):
        seconds = [life for other, life in lives if other == kind]
        filled = Counter(bisect_left(BOUNDS, life) for life in seconds)
        buckets, total = [], 0
        for index, bound in enumerate((*map(str, BOUNDS), "+Inf")):
            total += filled[index]
            buckets.append((bound, total))
        family.add_metric([kind], buckets, sum(seconds))
    return family
