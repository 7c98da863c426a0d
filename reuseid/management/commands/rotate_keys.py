"""``manage.py rotate_keys``: bring everything under the newest keys."""

from django.core.management.base import BaseCommand, CommandError

from reuseid.services import rotation


class Command(BaseCommand):
    """Run it after a new key was put first in ENCRYPTION_KEYS or BLIND_INDEX_KEYS and every process has it."""

    help = (
        "Re-encrypt every sealed column under the first of ENCRYPTION_KEYS, or with --blind-index write every search "
        "index under the first of BLIND_INDEX_KEYS and in today's normal forms. Safe while the service runs; run it "
        "again to go on."
    )

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument("--blind-index", action="store_true", help="Rotate the search indexes instead.")

    def handle(self, *args, blind_index, **options):
        """Exits with 1 when a value did not open: keep the old keys then."""
        totals, lost = {}, {}
        for label, done, unreadable in rotation.reindex() if blind_index else rotation.reseal():
            if done != totals.get(label):
                self.stdout.write(f"{label}: {done} rewritten")
            totals[label], lost[label] = done, unreadable
        if any(lost.values()):
            named = ", ".join(f"{label} ({number})" for label, number in lost.items() if number)
            raise CommandError(f"Some values can't be read, or are another user's too (the log names both): {named}.")
        self.stdout.write(f"{sum(totals.values())} values rewritten. The older keys can go.")
