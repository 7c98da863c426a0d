"""Tells those who wait for an operation (`mobileid.waiting`) that it has changed.

By Redis where there is one; else by PostgreSQL's NOTIFY, which leaves with the commit. Where there is neither, waiters
look again by themselves. A lost wake-up costs a waiter some seconds, never an answer.
"""

import logging
from functools import cache, partial

import redis
from django.conf import settings
from django.db import connection, transaction

from mobileid.models import Operation

log = logging.getLogger(__name__)

CHANNEL = "mobileid_operations"


@cache
def _redis():
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)


def operation_changed(operation: Operation) -> None:
    """Wake its waiters once the running transaction is committed."""
    if settings.REDIS_URL:
        transaction.on_commit(partial(_publish, str(operation.pk)), robust=True)
    elif connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, str(operation.pk)])


def _publish(operation_id):
    try:
        _redis().publish(CHANNEL, operation_id)
    except redis.RedisError as error:
        log.warning("Waiters were not woken: %s.", type(error).__name__)
