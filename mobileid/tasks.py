"""What runs by the clock. Each task does bounded work and is safe to run twice at once."""

import logging

from celery import shared_task

from mobileid.services import devices, endings, keys, purging, signing_keys
from reuseid import tracing
from reuseid.models import Account

log = logging.getLogger(__name__)

BATCHES = 25


@shared_task
def expire_operations():
    """End what is overdue: operations, and locks of phones."""
    tracing.begin()
    for sweep in (endings.expire_overdue, devices.end_lapsed_locks):
        for _ in range(BATCHES):
            if not sweep():
                break


@shared_task
def turn_keys():
    """Make the keys that are due and erase the channel keys whose time is over."""
    tracing.begin()
    erased = keys.erase_channel_keys()
    if erased:
        log.info("%s channel keys are erased.", erased)
    for account in Account.objects.filter(pk__in=keys.accounts_with_applications()):
        keys.turn_channel_keys(account.pk)
        signing_keys.turn_signing_keys(account)


@shared_task
def purge():
    """Remove what has served in the device protocol: nonces, stored answers, what counted before a change."""
    for step in (purging.nonces, purging.answers, purging.previous_pins, purging.previous_biometry):
        for _ in range(BATCHES):
            if not step():
                break
