"""Sweeps that the rows of one account can't hold up: the work is dealt in turn to accounts, what fails is passed over.

A row that fails (its seal does not open, say) would come first in every batch, for ever. It is logged, and this process
leaves it alone for a while.
"""

import logging
import random
import time
from collections.abc import Callable

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Exists, Model, OuterRef, QuerySet

from reuseid.errors import WrongState
from reuseid.models import Account

log = logging.getLogger(__name__)

LEFT_ALONE = 300  # seconds for which a row that failed is passed over
REMEMBERED = 2000  # such rows of one process
ROUNDS = 10

_failed: dict[tuple[str, object], float] = {}


def in_turn(rows: QuerySet, limit: int, *, lock: bool = False) -> list:
    """Up to ``limit`` of the ordered ``rows``, an equal share for each account that has some, rivals' rows skipped."""
    # One look for each account: to ask the rows whose they are would read all of them, for each batch anew.
    theirs = rows.order_by().filter(account_id=OuterRef("pk"))
    accounts = list(Account.objects.filter(Exists(theirs)).values_list("pk", flat=True))
    random.shuffle(accounts)
    if lock:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    found: list[Model] = []
    for number, account_id in enumerate(accounts):
        share = -(-(limit - len(found)) // (len(accounts) - number))
        found += rows.filter(account_id=account_id)[:share]
        if len(found) >= limit:
            break
    return found


def sweep(rows: QuerySet, step: Callable, *, limit: int, together: bool = False) -> int:
    """Call ``step(row)`` for up to ``limit`` rows in turn, each in a transaction of its own; how many it was done for.

    A step that returns False was not done; WrongState says that a rival was first. ``together``: the rows are locked
    and share one transaction, each with a savepoint.
    """
    for _ in range(ROUNDS):
        if together:
            with transaction.atomic():
                found = in_turn(fresh(rows), limit, lock=True)
                done = sum(_one(step, row) for row in found)
        else:
            found = in_turn(fresh(rows), limit)
            done = sum(_one(step, row) for row in found)
        if done or not found:
            return done
    return 0


def _one(step: Callable, row: Model) -> bool:
    try:
        with transaction.atomic():
            return step(row) is not False
    except WrongState:
        return False
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        pass_over(row)
        return False


def delete(rows: QuerySet, limit: int) -> int:
    """Delete up to ``limit`` of the ordered ``rows`` without walking the rest of them; how many there were.

    One statement where nothing goes with them. Twice at once: the second finds what is left.
    """
    _, counts = rows.model._base_manager.filter(pk__in=rows.values("pk")[:limit]).delete()
    return counts.get(rows.model._meta.label, 0)


def pass_over(row: Model) -> None:
    """Log the exception that is being handled, and leave the row alone for a while."""
    log.exception("%s %s can't be swept; it is tried again in %s s.", row._meta.label, row.pk, LEFT_ALONE)
    if len(_failed) >= REMEMBERED:
        _failed.pop(next(iter(_failed)), None)
    _failed[row._meta.label, row.pk] = time.monotonic() + LEFT_ALONE


def fresh(rows: QuerySet) -> QuerySet:
    """``rows`` without those that are left alone."""
    now, label = time.monotonic(), rows.model._meta.label
    for key in [key for key, until in list(_failed.items()) if until <= now]:
        _failed.pop(key, None)
    ids = [pk for name, pk in list(_failed) if name == label]
    return rows.exclude(pk__in=ids) if ids else rows
