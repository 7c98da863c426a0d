"""Protocol rows that have served go, in bounded batches."""

from datetime import timedelta

from django.db.models.functions import Now

from mobileid.models import Device, Nonce, StoredResponse
from reuseid.services import sweeping

BATCH = 5000
# docs/protocol.md, chapter 3: an answer is given again for 10 minutes.
ANSWERS_KEPT = timedelta(minutes=10)


def nonces() -> int:
    """Delete a batch of nonces that have expired; returns how many."""
    return sweeping.delete(Nonce.objects.filter(expires_at__lt=Now()).order_by("expires_at"), BATCH)


def answers() -> int:
    """Delete a batch of stored answers that no resend can ask for any more; returns how many."""
    over = StoredResponse.objects.filter(created_at__lt=Now() - ANSWERS_KEPT)
    return sweeping.delete(over.order_by("created_at"), BATCH)


def previous_pins() -> int:
    """Erase a batch of PIN keys whose hand-over is over; returns how many."""
    return _end_hand_over("previous_knowledge_key", "previous_key_until")


def previous_biometry() -> int:
    """The same for biometric keys."""
    return _end_hand_over("previous_inherence_jwk", "previous_inherence_until")


def _end_hand_over(key: str, until: str) -> int:
    over = {f"{until}__lt": Now()}
    some = list(Device.objects.filter(**over).values_list("pk", flat=True)[:BATCH])
    return Device.objects.filter(pk__in=some, **over).update(**{key: None, until: None})
