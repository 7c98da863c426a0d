"""``manage.py verify_trail``: is the history as it was written?"""

from django.core.management.base import BaseCommand, CommandError

from reuseid.services.audit import seals as trail_seals


class Command(BaseCommand):
    """Exits with 1 and names the first line that was changed, removed or put in."""

    help = "Check every line of the trail against its signed seals; names the first that does not fit."

    def handle(self, *args, **options):
        """Walks all seals, oldest first."""
        seals = 0

        def progress(number):
            nonlocal seals
            seals += 1
            if options["verbosity"] > 1 or number % 1000 == 0:
                self.stdout.write(f"Seal {number} fits.")

        if wrong := trail_seals.verify(progress):
            raise CommandError(wrong)
        self.stdout.write(f"The trail is as it was written: {seals} seals fit.")
