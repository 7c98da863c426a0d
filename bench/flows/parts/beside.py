"""Flows at a rate beside callers who wait at the same web server: how both fare."""

import asyncio
import contextlib
import time

from django.db import connections

from bench import crowd
from bench.flows import report
from bench.flows.measurement import EVENT, Measurement
from bench.flows.parts import complete
from reuseid.ingress import server

PER_CLIENT = 1500
"""Waiting callers of one API client: fewer than WAITING_CLIENT_LIMIT lets in."""
PER_OPERATION = 10
"""Streams of one operation: QR_STREAM_LIMIT."""
MOST_CALLERS = 64


def run(m: Measurement) -> None:
    """Those who wait alone, then with the flows beside them, then how those who wait fared."""
    waiters, streams = m.options["waiting"], m.options["streams"]
    address = f"http://127.0.0.1:{m.port}"
    tenants = [crowd.Tenant(address, streams, PER_OPERATION) for _ in range(-(-waiters // PER_CLIENT) or 1)]
    connections.close_all()
    for tenant in tenants:
        tenant.sign_in()
    server.open_files()
    asyncio.run(_load(m, crowd.Crowd(tenants, m.port), waiters, streams))


async def _load(m, waiting, waiters, streams):
    async with waiting.gathered(waiters, streams):
        m.say("")
        m.say(f"{waiters} long polls and {streams} QR streams: {waiting.waiting} wait; {m.memory()}")
        window = await asyncio.to_thread(_alone, m)
        per_second = {name: seconds / window.lasted for name, seconds in window.spent.items()}
        m.say(f"  alone, a second: CPU {report.each(per_second, 1)}")
        waiting.probes.clear()
        if m.options["flows_rate"]:
            await asyncio.to_thread(_flows, m, per_second)
        m.say(f"  {waiting.waiting} wait at the end; {m.memory()}")
        await waiting.disperse()
    for label, found in waiting.figures().items():
        m.say(f"  {label:<26} " + "  ".join(f"{name} {value}" for name, value in found.items()))


def _alone(m):
    with m.window() as window:
        time.sleep(m.options["idle_seconds"])
    return window


def _flows(m, per_second):
    rate, seconds = m.options["flows_rate"], m.options["seconds"]
    callers = min(MOST_CALLERS, m.options["phones"])
    called = m.options["webhook"] is not False
    with m.tenant.called(EVENT, m.receiver.url) if called else contextlib.nullcontext(), m.window() as window:
        told = m.driver.ask("flows", concurrency=callers, seconds=seconds, rate=rate)
        came = m.callbacks(told["finished"]) if called else {}
    count = len(told["times"])
    m.say(
        f"  beside them {rate:g} flows a second for {seconds:g} s, {'with' if called else 'without'} webhook, each "
        f"timed from when it was due: {count} done, {count / (told['ended'] - told['began']):.1f}/s"
    )
    for name, alone in per_second.items():
        window.spent[name] -= alone * window.lasted
    m.say("  without what those who wait cost alone:")
    complete.tell(m, told, came, window)
    m.say_others(window)
