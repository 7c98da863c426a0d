"""``manage.py reset_second_factor NAME``: for a superuser who lost passkeys, phone and recovery codes."""

from django.core.management.base import BaseCommand, CommandError

from reuseid.actors import Actor, ActorKind
from reuseid.errors import ServiceError
from reuseid.models import Staff
from reuseid.services.staff import second_factors

OPERATOR = Actor(ActorKind.SYSTEM, "manage.py reset_second_factor")


class Command(BaseCommand):
    """Takes app, passkeys and recovery codes away and ends all sessions; the password stays and is asked for."""

    help = "Reset a colleague's second factor: with the password they set up a new one. Leaves a line in the trail."

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument("name", help="The name that the colleague signs in with.")

    def handle(self, *args, name, **options):
        """Exits with 1 and one line when there is nobody of that name or nothing to reset."""
        staff = Staff.objects.filter(username=name).first()
        if staff is None:
            raise CommandError(f"There is no colleague of the name {name}.")
        try:
            second_factors.reset_by_operator(staff, actor=OPERATOR)
        except ServiceError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The second factor of {name} is reset: they set up a new one at the next sign-in.")
        if staff.password_set_by:
            knows = staff.password_set_by.get_username()
            self.stdout.write(f"{knows} gave the present password and knows it: manage.py changepassword {name}")
