"""A stack with its load generator and its receiver, and the meters at all of them."""

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bench.flows import postgresql, report
from bench.flows.redis_server import RedisServer
from bench.flows.stack import PATIENCE, Driver, Stack, wait_for
from bench.flows.tenant import Tenant
from bench.load import memory_of
from bench.receiver import Receiver

CALLERS = 8
LAST_SECONDS = 0.5
"""In which the worker ends what it has begun."""
EVENT = "authentication.completed"


@dataclass
class Window:
    """Seconds of CPU by process group and counters that were added while something ran."""

    began: float
    spent: dict[str, float] = field(default_factory=dict)
    added: dict[str, float] = field(default_factory=dict)
    lasted: float = 0.0
    others: float = 0.0
    redis_others: int = 0


@dataclass
class Measurement:
    """What the parts measure with. ``options`` are the command's; ``stack`` runs while they do."""

    options: Mapping[str, Any]
    port: int
    tenant: Tenant
    receiver: Receiver
    driver: Driver
    postgres: postgresql.Watch
    redis: RedisServer
    say: Callable[[str], None]
    stack: Stack = field(init=False)
    rates: dict[str, float] = field(default_factory=dict)
    floor_ms: float = 0.0

    @property
    def callers(self) -> int:
        """At once, where a part does not say how many: each has phones of its own."""
        return min(CALLERS, self.options["phones"])

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far, by process group."""
        found, postgres = self.stack.cpu(), self.postgres.cpu()
        found = {"web": found["web server"], "worker": found["worker"], "beat": found["beat"]}
        if postgres:
            found |= {"postgresql": postgres["backends"], "postgresql server": postgres["server"]}
        return found | {"redis": self.redis.cpu()}

    def counters(self) -> dict[str, int]:
        """Of PostgreSQL and Redis, so far."""
        return postgresql.counters() | self.redis.counters()

    @contextlib.contextmanager
    def window(self, counted: bool = False) -> Iterator[Window]:
        """What is spent while the block runs; with ``counted`` the counters too, which takes their time to settle.

        CPU is read when the block ends, counters when every session has told them.
        """
        if counted:
            self.settle()
        window, counters = Window(time.monotonic()), self.counters() if counted else {}
        others, before = self._others(), self.cpu()
        yield window
        window.spent = report.difference(before, self.cpu())
        window.others = self._others() - others
        window.redis_others = self.redis.others(time.monotonic() - window.began)
        if counted:
            self.settle()
            window.added = report.difference(counters, self.counters())
        window.lasted = time.monotonic() - window.began

    def settle(self) -> None:
        """Wait until idle sessions have told their statistics."""
        time.sleep(self.options["settle_seconds"])

    def say_spent(self, label: str, window: Window, count: int) -> None:
        """A line: CPU of each, and how many floors that is."""
        total = sum(window.spent.values()) * 1000 / max(count, 1)
        floors = f"; {total / self.floor_ms:.1f} floors" if self.floor_ms else ""
        self.say(f"{label}{report.each(window.spent, count)}{floors}")

    def say_others(self, window: Window) -> None:
        """What the figures may hold that is not the stack's."""
        told = f"other databases of this server meanwhile: {window.others:.2f} s of CPU"
        if window.redis_others:
            told += f"; {window.redis_others} clients of other Redis databases, whose work is in Redis's figures"
        self.say(f"  {told}")

    def counts(self, window: Window, count: int) -> str:
        """Counters of each, without what the idle stack adds to them by itself."""
        return report.counts(
            {name: max(n - self.rates[name] * window.lasted, 0) / max(count, 1) for name, n in window.added.items()}
        )

    def memory(self) -> str:
        """Of the web server's workers, and of the worker with its processes."""
        told = " ".join("{:.0f}/{:.0f}".format(*memory_of(pid)) for pid in self.stack.web_workers())
        rss, pss = self.memory_of_all(self.stack.worker())
        return f"RSS/PSS MiB: web workers {told}, worker {rss:.0f}/{pss:.0f}"

    def memory_of_all(self, pids: Collection[int]) -> tuple[float, float]:
        """MiB resident and PSS; memory that several share is in the first once for each."""
        found = [memory_of(pid) for pid in pids]
        return sum(rss for rss, _pss in found), sum(pss for _rss, pss in found)

    def callbacks(self, expected: Collection[str]) -> dict[str, float]:
        """When each came, by event or operation, once the worker has nothing left to do; a line where some did not."""
        wanted, seen = set(expected), {}

        def all_there():
            seen.update(self.receiver.receipts())
            time.sleep(0.2)
            return wanted <= seen.keys()

        if not wait_for(all_there, PATIENCE):
            self.say(f"  {len(wanted - seen.keys())} callbacks did not come within {PATIENCE} s")
        self.drain()
        return {name: at for name, at in seen.items() if name in wanted}

    def drain(self) -> None:
        """Wait until the worker has done what it was woken for: that is work of those who woke it."""
        if not wait_for(lambda: not self.redis.tasks(), PATIENCE):
            self.say(f"  the broker still has {self.redis.tasks()} tasks after {PATIENCE} s")
        time.sleep(LAST_SECONDS)

    def errors(self, told: Mapping[str, Any]) -> None:
        """A line for each kind of error."""
        for error, count in told["errors"].items():
            self.say(f"  {count} errors: {error}")

    def _others(self) -> float:
        return self.postgres.cpu().get("others", 0.0)
