"""``manage.py verify_references``: does every row find those that it names?"""

from django.core.management.base import BaseCommand, CommandError

from reuseid.services import references

SHOWN = 20


class Command(BaseCommand):
    """For after a restore, or a hand in the database. Exits with 1 and names the first rows that do not."""

    help = "Look for rows that name one which is not there, where the database itself does not check it."

    def handle(self, *args, **options):
        """One reference after the other; each statement looks at a bounded number of rows."""
        wrong = 0
        for field in references.unchecked():
            found = 0
            for key in references.dangling(field):
                if found < SHOWN:
                    self.stderr.write(f"{field.model._meta.label} {key}: its {field.name} is not there.")
                found += 1
            if options["verbosity"] > 1 or found:
                self.stdout.write(f"{field}: {found} lead nowhere.")
            wrong += found
        if wrong:
            raise CommandError(f"{wrong} references lead nowhere.")
        self.stdout.write("Every reference leads to its row.")
