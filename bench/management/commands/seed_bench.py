"""``manage.py seed_bench``: many users and attributes, to measure with."""

import itertools
import time
import uuid

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from bench import people
from reuseid.management.accounts import find_account


class Command(BaseCommand):
    """Writes rows in bulk past the services: no trail, no events. For a database that is thrown away."""

    help = "Fill an account of a throw-away database with users that have four attributes each."

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument("--account", required=True, help="Id or name of the account.")
        parser.add_argument("--users", type=int, default=1_000_000)
        parser.add_argument("--yes", action="store_true", help="This database may be filled with made-up people.")

    def handle(self, *args, account, users, yes, **options):
        """In batches, with progress."""
        if not yes:
            raise CommandError("It fills the database with made-up people: say --yes.")
        if connection.vendor != "postgresql":
            raise CommandError("It needs PostgreSQL: set DATABASE_URL.")
        account, started, run = find_account(account), time.monotonic(), uuid.uuid4().hex[:8]
        for done in itertools.accumulate(people.fill(account, users, run)):
            rate = done / (time.monotonic() - started)
            self.stdout.write(f"{done} of {users} users, {rate:.0f} a second")
            self.stdout.flush()
        people.analyze()
        example = f"{run}-{users // 2}"
        self.stdout.write(f"For instance externalRef {example}, attribute email:{example}@example.com")
