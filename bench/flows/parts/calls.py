"""The calls beside a flow's own: what each costs, and how long it takes."""

from bench.flows import report
from bench.flows.measurement import Measurement, Window

_PAIR = ("start and cancel", "start, wait=1 and cancel")


def run(m: Measurement) -> None:
    """Each call at each concurrency, for so many seconds."""
    m.say("")
    m.say("calls, CPU of each with what the idle stack spends meanwhile:")
    totals: dict[tuple[str, int], float] = {}
    for name in m.driver.ask("calls")["names"]:
        if name == "pending":
            m.driver.ask("open_for_all")
        for concurrency in m.options["concurrency"]:
            with m.window() as window:
                told = m.driver.ask("call", name=name, concurrency=concurrency, seconds=m.options["calls"])
            totals[name, concurrency] = _total(window, len(told["times"]))
            _tell(m, f"{name} c={concurrency}", told, window)
            if told["heard"]:
                m.say(f"  {'its end heard':<32} {report.percentiles(told['heard'])}, from the cancel's sending")
                alone, with_status = (totals[each, concurrency] for each in _PAIR)
                m.say(f"  {'status with wait=1':<32} {with_status - alone:.2f} ms of CPU: the two lines' difference")


def _tell(m, label, told, window):
    count = len(told["times"])
    m.errors(told)
    m.say(f"  {label:<32} {report.percentiles(told['times'])}; {count} done")
    m.say_spent(f"  {'':<32} ", window, count)


def _total(window: Window, count: int) -> float:
    return sum(window.spent.values()) * 1000 / max(count, 1)
