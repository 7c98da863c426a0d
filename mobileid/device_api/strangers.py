"""What proves no phone is counted by its address (docs/decisions/0035-strangers-pay-by-address.md).

These are key documents, `registration/start`, and each message that turns out to prove nothing. Over the quota they are
refused. Messages are opened all the same, for the phones that may be behind the address, until that was in vain
`OPENED` times as often.
"""

from django.conf import settings

from reuseid.errors import TooMany
from reuseid.limits import Limit, hit_each, known_refusal

WINDOW = 60
OPENED = 10
"""How many times its quota an address may have opened in vain in a window (seconds)."""


def limit_of(address: str) -> Limit:
    """What an address may ask without proving a phone."""
    return Limit("stranger", address, settings.DEVICE_RATE_LIMIT, WINDOW)


def check(address: str, *, is_start: bool) -> None:
    """Raise TooMany, before any work, where this process knows that the address is refused; it asks nobody.

    ``is_start``: it is a `registration/start`, which never proves a phone.
    """
    refused = known_refusal(_opened(address)) or (is_start and known_refusal(limit_of(address)))
    if refused:
        raise TooMany(retry_after=refused.reset)


def count(address: str) -> None:
    """Count what is refused before any work, and is a stranger's; TooMany."""
    spent = hit_each(limit_of(address))[-1]
    if spent.left < 0:
        raise TooMany(retry_after=spent.reset)


def count_opened(address: str) -> TooMany | None:
    """Count a message that was opened and proved nothing; what is answered instead, if it is one too many."""
    spent = hit_each(limit_of(address))[-1]
    if spent.left >= 0:
        return None
    hit_each(_opened(address))
    return TooMany(retry_after=spent.reset)


def _opened(address: str) -> Limit:
    return Limit("opened", address, (OPENED - 1) * settings.DEVICE_RATE_LIMIT, WINDOW)
