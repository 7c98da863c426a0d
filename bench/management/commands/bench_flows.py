"""``manage.py bench_flows``: what a complete authentication costs: CPU of every process, statements, connections, time.

Starts a stack of its own on this machine, on the configured PostgreSQL and Redis. What it makes stays in the database:
take one that is thrown away. docs/benchmarks.md says what its lines mean.
"""

import contextlib
import os
import subprocess
import sys

import django
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections

from bench import receiver
from bench.flows import postgresql, stack
from bench.flows.measurement import Measurement
from bench.flows.parts import beside, callbacks, calls, complete, counted
from bench.flows.redis_server import RedisServer
from bench.flows.tenant import Tenant
from config.demo import supervisor


class Command(BaseCommand):
    """Figures; nothing is asserted. Linux only, since CPU times are read from /proc."""

    help = (
        "Measure complete authentications on a stack of its own: CPU of each process, time, statements, connections. "
        "--calls, --callbacks, --waiting, --streams, --flows-rate and --minutes measure what they name instead."
    )

    def add_arguments(self, parser):
        """See --help."""
        add, whole = parser.add_argument, {"type": int, "default": 0}
        add("--concurrency", type=int, nargs="+", default=[1, 8, 32], help="Flows, or calls, at once (1 8 32).")
        add("--seconds", type=float, default=30, help="Of each run (30).")
        add("--phones", type=int, default=240, help="Registered before the first run (240).")
        add("--workers", type=int, default=2, help="Workers of the web server (2).")
        add("--webhook", action="store_true", default=None, help="Only with a callback; both unless given.")
        add("--no-webhook", action="store_false", dest="webhook", help="Only without.")
        add("--calls", type=float, nargs="?", const=5, default=0, help="The other calls, each for so many seconds (5).")
        add("--callbacks", **whole, help="So many events, each owed by a transaction of its own.")
        add("--callbacks-rate", type=float, default=0, help="So many of them a second; else as fast as it goes.")
        add("--hanging", **whole, help="And once more beside so many endpoints that hang.")
        add("--waiting", **whole, help="Long polls, each begun anew when answered.")
        add("--streams", **whole, help="QR streams, ten of an operation; they end after ten minutes.")
        add("--flows-rate", type=float, default=0, help="Flows a second beside those who wait, for --seconds.")
        add("--minutes", type=float, default=0, help="The first concurrency for so long, with memory each minute.")
        add("--floor-seconds", type=float, default=5, help="Of each run of the bare view; 0: none (5).")
        add("--idle-seconds", type=float, default=12, help="For which the idle stack, or who waits, is watched (12).")
        settle = postgresql.SETTLE_SECONDS
        add("--settle-seconds", type=float, default=settle, help=f"Before counters are read, to be exact ({settle}).")
        add("--counted", type=int, help="Flows whose statements are counted (10; 0 beside what is asked for by name).")
        add("--yes", action="store_true", help="This database may be filled with made-up operations.")

    def handle(self, *args, yes, **options):
        """Seed, start, load, print."""
        _refuse(yes, options)
        self._say(f"load average {', '.join(f'{load:.2f}' for load in os.getloadavg())}; {_versions()}")
        call_command("migrate", verbosity=0)
        port = supervisor.free_port()
        tenant = Tenant(f"http://127.0.0.1:{port}", options["phones"])
        with contextlib.ExitStack() as opened:
            opened.enter_context(supervisor.stopping_on_signals())
            received = opened.enter_context(receiver.running())
            driver = opened.enter_context(stack.Driver())
            watch = opened.enter_context(postgresql.Watch())
            m = Measurement(options, port, tenant, received, driver, watch, RedisServer(), self._say)
            driver.ask("begin", port=port, **tenant.login)
            connections.close_all()
            parts = _parts(options)
            with stack.running(port, options["workers"]) as m.stack:
                _measure(m, parts or [complete.run])
            if count := options["counted"] if options["counted"] is not None else 0 if parts else 10:
                counted.run(m, count)

    def _say(self, text):
        self.stdout.write(text)
        self.stdout.flush()


def _parts(options):
    """What was asked for by name, in the order of measuring."""
    named = {
        calls.run: options["calls"],
        callbacks.run: options["callbacks"],
        beside.run: options["waiting"] or options["streams"] or options["flows_rate"],
        complete.long: options["minutes"],
    }
    return [part for part, wanted in named.items() if wanted]


def _measure(m, parts):
    m.say(f"start-up: the web server answered after {m.stack.start_up:.2f} s of CPU; {m.memory()}")
    complete.begin(m)
    complete.floor(m, "floor before")
    for part in parts:
        part(m)
    complete.floor(m, "floor after")
    m.say(f"at the end: {m.memory()}")


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
