"""``manage.py bench_flows``: what a complete authentication costs: CPU of every process, statements, connections, time.

Starts a stack of its own on this machine, on the configured PostgreSQL and Redis. What it makes stays in the database:
take one that is thrown away. docs/benchmarks.md says what its lines mean.
"""

import contextlib
import os
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from urllib.parse import quote, urlencode

import django
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from bench import receiver
from bench.flows import postgresql, report, stack
from bench.flows.counting import Counting
from bench.load import memory_of
from config.demo import supervisor
from mobileid.services import applications
from reuseid.actors import SYSTEM
from reuseid.event_scopes import READING
from reuseid.services import accounts, clients
from reuseid.services.people import users
from reuseid.services.webhooks import endpoints

EVENT = "authentication.completed"
IDLE_SECONDS = 12
COUNTED = 10
"""Flows of the counted run."""


class Command(BaseCommand):
    """Figures; nothing is asserted. Linux only, since CPU times are read from /proc."""

    help = "Measure complete authentications on a stack of its own: CPU of each process, time, statements, connections."

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 8, 32], help="Flows at once (1 8 32).")
        parser.add_argument("--seconds", type=float, default=30, help="Of each run (30).")
        parser.add_argument("--phones", type=int, default=240, help="Registered before the first run (240).")
        parser.add_argument("--workers", type=int, default=2, help="Workers of the web server (2).")
        parser.add_argument(
            "--webhook", action="store_true", default=None, help="Only with a callback; --no-webhook: only without."
        )
        parser.add_argument("--no-webhook", action="store_false", dest="webhook", help="Only without; both if neither.")
        parser.add_argument("--floor-seconds", type=float, default=5, help="Of each run of the bare view; 0: none (5).")
        parser.add_argument("--no-counted", action="store_true", help="Leave out the counted run.")
        parser.add_argument("--yes", action="store_true", help="This database may be filled with made-up operations.")

    def handle(self, *args, yes, **options):
        """Seed, start, load, print."""
        _refuse(yes, options)
        self._options = options
        self._say(f"load average {', '.join(f'{load:.2f}' for load in os.getloadavg())}; {_versions()}")
        call_command("migrate", verbosity=0)
        self._port = supervisor.free_port()
        self._tenant = _Tenant(f"http://127.0.0.1:{self._port}", options["phones"])
        self._redis = stack.Redis()
        with contextlib.ExitStack() as opened:
            opened.enter_context(supervisor.stopping_on_signals())
            self._receiver = opened.enter_context(receiver.running())
            self._driver = opened.enter_context(stack.Driver())
            self._postgres = opened.enter_context(postgresql.Watch())
            self._driver.ask("begin", port=self._port, **self._tenant.login)
            connections.close_all()
            with stack.running(self._port, options["workers"]) as self._stack:
                self._measure()
            if not options["no_counted"]:
                self._count()

    def _measure(self):
        self._say(f"start-up: the web server answered after {self._stack.start_up:.2f} s of CPU; {self._memory()}")
        self._register()
        self._warm_up()
        self._say(f"after warming up: {self._memory()}")
        self._idle()
        self._floor("floor before")
        wanted = self._options["webhook"]
        for webhook in [True, False] if wanted is None else [wanted]:
            with self._tenant.called(self._receiver.url) if webhook else contextlib.nullcontext():
                for concurrency in self._options["concurrency"]:
                    self._flows(concurrency, webhook)
        self._floor("floor after")
        self._say(f"at the end: {self._memory()}")

    def _register(self):
        before, people = self._cpu(), self._tenant.people
        told = self._driver.ask("register", users=people, concurrency=8)
        self._errors(told)
        if not told["times"]:
            raise CommandError("No phone could be registered.")
        self._say(f"registered {len(told['times'])} phones; each {self._spent(before, len(told['times']))}")

    def _warm_up(self):
        """Until the worker sends and every process has done each thing a few times."""
        with self._tenant.called(self._receiver.url):
            told = self._driver.ask("flows", concurrency=8, seconds=0, count=10)
            self._errors(told)
            self._wait_for_callbacks(told)

    def _idle(self):
        """What the stack does by itself: its counters are taken off those of the flows, its CPU is not."""
        time.sleep(postgresql.SETTLE_SECONDS)
        began, before, counted = time.monotonic(), self._cpu(), self._counters()
        time.sleep(IDLE_SECONDS)
        lasted = time.monotonic() - began
        self._rates = {name: n / lasted for name, n in report.difference(counted, self._counters()).items()}
        self._began_counting = time.monotonic()
        spent = {name: seconds / lasted for name, seconds in report.difference(before, self._cpu()).items()}
        self._say(f"idle, a second: CPU {report.each(spent, 1)}; {_counts(self._rates)}")

    def _floor(self, label):
        if not self._options["floor_seconds"]:
            return
        before = self._cpu()
        told = self._driver.ask("floor", concurrency=8, seconds=self._options["floor_seconds"])
        count = len(told["times"])
        self._errors(told)
        self._floor_total = sum(report.difference(before, self._cpu()).values()) * 1000 / max(count, 1)
        rate = count / (told["ended"] - told["began"])
        self._say(f"{label}: a request {self._spent(before, count)}; {rate:.0f}/s  {report.percentiles(told['times'])}")

    def _flows(self, concurrency, webhook):
        time.sleep(postgresql.SETTLE_SECONDS)
        counted, began = self._counters(), time.monotonic()
        before, others = self._cpu(), self._others()
        told = self._driver.ask(
            "flows",
            lambda: self._say(f"  {time.monotonic() - began:.0f} s: {self._memory()}"),
            concurrency=concurrency,
            seconds=self._options["seconds"],
        )
        late = self._wait_for_callbacks(told) if webhook else {}
        spent = report.difference(before, self._cpu())
        over = max([told["ended"], *late.values()])
        others = self._others() - others
        time.sleep(postgresql.SETTLE_SECONDS)
        lasted = time.monotonic() - began
        added = report.difference(counted, self._counters())
        self._say("")
        count = len(told["times"])
        self._say(
            f"c={concurrency} {'with' if webhook else 'without'} webhook: {count / (over - told['began']):.1f} flows/s "
            f"({count} in {over - told['began']:.1f} s); load generator {told['cpu'] * 1000 / max(count, 1):.2f} ms"
        )
        self._errors(told)
        self._say(f"  CPU a flow: {report.each(spent, count)}{self._ratio(spent, count)}")
        for step, times in told["steps"].items():
            self._say(f"  {step:<13} {report.percentiles(times)}")
        self._say(f"  {'flow':<13} {report.percentiles(told['times'])}")
        if webhook:
            waits = [at - told["finished"][operation] for operation, at in late.items()]
            self._say(f"  {'callback':<13} {report.percentiles(waits)}, from the finish's answer; {len(waits)} came")
        mine = {name: max(n - self._rates[name] * lasted, 0) / max(count, 1) for name, n in added.items()}
        self._say(f"  a flow: {_counts(mine)}")
        self._say(f"  {self._memory()}; other databases of this server meanwhile: {others:.2f} s of CPU")

    def _ratio(self, spent, count):
        floor = getattr(self, "_floor_total", 0)
        return f"; {sum(spent.values()) * 1000 / max(count, 1) / floor:.1f} floors" if floor else ""

    def _wait_for_callbacks(self, told):
        """When each came, by operation."""
        expected, seen = told["finished"].keys(), {}

        def all_there():
            seen.update(self._receiver.receipts())
            time.sleep(0.2)
            return expected <= seen.keys()

        if not stack.wait_for(all_there, stack.PATIENCE):
            self._say(f"  {len(expected - seen.keys())} callbacks did not come within {stack.PATIENCE} s")
        return {operation: at for operation, at in seen.items() if operation in expected}

    def _count(self):
        """The same flows, one at a time, over connections to PostgreSQL that are counted."""
        with contextlib.ExitStack() as opened:
            database = connection.settings_dict
            where = (database["HOST"] or "/var/run/postgresql", int(database["PORT"] or 5432))
            ways = {name: opened.enter_context(Counting(*where)) for name in supervisor.service(self._port)}
            addresses = {name: _through(database, way.port) for name, way in ways.items()}
            opened.enter_context(self._tenant.called(self._receiver.url))
            opened.enter_context(stack.running(self._port, 1, addresses))
            told = self._driver.ask("flows", concurrency=1, seconds=0, count=COUNTED)
            self._errors(told)
            self._wait_for_callbacks(told)
            web, worker = ways["web server"].counts, ways["worker"].counts
            steps: dict[str, Counter] = {}
            before = Counter(worker)
            for _ in range(COUNTED * 4):
                seen = Counter(web)
                step = self._driver.ask("step")["step"]
                time.sleep(0.2)
                steps.setdefault(step, Counter()).update(Counter(web) - seen)
            self._say("")
            self._say(f"counted over the wire, one flow at a time, mean of {COUNTED}:")
            for step, counts in steps.items():
                self._say(f"  {step:<13} {_statements(counts)}")
            self._say(f"  {'web server':<13} {_statements(sum(steps.values(), Counter()))}")
            self._say(f"  {'worker':<13} {_statements(Counter(worker) - before)}, sweeps among them")

    def _cpu(self):
        found, postgres = self._stack.cpu(), self._postgres.cpu()
        found = {"web": found["web server"], "worker": found["worker"], "beat": found["beat"]}
        if postgres:
            found |= {"postgresql": postgres["backends"], "postgresql server": postgres["server"]}
        return found | {"redis": self._redis.cpu()}

    def _others(self):
        return self._postgres.cpu().get("others", 0.0)

    def _counters(self):
        return postgresql.counters() | self._redis.counters()

    def _spent(self, before, count):
        return report.each(report.difference(before, self._cpu()), count)

    def _memory(self):
        found = [memory_of(pid) for pid in self._stack.web_workers()]
        return "web workers RSS/PSS MiB " + " ".join(f"{rss:.0f}/{pss:.0f}" for rss, pss in found)

    def _errors(self, told):
        for error, count in told["errors"].items():
            self._say(f"  {count} errors: {error}")

    def _say(self, text):
        self.stdout.write(text)
        self.stdout.flush()


