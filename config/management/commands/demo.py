"""``manage.py demo``: the whole service on this machine, and the main job played against it."""

import os
import sys
import time

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from config.demo import beside, play, seed, supervisor
from config.demo.integrator import Account
from config.demo.receiver import Receiver

READY_SECONDS = 120
COMMAND = ".venv/bin/python manage.py"


class Command(BaseCommand):
    """Starts web server, worker and beat as one, plays, and stays up until it is told to stop."""

    help = "Start the web server, a Celery worker and beat, and play the main job against them over HTTP."
    requires_migrations_checks = False

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument("--once", action="store_true", help="End after the play; non-zero if a step failed.")

    def handle(self, *args, once, **options):
        """0: played (--once) or stopped when asked; 1: a step failed or a process died; 130, 143: stopped before."""
        self._refuse_early()
        self.begun, self.played = time.perf_counter(), False
        try:
            with supervisor.stopping_on_signals(), beside.told(settings.STATE_DIR, settings.PORT):
                self._run(once)
        except supervisor.Died as death:
            raise CommandError(f"{death}\nEverything else was stopped.") from death
        except play.Failed as failure:
            logs = settings.STATE_DIR / "log"
            raise CommandError(f"{failure}\nThe logs: {logs}/. Everything was stopped.") from failure
        except supervisor.Stopped as stop:
            self.stdout.write("Stopped.")
            sys.exit(0 if self.played else 128 + stop.number)

    def _refuse_early(self):
        if settings.PRODUCTION:
            raise CommandError("The demo makes its own people and passwords: it is not for ENVIRONMENT=production.")
        if not supervisor.port_is_free(settings.PORT):
            other = f"PORT={settings.PORT + 1} make demo"
            raise CommandError(f"Port {settings.PORT} is in use: stop what uses it, or choose another: {other}")

    def _run(self, once):
        self._say("Preparing the database …")
        call_command("migrate", verbosity=0)
        (settings.STATE_DIR / "static").mkdir(exist_ok=True)
        seeded = seed.seed()
        connections.close_all()
        # Its colleagues sign in with the password that is printed; each may set up a second factor.
        factor = os.environ.get("SECOND_FACTOR", "offered")
        with supervisor.Supervisor({"PORT": str(settings.PORT), "SECOND_FACTOR": factor}) as running:
            for name, command in supervisor.service(settings.PORT).items():
                self._say(f"Starting the {name} …")
                running.start(name, command, settings.STATE_DIR / "log" / f"{name.split()[0]}.log")
            if not running.wait(READY_SECONDS, lambda: supervisor.answers(settings.PORT)):
                raise play.Failed(f"The web server did not answer within {READY_SECONDS} s.")
            self._play(running, Account.from_dict(seeded["account"]))
            if once:
                return
            self._tell(seeded)
            running.wait()

    def _play(self, running, account):
        self._say(f"Ready after {time.perf_counter() - self.begun:.1f} s. The play:")
        begun = time.perf_counter()
        try:
            with Receiver() as receiver:
                play.play(account, receiver, running.wait, self._step)
        except play.Failed:
            running.check()
            raise
        self.played = True
        self._say(f"Played in {time.perf_counter() - begun:.1f} s.")

    def _step(self, seconds, sentence, note):
        self._say(f"  {seconds:6.2f} s  {sentence}.{f'  ({note})' if note else ''}")

    def _tell(self, seeded):
        account, url = seeded["account"], settings.PUBLIC_URL
        rows = [
            ("Back office", f"{url}/admin/"),
            *((f"  as {name}", password) for name, password in seeded["staff"].items()),
            ("  people to find", "Lena Locked, paul.pending@example.com, +447700900109, …: why can't they sign in?"),
            ("REST API", f"{url}/api/docs/"),
            ("  guides", f"{url}/api/docs/api"),
            ("  client id", account["clientId"]),
            ("  client secret", account["clientSecret"]),
            ("  another client", f"{COMMAND} create_account NAME"),
            ("Health", f"{url}/healthz"),
            ("Kept in", f"{settings.STATE_DIR}/demo.json"),
            ("Logs", f"{settings.STATE_DIR}/log/"),
        ]
        self._say("\nIt runs. Ctrl-C ends all of it; what it holds is kept for the next start.\n")
        for label, value in rows:
            self._say(f"  {label:<16} {value}")

    def _say(self, line):
        self.stdout.write(line)
        self.stdout.flush()
