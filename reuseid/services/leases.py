"""Owed work that one worker does at a time, in turns of accounts, under a lease that a worker who dies lets run out.

The rows have ``created_at`` and ``lease_until``. A lease only keeps rivals from working in vain: that nothing is done
twice is each step's own transaction, with the row's lock and `move`.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from reuseid import tracing
from reuseid.services import sweeping

SECONDS = 40  # of one task; what is left is the next one's
TURN = 5  # seconds until another account's row has its turn


def work_off(
    owed: QuerySet, step: Callable[[UUID], bool], *, lease: timedelta, trace: str, seconds: float = SECONDS
) -> bool:
    """Call ``step(id)`` for each of the ``owed`` that is nobody's until it gives False; it prolongs the lease itself.

    True when none is left, False when the time was over. The lines of a row have the trace id ``trace-id``.
    """
    end = time.monotonic() + seconds
    while (pk := claim(owed, lease)) is not None:
        with tracing.within(f"{trace}-{pk}"):
            until = min(time.monotonic() + TURN, end)
            while more := step(pk):
                if time.monotonic() > until:
                    break
        if more:
            owed.filter(pk=pk).update(lease_until=None)
            if time.monotonic() > end:
                return False
    return True


def claim(owed: QuerySet, lease: timedelta) -> UUID | None:
    """The id of one that is owed and nobody's: an account's oldest, whichever account's turn chance makes it."""
    free = owed.filter(Q(lease_until=None) | Q(lease_until__lt=Now()))
    for row in sweeping.in_turn(sweeping.fresh(free).order_by("created_at"), 10):
        if free.filter(pk=row.pk).update(lease_until=Now() + lease):
            return row.pk
    return None
