"""``python -m tests.faults.writer ACCOUNT USERS CHANGES``: an integrator's day, as a process of its own.

Each user is locked and unlocked in turn. A change that the database did not take is made again; the state decides
whether it had been taken after all.
"""

import os
import sys
import time

import django

django.setup()

from django.db import DatabaseError, InterfaceError, connection  # noqa: E402

from reuseid.actors import SYSTEM  # noqa: E402
from reuseid.errors import WrongState  # noqa: E402
from reuseid.models import Account  # noqa: E402
from reuseid.services.people import users  # noqa: E402


def once(act, done):
    """Try until the database took it, once; ``done`` is the error that says that it had been taken after all."""
    while True:
        try:
            return act()
        except done:
            return None
        except (DatabaseError, InterfaceError):
            connection.close()
            time.sleep(0.1)


def make(account, number):
    """One user, once."""
    reference = f"{os.getpid()}-{number}"
    made = once(lambda: users.create(account, actor=SYSTEM, external_ref=reference), users.ExternalRefTaken)
    return made or once(lambda: users.by_external_ref(account, reference), ())


def change(user, turn):
    """One change, once."""
    act = users.unlock if turn % 2 else users.lock
    once(lambda: act(user, actor=SYSTEM, reason="OTHER", note="storm"), WrongState)


def main(account_id, count, changes):
    """All users take turns; the slowest change in milliseconds goes to stdout."""
    account = Account.objects.get(pk=account_id)
    people = [make(account, number) for number in range(count)]
    slowest = 0.0
    for turn in range(changes):
        for user in people:
            started = time.monotonic()
            change(user, turn)
            slowest = max(slowest, time.monotonic() - started)
    sys.stdout.write(f"{slowest * 1000:.0f}\n")


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
