"""Celery beat that may be started twice: only one schedules, the others stand by."""

import logging
import os
import socket
import time
from contextlib import suppress
from typing import Any

from celery.beat import Scheduler
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from reuseid.services import heartbeats

log = logging.getLogger(__name__)

EVERY = min(5.0, settings.BEAT_SILENCE / 4)  # seconds between two signs of life


class SingleScheduler(Scheduler):
    """Keeps the schedule in memory (it is in the settings) and the lock in the database.

    Two schedulers would do no harm, since every scheduled task is safe against its twin; they would do work twice.
    With the database away nothing is scheduled: every task of the schedule would need it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.holder = f"{socket.gethostname()}:{os.getpid()}:{time.time_ns()}"
        self._holds, self._asked = False, 0.0
        super().__init__(*args, **kwargs)

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Schedule what is due while the lock is ours; seconds until the next look."""
        if not self._hold():
            return EVERY
        return min(super().tick(*args, **kwargs), EVERY)

    def _hold(self):
        if time.monotonic() - self._asked < EVERY:
            return self._holds
        self._asked = time.monotonic()
        try:
            held = heartbeats.hold(heartbeats.BEAT, self.holder)
        except (DatabaseError, InterfaceError):
            log.warning("The database is not reached; nothing is scheduled.")
            connection.close()
            held = False
        if held != self._holds:
            log.info("This beat schedules." if held else "Another beat schedules; this one stands by.")
        self._holds = held
        return held

    def close(self) -> None:
        """Let the next beat begin at once."""
        with suppress(DatabaseError, InterfaceError):
            heartbeats.let_go(heartbeats.BEAT, self.holder)
        super().close()
