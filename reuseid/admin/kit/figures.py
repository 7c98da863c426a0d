"""Figures of the first page."""

from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from reuseid.admin.kit import formatting
from reuseid.admin.kit.scope import account_ids

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
    """Midnight, in the reader's zone."""
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
        href=formatting.list_of(model, status="LOCKED", status_since_from=start.date().isoformat()),
    )