class _Tenant:
    """An account with a client, an application and people."""

    def __init__(self, address, count):
        name = f"Bench {uuid.uuid4()}"
        self._account = accounts.create(name, actor=SYSTEM)
        client, secret = clients.create(self._account, name=name, actor=SYSTEM)
        application = applications.create_application(self._account, name=name[:50], server=address, actor=SYSTEM)
        self.people = [str(users.create(self._account, actor=SYSTEM).pk) for _ in range(count)]
        self.login = {
            "client_id": client.client_id,
            "secret": secret,
            "application": applications.configuration(application),
        }

    @contextlib.contextmanager
    def called(self, url) -> Iterator[None]:
        """While it lasts, the event of the flow is owed to this address."""
        endpoint = endpoints.create(self._account, url=url, actor=SYSTEM, event_types=[EVENT], scopes=READING)
        connections.close_all()
        try:
            yield
        finally:
            endpoints.delete(endpoint, actor=SYSTEM)
            connections.close_all()


def _refuse(yes, options):
    if settings.PRODUCTION or not yes:
        raise CommandError("It fills the database with made-up operations: say --yes, and not in production.")
    if connection.vendor != "postgresql":
        raise CommandError("It needs PostgreSQL, as production does: set DATABASE_URL.")
    if not settings.REDIS_URL:
        raise CommandError("It needs Redis, as production does: set REDIS_URL.")
    if sys.platform != "linux":
        raise CommandError("It reads CPU times from /proc: Linux only.")
    if options["phones"] < max(options["concurrency"]):
        raise CommandError("--phones: each of the flows at once has phones of its own.")


