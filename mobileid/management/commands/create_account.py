"""``manage.py create_account``: a tenant, its first API client and its first app."""

import json

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from mobileid.services import applications
from reuseid.actors import Actor, ActorKind
from reuseid.errors import ServiceError
from reuseid.services import accounts, clients

OPERATOR = Actor(ActorKind.SYSTEM, "manage.py create_account")


class Command(BaseCommand):
    """Prints the credentials once; nothing else shows the secret again."""

    help = "Make an account with an API client and an application; print their credentials, once."

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument("name", help="Shown to people on their phones; unique.")
        parser.add_argument("--scopes", help="Comma-separated scopes of the client; all unless given.")
        parser.add_argument("--server", default=settings.PUBLIC_URL, help="The address that the phones call.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args, name, scopes, server, **options):
        """All or nothing."""
        try:
            with transaction.atomic():
                made = self._make(name, scopes.split(",") if scopes else None, server)
        except ServiceError as error:
            reasons = "; ".join(f"{param['name']}: {param['reason']}" for param in error.invalid_params)
            raise CommandError(reasons or str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(made))
        else:
            for label, value in made.items():
                self.stdout.write(f"{label}: {json.dumps(value) if isinstance(value, dict) else value}")

    @staticmethod
    def _make(name, scopes, server):
        account = accounts.create(name, actor=OPERATOR)
        client, secret = clients.create(account, name=f"{account.name} back end", scopes=scopes, actor=OPERATOR)
        application = applications.create_application(account, name=account.name, server=server, actor=OPERATOR)
        return {
            "accountId": str(account.pk),
            "clientId": client.client_id,
            "clientSecret": secret,
            "application": applications.configuration(application),
        }
