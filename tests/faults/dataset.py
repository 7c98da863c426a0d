"""``python -m tests.faults.dataset URL``: an account with an endpoint, in a new database; prints both as JSON."""

import json
import sys

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from reuseid.actors import SYSTEM  # noqa: E402
from reuseid.event_scopes import READING  # noqa: E402
from reuseid.services import accounts  # noqa: E402
from reuseid.services.webhooks import endpoints  # noqa: E402

call_command("migrate", verbosity=0)
account = accounts.create("Nordbank", actor=SYSTEM)
endpoint = endpoints.create(account, url=sys.argv[1], actor=SYSTEM, scopes=READING)
sys.stdout.write(json.dumps({"account": str(account.pk), "secret": endpoints.secret_of(endpoint)}))
