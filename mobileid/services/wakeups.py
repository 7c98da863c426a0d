"""Tells those who wait for an operation (`mobileid.waiting`) that it has changed.

By Redis where there is one; else by PostgreSQL's NOTIFY, which leaves with the commit. Where there is neither, waiters
look again by themselves. A lost wake-up costs a waiter some seconds, never an answer.
"""

import logging

import redis
from django.conf import settings
from django.db import connection, transaction

from mobileid.models import Operation
from reuseid.redis_connections import connections_to

log = logging.getLogger(__name__)

CHANNEL = "mobileid_operations"


class _Wake:
    """What one transaction owes: each operation that it changed, told once, all in one packet.

    One of a savepoint that was undone is told too: its waiters look in vain.
    """

    def __init__(self) -> None:
        self.operation_ids: set[str] = set()

    def __call__(self) -> None:
        told, self.operation_ids = self.operation_ids, set()
        try:
            connections_to(settings.REDIS_URL).ask(*(("PUBLISH", CHANNEL, one) for one in told))
        except (redis.RedisError, OSError) as error:
            log.warning("Waiters were not woken: %s.", type(error).__name__)


def operation_changed(operation: Operation) -> None:
    """Wake its waiters once the running transaction is committed."""
    if settings.REDIS_URL:
        # What is owed already can only be undone together with what is running now.
        owed = (act for _savepoints, act, _robust in connection.run_on_commit if isinstance(act, _Wake))
        wake = next(owed, None) or _Wake()
        is_new = not wake.operation_ids
        wake.operation_ids.add(str(operation.pk))
        if is_new:
            transaction.on_commit(wake, robust=True)
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(operation.pk)])
