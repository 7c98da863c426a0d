"""Looking for people leaves a line: who compared what and how many came up, never what was typed."""

from django.db import transaction

from reuseid.actors import Actor
from reuseid.services import trail

ACCOUNTS = 100
"""Lines of one search at most: somebody who sees more accounts leaves lines in so many."""


@transaction.atomic
def searched(accounts, *, compared: list[str], found: dict, actor: Actor):
    """One line an account that was searched: what was compared, and how many people of that account came up.

    ``found`` maps the ids of accounts to numbers; accounts where somebody was found come first.
    """
    for account in sorted(accounts, key=lambda account: -found.get(account.pk, 0))[:ACCOUNTS]:
        changes = {"compared": compared, "found": found.get(account.pk, 0)}
        trail.record(account, "users.searched", actor=actor, changes=changes)
