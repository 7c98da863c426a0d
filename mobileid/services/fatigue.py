"""Against push fatigue: a person who leaves requests unanswered is left alone for a while."""

import math
from datetime import timedelta
from typing import Any

from django.db.models import DateTimeField, Q, QuerySet
from django.db.models.functions import Coalesce, Now

from mobileid.errors import UserCooldown
from mobileid.models import Operation
from mobileid.models.operations import OPEN
from reuseid.models import User
from reuseid.models.deadlines import OVERDUE

TOLERATED = 5
COOLDOWN = timedelta(minutes=15)
SUPERSEDED = "SUPERSEDED"

Status = Operation.Status
_UNWANTED = (
    Q(status__in=[Status.EXPIRED, Status.REJECTED])
    | Q(status=Status.CANCELED, failure_reason=SUPERSEDED)
    | Q(status__in=OPEN, **OVERDUE)
)


def newest_end(user: Any) -> QuerySet[Operation]:
    """The status of the newest of a person's operations that count here: while that is COMPLETED nobody need look."""
    return _counted(user).order_by("-created_at", "-pk").values("status")[:1]


def _counted(user):
    counted = Operation.objects.filter(user=user).exclude(type=Operation.Type.REGISTRATION)
    return counted.filter(_UNWANTED | Q(status=Status.COMPLETED))


def check_cooldown(user: User) -> None:
    """Raise UserCooldown when more than five operations in a row expired, were rejected or superseded unanswered.

    A completed one ends the row; one that was cancelled or failed otherwise is no part of it. The cool-down is over 15
    minutes after the last of them ended: then one more is let through, and counts again.
    """
    row = list(
        _counted(user)
        .annotate(
            over=Coalesce("ended_at", "expires_at", output_field=DateTimeField()),
            now=Now(),
        )
        .order_by("-created_at", "-pk")
        .values_list("status", "over", "now")[: TOLERATED + 1]
    )
    if len(row) <= TOLERATED or any(status == Status.COMPLETED for status, _over, _now in row):
        return
    left = max(over for _status, over, _now in row) + COOLDOWN - row[0][2]
    if left > timedelta(0):
        raise UserCooldown("Bind the operation by NUMBER or QR, or wait.", retry_after=math.ceil(left.total_seconds()))
