"""``manage.py bench_waiting``: how the web server fares with thousands of callers who wait.

Starts a web server of its own on a free port and stays on this machine. What it makes stays in the configured database:
take one that is thrown away.
"""

import asyncio
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from bench.crowd import LAST_SECONDS, PATIENCE, Crowd, Tenant
from bench.load import stats_of
from config.demo import supervisor
from reuseid.ingress import server


class Command(BaseCommand):
    """Figures for docs/operating.md; nothing is asserted."""

    help = "Open long polls and QR streams at a web server of this machine; print how they fare, /healthz and memory."

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument(
            "--waiters", type=int, default=5000, help="Long polls, each begun anew when answered (5000)."
        )
        parser.add_argument("--streams", type=int, default=50, help="QR streams (50).")
        parser.add_argument("--per-operation", type=int, default=10, help="Streams of one operation (10).")
        parser.add_argument("--silent", type=int, default=0, help="Connections that say nothing, begun anew (0).")
        parser.add_argument("--clients", type=int, default=4, help="API clients, each of an account of its own (4).")
        parser.add_argument("--workers", type=int, default=1, help="Workers of the web server (1).")
        parser.add_argument("--seconds", type=int, default=60, help="How long all of them stay; at most 600 (60).")
        parser.add_argument("--yes", action="store_true", help="This database may be filled with made-up operations.")

    def handle(self, *args, yes, **options):
        """Seed, start, load, print."""
        if not yes or settings.PRODUCTION:
            raise CommandError("It fills the database with made-up operations: say --yes, and not in production.")
        server.open_files()
        port, health = supervisor.free_port(), supervisor.free_port()
        address = f"http://127.0.0.1:{port}"
        self.stdout.write("Making operations …")
        tenants = [Tenant(address, options["streams"], options["per_operation"]) for _ in range(options["clients"])]
        connections.close_all()
        env = {"PORT": str(port), "PUBLIC_URL": address, "HEALTH_LISTEN": f"127.0.0.1:{health}"}
        with supervisor.stopping_on_signals(), supervisor.Supervisor(env) as running:
            log = settings.STATE_DIR / "log" / "bench.log"
            web = running.start("web server", server.command(port, workers=options["workers"]), log).process.pid
            if not running.wait(PATIENCE, lambda: supervisor.answers(port)):
                raise CommandError(f"The web server does not answer; its log: {log}")
            for tenant in tenants:
                tenant.sign_in()
            self._say("before", stats_of(web))
            asyncio.run(self._load(Crowd(tenants, port, health), options, web))

    async def _load(self, crowd, options, web):
        async with crowd.gathered(options["waiters"], options["streams"], options["silent"]):
            self._say("all there", stats_of(web) | {"waiting": crowd.waiting})
            cpu, begun = stats_of(web)["CPU s"], time.monotonic()
            await asyncio.sleep(max(min(options["seconds"], 600) - LAST_SECONDS, 0))
            spent = (stats_of(web)["CPU s"] - cpu) / (time.monotonic() - begun)
            self._say("at the end", stats_of(web) | {"waiting": crowd.waiting, "CPU": f"{spent:.0%}"})
            await crowd.disperse()
        for label, found in crowd.figures().items():
            self._say(label, found)

    def _say(self, label, found):
        self.stdout.write(f"{label:<26} " + "  ".join(f"{name} {value}" for name, value in found.items()))
        self.stdout.flush()
