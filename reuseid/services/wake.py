"""Wake a Celery task by name once the transaction is committed, however often it is asked for in it.

The row is the memory: a broker that is down only delays the work until the next sweep, so it never fails the caller,
and costs it one short try each REST seconds.
"""

import logging
import threading
import time
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from reuseid.services import standby

log = logging.getLogger(__name__)

REST = 5  # seconds without a further try once the broker was not reached
EXPIRES = 30  # seconds after which nobody needs the wake-up: the sweep has come by

_resting = {"until": 0.0}


class _Asked(threading.local):
    """What this thread's transaction asked for and is not sent yet; one that was rolled back leaves it to the next."""

    def __init__(self):
        self.wakes = set()


_asked = _Asked()


def wake(task: str, *, queue: str | None = None) -> None:
    """Send the task of this name after commit, once; a broker that is away is only logged."""
    _asked.wakes.add((task, queue))
    transaction.on_commit(partial(_send_once, task, queue), robust=True)


def _send_once(task, queue):
    # The first hook of a commit sends; those of savepoints that were rolled back are not called at all.
    if (task, queue) in _asked.wakes:
        _asked.wakes.discard((task, queue))
        send(task, queue=queue)


def send(task: str, *, queue: str | None = None) -> None:
    """Send it now, unless its runner is there to be told: never within a transaction."""
    if task in standby.WORK and not standby.tell(task):
        return
    if time.monotonic() < _resting["until"]:
        return
    try:
        current_app.send_task(task, queue=queue, retry=False, ignore_result=True, expires=EXPIRES)
    except (OperationalError, OSError) as error:
        _resting["until"] = time.monotonic() + REST
        log.warning("The broker is not reached; %s runs at the next sweep. %s", task, type(error).__name__)
