"""The first page's numbers about operations: the last day, or its newest 5000, in one query."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from mobileid.models import Device, Operation
from reuseid.admin import cells
from reuseid.admin.dashboard import locked_today
from reuseid.admin.scope import account_ids

LIMIT = 5000
Status = Operation.Status
# The order in which a column is stacked, from the bottom.
STACK = [
    (Status.COMPLETED, "good"),
    (Status.REJECTED, "bad"),
    (Status.FAILED, "bad2"),
    (Status.EXPIRED, "warn"),
    (Status.CANCELED, "quiet"),
    (Status.PENDING, "busy"),
    (Status.IN_PROGRESS, "busy2"),
]
HEIGHT = 120
WIDTH = 24


@dataclass
class Bar:
    """One part of a column of the chart, in the units of its view box."""

    x: int
    y: float
    height: float
    colour: str
    title: str


@dataclass
class Chart:
    """Operations by hour and state."""

    bars: list
    legend: list
    title: str
    summary: str
    width: int
    height: int = HEIGHT
    bar: int = WIDTH - 6
    template: str = "admin/parts/chart.html"


def cards(request):
    if not request.user.has_perm("mobileid.view_device"):
        return []
    return [locked_today(request, Device, _("Devices locked today"))]


def charts(request):
    """Operations of the last 24 hours by hour and outcome."""
    if not request.user.has_perm("mobileid.view_operation"):
        return []
    start = timezone.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    rows = Operation.objects.filter(account__in=account_ids(request.user), created_at__gte=start)
    found = list(rows.order_by("-created_at", "-id").values_list("created_at", "status")[:LIMIT])
    counts = Counter(((moment - start) // timedelta(hours=1), status) for moment, status in found)
    totals = Counter(status for _moment, status in found)
    over = sum(totals[status] for status in totals if status not in {Status.PENDING, Status.IN_PROGRESS})
    expired = (
        _("%(share)s %% expired") % {"share": f"{100 * totals[Status.EXPIRED] / over:.0f}"} if over else _("none ended")
    )
    whole = _("the last 24 hours") if len(found) < LIMIT else _("the newest %(count)s") % {"count": LIMIT}
    return [
        Chart(
            bars=_bars(counts, start),
            legend=[(status.label, colour, totals[status], _list(status)) for status, colour in STACK],
            title=_("Operations of %(time)s") % {"time": whole},
            summary=_("%(count)s started, %(expired)s") % {"count": len(found), "expired": expired},
            width=24 * WIDTH,
        )
    ]


def _list(status):
    return cells.list_of(Operation, status=status.value)


def _bars(counts, start):
    tallest = max((sum(counts[hour, status] for status, _ in STACK) for hour in range(24)), default=0) or 1
    bars = []
    for hour in range(24):
        y = float(HEIGHT)
        for status, colour in STACK:
            count = counts[hour, status]
            if count:
                height = HEIGHT * count / tallest
                y -= height
                at = timezone.localtime(start + timedelta(hours=hour))
                bars.append(
                    Bar(hour * WIDTH + 3, round(y, 2), round(height, 2), colour, f"{at:%H}:00 {status.label}: {count}")
                )
    return bars
