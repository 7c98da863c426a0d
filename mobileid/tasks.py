"""What runs by the clock. Each task does bounded work and is safe to run twice at once."""

import logging

from celery import shared_task
from django.db import InterfaceError, OperationalError

from mobileid.services import completion, devices, purging
from mobileid.services.keys import channel, signing
from reuseid.models import Account

log = logging.getLogger(__name__)

BATCHES = 25
# A million rows of a kind, each batch by one statement: what a thousand operations a second leave in five minutes.
PURGE_BATCHES = 200


@shared_task
def expire_operations():
    """End what is overdue: operations, and locks of phones."""
    _each(completion.expire_overdue, devices.end_lapsed_locks)


@shared_task
def rotate_keys():
    """Make the keys that are due and erase the channel keys whose time is over."""
    erased = channel.erase_channel_keys()
    if erased:
        log.info("%s channel keys are erased.", erased)
    for account in Account.objects.filter(pk__in=channel.accounts_with_applications()):
        try:
            channel.rotate_channel_keys(account.pk)
            signing.rotate_signing_key_when_due(account)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            # One account's keys are no reason to leave the others without.
            log.exception("The keys of account %s can't be turned.", account.pk)


@shared_task
def purge():
    """Remove what has served in the device protocol: nonces, stored answers, what counted before a change."""
    _each(purging.nonces, purging.answers, purging.previous_pins, purging.previous_biometry, batches=PURGE_BATCHES)


def _each(*steps, batches=BATCHES):
    """Each until it finds nothing; one that fails is logged and keeps back no other."""
    for step in steps:
        try:
            for _ in range(batches):
                if not step():
                    break
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            log.exception("%s failed.", step.__name__)
