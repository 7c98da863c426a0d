"""Looking for people by a personal value leaves a line: who searched which attributes, never the value."""

from django.db import transaction

from reuseid.actors import Actor
from reuseid.services import trail


@transaction.atomic
def searched(accounts, *, names: list[str], found: int, actor: Actor):
    """One line an account: the attributes that were compared and how many people came up."""
    for account in accounts:
        trail.record(account, "users.searched", actor=actor, changes={"attributes": names, "found": found})
