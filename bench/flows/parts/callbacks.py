"""Callbacks owed by transactions of their own: what each costs worker and PostgreSQL, and how soon it is received."""

import contextlib
import time
from concurrent.futures import ThreadPoolExecutor

from django.db import connection, transaction

from bench import receiver
from bench.flows import report
from bench.flows.measurement import Measurement
from bench.load import cpu_times
from reuseid.services.webhooks import outbox

EVENT = "user.updated"
DATA = {"padding": "x" * 500}


def run(m: Measurement) -> None:
    """To the receiver alone, then beside endpoints that hang where they are asked for."""
    with m.tenant.called(EVENT, m.receiver.url):
        _measure(m, 0)
    if hanging := m.options["hanging"]:
        with receiver.running("hang") as hangs, m.tenant.called(EVENT, m.receiver.url, *[hangs.url] * hanging):
            _measure(m, hanging)


def _measure(m, hanging):
    count, rate = m.options["callbacks"], m.options["callbacks_rate"]
    with m.window() as window:
        # A thread, for a connection that is used by nothing else: its work is not the callbacks'.
        with ThreadPoolExecutor(1) as thread:
            committed, owing = thread.submit(_owe, m.tenant.users, count, rate).result()
        came = m.callbacks(committed)
    if "postgresql" in window.spent:
        window.spent["postgresql"] -= owing
    waits = [at - committed[event] for event, at in came.items()]
    lasted = max(came.values(), default=time.monotonic()) - min(committed.values())
    m.say("")
    m.say(
        f"callbacks {f'beside {hanging} endpoints that hang' if hanging else 'alone'}, "
        f"{f'{rate:g} owed a second' if rate else 'owed as fast as it goes'}: {len(came) / lasted:.1f}/s "
        f"({len(came)} of {count} in {lasted:.1f} s); to owe one took {owing * 1000 / count:.2f} ms of postgresql"
    )
    m.say_spent("  CPU a callback, without that: ", window, len(came))
    m.say(f"  {'receipt':<13} {report.percentiles(waits)}, from the commit")
    m.say_others(window)


def _owe(users, count, rate):
    """When each event was committed, and CPU seconds of the session that did it, 0 where that may not be seen."""
    committed, at, owing = {}, [], 0.0
    began = time.monotonic()
    try:
        for number in range(count):
            if rate:
                time.sleep(max(began + number / rate - time.monotonic(), 0))
            with transaction.atomic():
                # Before the wake-up, which is said after the commit too.
                transaction.on_commit(lambda: at.append(time.monotonic()))
                event = outbox.owe(users[number % len(users)], EVENT, DATA)
            committed[str(event.id)] = at[-1]
        with connection.cursor() as cursor, contextlib.suppress(OSError):
            cursor.execute("SELECT pg_backend_pid()")
            owing = cpu_times(cursor.fetchone()[0])[0]
    finally:
        connection.close()
    return committed, owing
