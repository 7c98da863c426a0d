"""The first page's numbers about operations and phones: hourly counts, and the running hour as it is."""

from collections import Counter

from django.utils.translation import gettext_lazy as _

from mobileid.models import Device, Operation
from mobileid.models.operations import OPEN
from reuseid.admin.kit import charts, formatting
from reuseid.admin.kit.charts import Card, Chart, locked_today, up_to
from reuseid.admin.kit.scope import account_ids
from reuseid.services import counting

# The order in which a column is stacked, from the bottom: outcome, name, colour.
STACK = [
    ("completed", _("Completed"), "good"),
    ("rejected", _("Rejected"), "bad"),
    ("failed", _("Failed"), "bad2"),
    ("expired", _("Expired"), "warn"),
    ("canceled", _("Cancelled"), "quiet"),
]
LOCKS = [("user", _("People"), "bad"), ("device", _("Devices"), "busy2")]
ENDINGS = [f"{kind}.{outcome}" for kind in Operation.Type.values for outcome, _name, _colour in STACK]


def cards(request):
    found = []
    if request.user.has_perm("mobileid.view_operation"):
        rows = Operation.objects.filter(account__in=account_ids(request.user), status__in=OPEN)
        address = formatting.list_of(Operation, status="PENDING")
        found.append(Card(_("Operations open"), up_to(rows), hint=_("waiting for a phone"), href=address))
    if request.user.has_perm("mobileid.view_device"):
        found.append(locked_today(request, Device, _("Devices locked today")))
    return found


def panels(request):
    """Outcomes, the share that expired, and locks: over the period that the address names."""
    if not request.user.has_perm("reuseid.view_eventcount"):
        return []
    period = charts.chosen(request)
    starts = period.starts(charts.now())
    figures, complete = counting.events_by_hour(account_ids(request.user), ENDINGS, starts[0], period.step)
    outcomes = Counter()
    for (moment, kind), count in figures.items():
        outcomes[moment, kind.partition(".")[2]] += count
    columns = charts.in_columns(outcomes, starts)
    note = charts.not_all(complete)
    return [_outcomes(request, columns, starts, period, note), _expiry(columns, starts, period, note), _locks(request)]


def _outcomes(request, columns, starts, period, note):
    totals = Counter()
    for (_index, outcome), count in columns.items():
        totals[outcome] += count
    bars, top = charts.stacked(columns, starts, period, STACK)
    sees = request.user.has_perm("mobileid.view_operation")
    return Chart(
        title=_("Operations by outcome, %(period)s") % {"period": period.title},
        summary=_("%(count)s ended") % {"count": totals.total()},
        headers=[_("From"), *(str(name) for _key, name, _colour in STACK)],
        rows=[
            [period.named(start), *(columns.get((index, key), 0) for key, _name, _colour in STACK)]
            for index, start in enumerate(starts)
        ],
        ticks=charts.ticks(starts, period),
        top=str(top or ""),
        bars=bars,
        legend=[(name, colour, totals[key], _list(key) if sees else "") for key, name, colour in STACK],
        empty=_("No operation has ended."),
        note=note,
    )


def _list(outcome):
    return formatting.list_of(Operation, status=outcome.upper())


def _expiry(columns, starts, period, note):
    rates, expired, ended = [], 0, 0
    for index in range(len(starts)):
        over = sum(columns.get((index, key), 0) for key, _name, _colour in STACK)
        late = columns.get((index, "expired"), 0)
        expired, ended = expired + late, ended + over
        rates.append(100 * late / over if over else None)
    words = [charts.NOTHING if rate is None else f"{rate:.1f} %" for rate in rates]
    top = charts.scale([rate for rate in rates if rate is not None], (10, 25, 50, 100))
    whole = f"{100 * expired / ended:.1f} %" if ended else charts.NOTHING
    return Chart(
        title=_("Expired, of those that ended, %(period)s") % {"period": period.title},
        summary=_("%(share)s altogether") % {"share": whole},
        headers=[_("From"), _("Expired")],
        rows=[[period.named(start), word] for start, word in zip(starts, words, strict=True)],
        ticks=charts.ticks(starts, period),
        top=f"{top} %",
        lines=[charts.line(rates, top, "warn")] if ended else [],
        legend=[(_("Nobody answered before the deadline"), "warn", expired, "")],
        empty=_("No operation has ended."),
        note=note,
    )


def _locks(request):
    """Per day, so over a week at least."""
    period = charts.chosen(request) if request.GET.get("period") == "30d" else charts.WEEK
    starts = period.starts(charts.now())
    names = [f"{noun}.locked" for noun, _name, _colour in LOCKS]
    figures, complete = counting.events_by_hour(account_ids(request.user), names, starts[0], period.step)
    locks = Counter()
    for (moment, kind), count in figures.items():
        locks[moment, kind.partition(".")[0]] += count
    columns = charts.in_columns(locks, starts)
    bars, top = charts.stacked(columns, starts, period, LOCKS)
    totals = {key: sum(columns.get((i, key), 0) for i in range(len(starts))) for key, _name, _colour in LOCKS}
    return Chart(
        title=_("Locks per day, %(period)s") % {"period": period.title},
        summary=_("%(count)s altogether") % {"count": sum(totals.values())},
        headers=[_("Day"), *(str(name) for _key, name, _colour in LOCKS)],
        rows=[
            [period.named(start), *(columns.get((index, key), 0) for key, _name, _colour in LOCKS)]
            for index, start in enumerate(starts)
        ],
        ticks=charts.ticks(starts, period),
        top=str(top or ""),
        bars=bars,
        legend=[(name, colour, totals[key], "") for key, name, colour in LOCKS],
        empty=_("Nobody and nothing was locked."),
        note=charts.not_all(complete),
    )
