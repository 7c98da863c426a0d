"""Flows one at a time over connections to PostgreSQL that are counted, on a stack of its own."""

import contextlib
import time
from collections import Counter
from urllib.parse import quote, urlencode

from django.db import connection

from bench.flows import stack
from bench.flows.counting import Counting
from bench.flows.measurement import EVENT, Measurement
from config.demo import supervisor

STEPS = 4


def run(m: Measurement, count: int) -> None:
    """Mean statements of each step of so many flows, and of the worker."""
    with contextlib.ExitStack() as opened:
        database = connection.settings_dict
        where = (database["HOST"] or "/var/run/postgresql", int(database["PORT"] or 5432))
        ways = {name: opened.enter_context(Counting(*where)) for name in supervisor.service(m.port)}
        addresses = {name: through(database, way.port) for name, way in ways.items()}
        opened.enter_context(m.tenant.called(EVENT, m.receiver.url))
        opened.enter_context(stack.running(m.port, 1, addresses))
        told = m.driver.ask("flows", concurrency=1, seconds=0, count=count)
        m.errors(told)
        m.callbacks(told["finished"])
        web, worker = ways["web server"].counts, ways["worker"].counts
        steps: dict[str, Counter] = {}
        before = Counter(worker)
        for _ in range(count * STEPS):
            seen = Counter(web)
            step = m.driver.ask("step")["step"]
            time.sleep(0.2)
            steps.setdefault(step, Counter()).update(Counter(web) - seen)
        m.say("")
        m.say(f"counted over the wire, one flow at a time, mean of {count}:")
        for step, counts in steps.items():
            m.say(f"  {step:<13} {_statements(counts, count)}")
        m.say(f"  {'web server':<13} {_statements(sum(steps.values(), Counter()), count)}")
        m.say(f"  {'worker':<13} {_statements(Counter(worker) - before, count)}, sweeps among them")


def through(database: dict, port: int) -> str:
    """The DATABASE_URL of the same database by way of a port of this machine."""
    options = {name: value for name, value in database["OPTIONS"].items() if isinstance(value, str)}
    query = urlencode(options | {"sslmode": "disable", "gssencmode": "disable"})
    who = f"{quote(database['USER'], safe='')}:{quote(database['PASSWORD'], safe='')}"
    return f"postgresql://{who}@127.0.0.1:{port}/{quote(database['NAME'], safe='')}?{query}"


def _statements(counts, flows):
    each = {name: n / flows for name, n in sorted(counts.items())}
    statements = each.get("reads", 0) + each.get("writes", 0)
    return f"{statements:5.1f} statements: " + ", ".join(f"{value:.1f} {name}" for name, value in each.items())
