"""A claim holds all that an attempt needs, opened; an outcome is what the attempt came to."""

import logging
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db.models.functions import Now

from reuseid import crypto
from reuseid.models import Delivery, WebhookEndpoint
from reuseid.services.webhooks import outbox

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """One attempt that this process may make until its lease ends: everything that it needs, no model."""

    delivery_id: UUID
    endpoint_id: UUID
    object_id: UUID
    attempt: int
    retry: bool
    ailing: bool
    tries_left: int
    url: str
    message_id: str
    body: bytes
    secrets: tuple[bytes, ...]
    signing_keys: tuple[bytes, ...]
    problem: str = ""
    account_id: UUID | None = None
    personal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to. ``status`` is None where no answer came; ``retry_after`` in seconds."""

    claim: Claim
    status: int | None
    error: str = ""
    answer: str = ""
    duration_ms: int = 0
    retry_after: int | None = None

    @property
    def good(self) -> bool:
        """Any 2xx is a receipt (Standard Webhooks)."""
        return self.status is not None and 200 <= self.status < 300


def signing_keys(endpoint: WebhookEndpoint) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Keys of `v1` and of `v1a`, the present ones first, then those that still overlap."""
    names = [("secret", "signing_key")]
    if endpoint.previous_secret_expires_at and _overlaps(endpoint):
        names.append(("previous_secret", "previous_signing_key"))
    pairs = [(_open(endpoint, secret), _open(endpoint, key)) for secret, key in names]
    return tuple(secret for secret, _ in pairs if secret), tuple(key for _, key in pairs if key)


def _overlaps(endpoint):
    # Where the row was read with the answer (`statements.candidates`), nobody is asked again.
    if (known := getattr(endpoint, "overlaps", None)) is not None:
        return known
    return WebhookEndpoint.objects.filter(pk=endpoint.pk, previous_secret_expires_at__gt=Now()).exists()


def _open(endpoint, column):
    sealed = getattr(endpoint, column)
    return None if sealed is None else _opened(endpoint.account_id, endpoint.pk, column, bytes(sealed))


@lru_cache(maxsize=1024)
def _opened(account, row, column, sealed):
    """Known by the sealed bytes themselves: keys that were rotated are other bytes."""
    return crypto.unseal(sealed, account=account, table=WebhookEndpoint._meta.db_table, row=row, column=column)


def as_claim(endpoint: WebhookEndpoint, row: Delivery) -> Claim:
    """What was just claimed, with ``row`` as it was before. What does not open is a claim that will fail."""
    attempt, body, problem = row.attempts + 1, b"", ""
    keys: tuple[tuple[bytes, ...], tuple[bytes, ...]] = ((), ())
    personal: tuple[str, ...] = ()
    try:
        body, texts = outbox.body_to_send(row.event, endpoint.shown_scopes())
        keys = signing_keys(endpoint)
        # The longest first: one may hold another.
        personal = tuple(sorted(texts, key=len, reverse=True))
    except (crypto.Unreadable, ValueError, LookupError, TypeError):
        # An attempt like any other, which fails: one bad row must not keep the sender from the rest.
        problem = "not sent: the event or the keys don't open"
        log.exception("Delivery %s can't be sent.", row.pk)
    return Claim(
        delivery_id=row.pk,
        endpoint_id=endpoint.pk,
        object_id=row.object_id,
        attempt=attempt,
        retry=row.attempts > row.attempts_before,
        ailing=bool(endpoint.consecutive_failures or endpoint.open_until),
        tries_left=len(settings.CALLBACK_RETRIES) - (attempt - row.attempts_before),
        url=endpoint.url,
        message_id=str(row.event.id),
        body=body,
        secrets=keys[0],
        signing_keys=keys[1],
        problem=problem,
        account_id=endpoint.account_id,
        personal=personal,
    )
