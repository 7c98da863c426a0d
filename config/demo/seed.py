"""What the demo begins with: an account, its credentials, people to look for, colleagues with random passwords."""

import json
import os
import secrets
from pathlib import Path

from django.conf import settings
from django.db import transaction

from config.demo import samples
from config.roles import ROLES
from mobileid.services import applications
from reuseid.actors import Actor, ActorKind
from reuseid.models import Account, Client, Staff
from reuseid.services import accounts, clients
from reuseid.services.staff import members

NAME = "Demo Bank"
OPERATOR = Actor(ActorKind.SYSTEM, "manage.py demo")


class Kept:
    """The demo's secrets: a JSON file in the state folder that only its owner reads."""

    def __init__(self, path: Path):
        self.path = path
        self.values: dict = json.loads(path.read_text()) if path.exists() else {}

    def save(self):
        """Write it as a whole, mode 0600 from the first byte on."""
        scratch = self.path.with_suffix(".new")
        scratch.unlink(missing_ok=True)
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(self.values, file, indent=2)
        scratch.replace(self.path)


@transaction.atomic
def seed() -> dict:
    """Make what is missing. ``{"account": as create_account prints, "staff": {name: password}}``, also kept in var/."""
    kept = Kept(settings.STATE_DIR / "demo.json")
    account = Account.objects.filter(name=NAME).first() or accounts.create(NAME, actor=OPERATOR)
    application = account.applications.filter(server=settings.PUBLIC_URL).first()
    if application is None:
        name = f"{NAME} at {settings.PUBLIC_URL}"
        application = applications.create_application(account, name=name, server=settings.PUBLIC_URL, actor=OPERATOR)
    banks = samples.fill(account, server=settings.PUBLIC_URL, actor=OPERATOR)
    client_id, client_secret = _client(account, kept.values.get("account", {}))
    kept.values = {
        "account": {
            "accountId": str(account.pk),
            "clientId": client_id,
            "clientSecret": client_secret,
            "application": applications.configuration(application),
        },
        "staff": _colleagues([account, *banks], kept.values.get("staff", {})),
    }
    kept.save()
    return kept.values


def _client(account, known):
    """The kept credentials while the database has that client; else new ones."""
    if Client.objects.filter(account=account, client_id=known.get("clientId"), status=Client.Status.ACTIVE).exists():
        return known["clientId"], known["clientSecret"]
    client, secret = clients.create(account, name=f"{NAME} back end", actor=OPERATOR)
    return client.client_id, secret


def _colleagues(banks, known):
    """The superuser and a colleague for each role, all of these accounts; a password that nobody kept is replaced.

    Of senior support there are two, since what can't be undone takes two.
    """
    boss = Staff.objects.filter(username="admin").first()
    if boss is None:
        boss = Staff.objects.create_superuser("admin", password=secrets.token_urlsafe(15))
    passwords = {"admin": _kept(boss, known) or _own_password(boss)}
    roles = {role.name: role for role in members.all_roles().filter(name__in=ROLES)}
    names = {role.lower().replace(" ", "."): role for role in roles} | {"senior.support.2": "Senior support"}
    for username, role in names.items():
        colleague = Staff.objects.filter(username=username).first()
        if colleague is None:
            colleague, _shown = members.create(username, actor=Actor.staff(boss), roles=[roles[role]], accounts=banks)
        passwords[username] = _kept(colleague, known) or _own_password(colleague)
    return passwords


def _kept(colleague, known):
    password = known.get(colleague.username, "")
    return password if colleague.check_password(password) else None


def _own_password(colleague):
    """As ``manage.py changepassword`` does it, and as if they chose it: what is printed goes on working."""
    password = secrets.token_urlsafe(15)
    colleague.set_password(password)
    colleague.password_set_by = None
    colleague.save(update_fields=["password", "password_set_by"])
    return password
