"""The database's clock, stopped: what lies exactly on a deadline can't be met by waiting."""

import atexit
import sqlite3
from contextlib import contextmanager
from datetime import UTC
from functools import cache

from django.db import connection


@contextmanager
def stopped(moment):
    """Until the end of the block `Now()` is ``moment``; for tests inside a transaction."""
    stop, go_on = {"sqlite": (_stop_sqlite, _start_sqlite), "postgresql": (_stop_postgresql, _start_postgresql)}[
        connection.vendor
    ]
    stop(moment)
    try:
        yield
    finally:
        go_on()


def _stop_sqlite(moment):
    text = moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    connection.connection.create_function("STRFTIME", 2, lambda form, when: text)


def _start_sqlite():
    """A built-in function that was replaced does not come back: another connection's is asked instead."""
    other = _another()

    def strftime(form, when):
        return other.execute("SELECT STRFTIME(?, ?)", (form, when)).fetchone()[0]

    connection.connection.create_function("STRFTIME", 2, strftime)


@cache
def _another():
    """One for all, closed at the end: Python 3.13 warns of each that is forgotten."""
    other = sqlite3.connect(":memory:", check_same_thread=False)
    atexit.register(other.close)
    return other


def _stop_postgresql(moment):
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA IF NOT EXISTS stopped_clock")
        cursor.execute(
            "CREATE OR REPLACE FUNCTION stopped_clock.statement_timestamp() RETURNS timestamptz LANGUAGE sql "
            f"AS $$ SELECT '{moment.isoformat()}'::timestamptz $$"
        )
        cursor.execute("SET LOCAL search_path = stopped_clock, public, pg_catalog")


def _start_postgresql():
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL search_path TO DEFAULT")