def _versions():
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"],  # noqa: S607
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    ).stdout.strip()
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        version = cursor.fetchone()[0].split()[0]
    python = ".".join(map(str, sys.version_info[:3]))
    known = f"commit {commit or 'unknown'}, Python {python}, Django {django.__version__}, PostgreSQL {version}"
    return f"{known}, {os.cpu_count()} processors"


def _through(database, port):
    """The DATABASE_URL of the same database by way of a port of this machine."""
    options = {name: value for name, value in database["OPTIONS"].items() if isinstance(value, str)}
    query = urlencode(options | {"sslmode": "disable", "gssencmode": "disable"})
    who = f"{quote(database['USER'], safe='')}:{quote(database['PASSWORD'], safe='')}"
    return f"postgresql://{who}@127.0.0.1:{port}/{quote(database['NAME'], safe='')}?{query}"


def _counts(found):
    names = {
        "xact_commit": "transactions",
        "xact_rollback": "rollbacks",
        "tup_inserted": "rows inserted",
        "tup_updated": "updated",
        "tup_deleted": "deleted",
        "sessions": "new sessions",
        "commands_processed": "Redis commands",
        "connections_received": "Redis connections",
    }
    return ", ".join(f"{found[name]:.2f} {label}" for name, label in names.items())


def _statements(counts):
    each = {name: count / COUNTED for name, count in sorted(counts.items())}
    statements = each.get("reads", 0) + each.get("writes", 0)
    return f"{statements:5.1f} statements: " + ", ".join(f"{value:.1f} {name}" for name, value in each.items())
