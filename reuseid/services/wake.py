"""Wake a Celery task by name once the transaction is committed.

The row is the memory: a broker that is down only delays the work until the next sweep, so it never fails the caller,
and costs it one short try each REST seconds.
"""

import logging
import time
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = logging.getLogger(__name__)

REST = 5  # seconds without a further try once the broker was not reached
EXPIRES = 30  # seconds after which nobody needs the wake-up: the sweep has come by

_resting = {"until": 0.0}


def wake(task: str, *args: object, queue: str | None = None) -> None:
    """Send the task of this name after commit, with plain ids as arguments; a broker that is away is only logged."""
    transaction.on_commit(partial(_send, task, args, queue), robust=True)


def _send(task, args, queue):
    if time.monotonic() < _resting["until"]:
        return
    try:
        current_app.send_task(task, args=args, queue=queue, retry=False, ignore_result=True, expires=EXPIRES)
    except (OperationalError, OSError) as error:
        _resting["until"] = time.monotonic() + REST
        log.warning("The broker is not reached; %s runs at the next sweep. %s", task, type(error).__name__)
