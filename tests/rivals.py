"""Rivals: calls that start at the same moment, each in a thread with a connection of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from reuseid.errors import ServiceError


def race(*calls, refusals=ServiceError):
    """What each call returned, or the refusal that it raised, in their order; any other error fails the test."""
    barrier = threading.Barrier(len(calls))

    def run(call):
        try:
            barrier.wait()
            return call()
        except refusals as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
