"""Complete flows at some concurrency, for so long; the floor that they are compared with; the idle stack."""

import contextlib
import time

from django.core.management.base import CommandError

from bench.flows import report
from bench.flows.measurement import EVENT, Measurement

COUNT = 10
"""Flows of each caller before anything is measured."""


def begin(m: Measurement) -> None:
    """Register the phones, warm up until callbacks come, and watch the stack do nothing."""
    with m.window() as window:
        told = m.driver.ask("register", users=m.tenant.people, concurrency=m.callers)
    m.errors(told)
    count = len(told["times"])
    if not count:
        raise CommandError("No phone could be registered.")
    m.say_spent(f"registered {count} phones: each ", window, count)
    with m.tenant.called(EVENT, m.receiver.url):
        told = m.driver.ask("flows", concurrency=m.callers, seconds=0, count=COUNT)
        m.errors(told)
        m.callbacks(told["finished"])
    m.say(f"after warming up: {m.memory()}")
    seconds = m.options["idle_seconds"]
    with m.window(counted=True) as window:
        time.sleep(seconds)
    m.rates = {name: n / window.lasted for name, n in window.added.items()}
    spent = {name: n / max(seconds, 1) for name, n in window.spent.items()}
    m.say(f"idle, a second: CPU {report.each(spent, 1)}; {report.counts(m.rates)}")
    m.say_others(window)


def floor(m: Measurement, label: str) -> None:
    """The bare view."""
    if not m.options["floor_seconds"]:
        return
    m.floor_ms = 0.0
    with m.window() as window:
        told = m.driver.ask("floor", concurrency=m.callers, seconds=m.options["floor_seconds"])
    count = len(told["times"])
    m.errors(told)
    rate = count / (told["ended"] - told["began"])
    m.say_spent(f"{label}: {rate:.0f}/s, {report.percentiles(told['times'])}; a request ", window, count)
    m.floor_ms = sum(window.spent.values()) * 1000 / max(count, 1)


def run(m: Measurement) -> None:
    """Each concurrency with a callback, then without; or what was asked for."""
    wanted = m.options["webhook"]
    for webhook in [True, False] if wanted is None else [wanted]:
        for concurrency in m.options["concurrency"]:
            flows(m, concurrency, m.options["seconds"], webhook)


def long(m: Measurement) -> None:
    """The first concurrency for minutes, with memory each minute and what it grew by."""
    samples: list[tuple[float, float, float]] = []
    began = time.monotonic()

    def look():
        at = time.monotonic() - began
        samples.append((at, *m.memory_of_all([*m.stack.web_workers(), *m.stack.worker()])))
        m.say(f"  {at:.0f} s: {m.memory()}")

    look()
    flows(m, m.options["concurrency"][0], m.options["minutes"] * 60, m.options["webhook"] is not False, look)
    look()
    rss, pss = (report.slope([(sample[0], sample[which]) for sample in samples]) for which in (1, 2))
    m.say(f"memory's slope, all of them together, over the later half: RSS {rss:+.2f}, PSS {pss:+.2f} MiB a minute")


def flows(m: Measurement, concurrency: int, seconds: float, webhook: bool, each_minute=None) -> None:
    """One run, and its lines."""
    called = m.tenant.called(EVENT, m.receiver.url) if webhook else contextlib.nullcontext()
    with called, m.window(counted=True) as window:
        told = m.driver.ask("flows", each_minute, concurrency=concurrency, seconds=seconds)
        came = m.callbacks(told["finished"]) if webhook else {}
    over = max([told["ended"], *came.values()])
    count, lasted = len(told["times"]), over - told["began"]
    m.say("")
    m.say(
        f"c={concurrency} {'with' if webhook else 'without'} webhook: {count / lasted:.1f} flows/s "
        f"({count} in {lasted:.1f} s); load generator {told['cpu'] * 1000 / max(count, 1):.2f} ms"
    )
    tell(m, told, came, window)
    m.say(f"  a flow: {m.counts(window, count)}")
    m.say(f"  {m.memory()}")
    m.say_others(window)


def tell(m: Measurement, told, came, window) -> None:
    """What flows cost and how long they took, by step."""
    m.errors(told)
    m.say_spent("  CPU a flow: ", window, len(told["times"]))
    for step, times in told["steps"].items():
        m.say(f"  {step:<13} {report.percentiles(times)}")
    m.say(f"  {'flow':<13} {report.percentiles(told['times'])}")
    if came:
        waits = [at - told["finished"][operation] for operation, at in came.items()]
        m.say(f"  {'callback':<13} {report.percentiles(waits)}, from the finish's answer; {len(waits)} came")
