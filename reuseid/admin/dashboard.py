"""The first page's numbers about people and callbacks. Every query is bounded and goes through an index."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from reuseid.admin import cells
from reuseid.admin.pages import Table
from reuseid.admin.scope import account_ids
from reuseid.models import Delivery, Heartbeat, Request, User, WebhookEndpoint
from reuseid.services import heartbeats

LIMIT = 1000


@dataclass
class Card:
    """One number, what it counts, where the rows are."""

    title: str
    number: str
    hint: str = ""
    href: str = ""
    colour: str = "quiet"


def up_to(rows, limit=LIMIT):
    """How many rows in words, counted no further than ``limit``."""
    found = rows.order_by()[: limit + 1].count()
    return f"{limit}+" if found > limit else str(found)


def today():
    """Midnight, in the server's zone."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def locked_today(request, model, title):
    """Rows of ``model`` that were locked since midnight and still are."""
    start = today()
    rows = model.objects.filter(status="LOCKED", status_since__gte=start, account__in=account_ids(request.user))
    number = up_to(rows)
    return Card(
        title,
        number,
        hint=_("since midnight"),
        href=cells.list_of(model, status="LOCKED", status_since_from=start.date().isoformat()),
        colour="bad" if number != "0" else "quiet",
    )


def cards(request):
    """What the colleague may see, worst first."""
    found = []
    if request.user.has_perm("reuseid.view_user"):
        found.append(locked_today(request, User, _("People locked today")))
    if request.user.has_perm("reuseid.view_request"):
        found.append(_waiting(request))
    if request.user.has_perm("reuseid.view_delivery"):
        found += _owed(request)
    if request.user.has_perm("reuseid.view_heartbeat"):
        found.append(_alive())
    return found


def _waiting(request):
    """What colleagues asked for and nobody decided yet; the most urgent one's time."""
    rows = Request.objects.waiting().filter(account__in=account_ids(request.user))
    first = rows.order_by("expires_at").values_list("expires_at", flat=True).first()
    left = cells.duration(timezone.now(), first) if first else ""
    return Card(
        _("Waiting for approval"),
        up_to(rows),
        hint=_("the first expires in %(left)s") % {"left": left} if first else _("by a second colleague"),
        href=cells.list_of(Request, status="PENDING"),
        colour="warn" if first else "quiet",
    )


def _alive():
    """Beat and the workers of each watched queue, by their last sign of life; never heard counts as silent."""
    watched = [heartbeats.BEAT, *(f"worker:{queue}" for queue in settings.WATCHED_QUEUES)]
    oldest = timezone.now() - timedelta(seconds=settings.HEARTBEAT_LATE)
    heard = set(Heartbeat.objects.filter(name__in=watched, at__gte=oldest).values_list("name", flat=True))
    silent = [name for name in watched if name not in heard]
    return Card(
        _("Worker and beat"),
        _("silent") if silent else _("all alive"),
        hint=", ".join(silent or watched),
        href=cells.list_of(Heartbeat),
        colour="bad" if silent else "good",
    )


def _owed(request):
    rows = Delivery.objects.filter(account__in=account_ids(request.user), status=Delivery.Status.PENDING)
    oldest = rows.order_by("created_at").values_list("created_at", flat=True).first()
    address = cells.list_of(Delivery, status="PENDING")
    age = cells.duration(oldest, timezone.now()) if oldest else _("nothing is owed")
    late = oldest is not None and (timezone.now() - oldest).total_seconds() > settings.CALLBACK_LATE
    return [
        Card(_("Callbacks owed"), up_to(rows), href=address, colour="warn" if late else "quiet"),
        Card(_("Oldest owed callback"), age, href=address, colour="bad" if late else "good"),
    ]


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
            cells.link(WebhookEndpoint, endpoint.pk, endpoint.url),
            cells.state(endpoint),
            endpoint.account.name,
            cells.when(endpoint.failing_since),
            endpoint.consecutive_failures,
        ]
        for endpoint in endpoints
    ]
    headers = [_("Endpoint"), _("State"), _("Account"), _("Failing since"), _("In a row")]
    return [Table(headers, rows, title=_("Endpoints that need a look"), empty=_("Every endpoint takes its callbacks."))]
