"""The first page's numbers about people and callbacks. Every query is bounded and goes through an index."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit import charts, formatting
from reuseid.admin.kit.charts import Card, Chart, locked_today, today, up_to
from reuseid.admin.kit.extensions import Figures, FirstPage, registry
from reuseid.admin.kit.pages import Table
from reuseid.admin.kit.scope import account_ids, notices
from reuseid.admin.kit.texts import heartbeat_in_words
from reuseid.models import ApprovalRequest, Delivery, Heartbeat, StaffNotice, User, WebhookEndpoint
from reuseid.services import counting, heartbeats


def cards(request):
    """What the colleague may see, worst first."""
    found = []
    if request.user.has_perm("reuseid.view_user"):
        found.append(locked_today(request, User, _("People locked today")))
    if request.user.has_perm("reuseid.view_approvalrequest"):
        found.append(_waiting(request))
    if request.user.has_perm("reuseid.view_delivery"):
        found += _owed(request)
    if request.user.has_perm("reuseid.view_staffnotice"):
        found.append(_notices(request))
    if request.user.has_perm("reuseid.view_heartbeat"):
        found.append(_alive())
    return found


def _waiting(request):
    """What colleagues asked for and nobody decided yet; the most urgent one's time."""
    rows = ApprovalRequest.objects.waiting().filter(account__in=account_ids(request.user))
    first = rows.order_by("expires_at").values_list("expires_at", flat=True).first()
    left = formatting.duration(timezone.now(), first) if first else ""
    return Card(
        _("Waiting for approval"),
        up_to(rows),
        hint=_("the first expires in %(left)s") % {"left": left} if first else _("by a second colleague"),
        href=formatting.list_of(ApprovalRequest, status="PENDING"),
        colour="warn" if first else "quiet",
    )


def _alive():
    """Beat and the workers of each watched queue, by their last sign of life; never heard counts as silent."""
    silent = [name for name, age in heartbeats.watched().items() if heartbeats.is_late(age)]
    return Card(
        _("Workers silent"),
        str(len(silent)),
        hint=", ".join(map(heartbeat_in_words, silent)) or _("worker and schedule are alive"),
        href=formatting.list_of(Heartbeat),
        colour="bad" if silent else "quiet",
    )


def _owed(request):
    rows = Delivery.objects.filter(account__in=account_ids(request.user), status=Delivery.Status.PENDING)
    oldest = rows.order_by("created_at").values_list("created_at", flat=True).first()
    address = formatting.list_of(Delivery, status="PENDING")
    age = formatting.duration(oldest, timezone.now()) if oldest else charts.NOTHING
    late = oldest is not None and (timezone.now() - oldest).total_seconds() > settings.CALLBACK_LATE
    return [
        Card(_("Callbacks owed"), up_to(rows), hint=_("not taken yet"), href=address),
        Card(
            _("Oldest owed callback"),
            age,
            hint=_("owed for so long") if oldest else _("nothing is owed"),
            href=address,
            colour="bad" if late else "quiet",
        ),
        _given_up(request),
    ]


def _given_up(request):
    """Callbacks that nobody sends any more, of events of the last day."""
    since = today() - timedelta(days=1)
    rows = Delivery.objects.filter(
        account__in=account_ids(request.user), status=Delivery.Status.FAILED, created_at__gte=since
    )
    number = up_to(rows)
    return Card(
        _("Callbacks failing"),
        number,
        hint=_("given up, since yesterday"),
        href=formatting.list_of(Delivery, status="FAILED", created_at_from=since.date().isoformat()),
        colour="bad" if number != "0" else "quiet",
    )


def _notices(request):
    number = up_to(notices(request.user).filter(seen_at=None))
    return Card(
        _("Notices not seen"),
        number,
        hint=_("somebody should look after them") if number != "0" else _("all are looked after"),
        href=formatting.list_of(StaffNotice),
        colour="warn" if number != "0" else "quiet",
    )


def panels(request):
    """How long callbacks took from owed to taken: the half and nineteen of twenty."""
    if not request.user.has_perm("reuseid.view_deliverycount"):
        return []
    period = charts.chosen(request)
    starts = period.starts(charts.now())
    figures, complete = counting.deliveries_by_hour(account_ids(request.user), starts[0], period.step)
    taken = {(moment, within): count for (moment, status, within), count in figures.items() if status == "SENT"}
    columns = charts.in_columns(taken, starts)
    half, most = ([_within(columns, index, part) for index in range(len(starts))] for part in (0.5, 0.95))
    everything = {(0, within): 0 for within in counting.STEPS}
    for (_index, within), count in columns.items():
        everything[0, within] += count
    words = [(_step(a), _step(b)) for a, b in zip(half, most, strict=True)]
    ranks = range(1, len(counting.STEPS) + 1)
    top = charts.scale([1 + _rank(value) for value in most if value is not None], ranks)
    return [
        Chart(
            title=_("Callbacks: time until taken, %(period)s") % {"period": period.title},
            summary=_("%(count)s taken") % {"count": sum(everything.values())},
            headers=[_("From"), _("Half within"), _("95 % within")],
            rows=[[period.named(start), *pair] for start, pair in zip(starts, words, strict=True)],
            ticks=charts.ticks(starts, period),
            top=_step(counting.STEPS[top - 1]),
            lines=[
                charts.line([_rank(value) for value in half], top, "good", "dashed"),
                charts.line([_rank(value) for value in most], top, "busy2"),
            ]
            if taken
            else [],
            legend=[
                (_("Half within (dashed)"), "good", _step(_within(everything, 0, 0.5)), ""),
                (_("95 % within"), "busy2", _step(_within(everything, 0, 0.95)), ""),
            ],
            empty=_("No callback was taken."),
            note=charts.not_all(complete),
        )
    ]


def _within(columns, index, part):
    """The step within which ``part`` of a column's callbacks were taken; None for none."""
    total = sum(columns.get((index, step), 0) for step in counting.STEPS)
    reached = 0
    for step in counting.STEPS:
        reached += columns.get((index, step), 0)
        if total and reached >= part * total:
            return step
    return None


def _rank(step):
    """Its height: the steps grow about threefold, so their ranks make a logarithmic scale."""
    return None if step is None else counting.STEPS.index(step) + 1


def _step(step):
    if step is None:
        return charts.NOTHING
    for seconds, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if step >= seconds:
            return f"{step // seconds} {unit}"
    return f"{step} s"


def tables(request):
    """Endpoints that fail or are switched off."""
    if not request.user.has_perm("reuseid.view_webhookendpoint"):
        return []
    endpoints = (
        WebhookEndpoint.objects.filter(account__in=account_ids(request.user))
        .exclude(status=WebhookEndpoint.Status.DELETED)
        .exclude(status=WebhookEndpoint.Status.ACTIVE, failing_since=None)
        .select_related("account")
        .order_by("failing_since")[:20]
    )
    rows = [
        [
            formatting.link(WebhookEndpoint, endpoint.pk, endpoint.url),
            formatting.state(endpoint),
            endpoint.account.name,
            formatting.when(endpoint.failing_since),
            endpoint.consecutive_failures,
        ]
        for endpoint in endpoints
    ]
    headers = [_("Endpoint"), _("State"), _("Account"), _("Failing since"), _("In a row")]
    return [Table(headers, rows, title=_("Endpoints that need a look"), empty=_("Every endpoint takes its callbacks."))]


registry.extend_first_page(FirstPage(cards=(Figures(cards),), charts=(Figures(panels),), tables=(Figures(tables),)))
