"""``manage.py seed_bench_phones``: a phone and operations for each user that ``seed_bench`` made."""

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from bench import phones
from reuseid.management.accounts import find_account


class Command(BaseCommand):
    """Writes rows in bulk past the services, for a database that is thrown away."""

    help = (
        "Give each user of an account in a throw-away database a phone and operations of the last 30 days, with their "
        "events, lines of the trail and, to each endpoint of the account, deliveries."
    )

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument("--account", required=True, help="Id or name of the account.")
        parser.add_argument("--operations", type=int, default=3, help="For each phone (3).")
        parser.add_argument("--yes", action="store_true", help="This database may be filled with made-up phones.")

    def handle(self, *args, account, operations, yes, **options):
        """All or nothing."""
        if not yes:
            raise CommandError("It fills the database with made-up phones: say --yes.")
        if connection.vendor != "postgresql":
            raise CommandError("It needs PostgreSQL: set DATABASE_URL.")
        application = find_account(account).applications.order_by("created_at").first()
        if application is None:
            raise CommandError("The account has no application: `manage.py create_account` makes one.")
        self.stdout.write("Writing in one transaction; a million users take many minutes …")
        self.stdout.flush()
        made = phones.fill(application, operations)
        phones.analyze()
        self.stdout.write(", ".join(f"{count} {name}" for name, count in made.items()))
