"""Protocol rows that have served go, in bounded batches."""

from datetime import timedelta

from django.db.models.functions import Now

from mobileid.models import Device, MessageAnswer, Nonce

BATCH = 5000
# docs/protocol.md, chapter 3: an answer is given again for 10 minutes.
ANSWERS_KEPT = timedelta(minutes=10)


def nonces() -> int:
    """Delete a batch of nonces that have expired; returns how many."""
    return _delete(Nonce.objects.filter(expires_at__lt=Now()))


def answers() -> int:
    """Delete a batch of stored answers that no resend can ask for any more; returns how many."""
    return _delete(MessageAnswer.objects.filter(created_at__lt=Now() - ANSWERS_KEPT))


def previous_pins() -> int:
    """Erase a batch of PIN keys whose hand-over is over; returns how many."""
    over = Device.objects.filter(previous_key_until__lt=Now()).values_list("pk", flat=True)[:BATCH]
    ended = Device.objects.filter(pk__in=list(over), previous_key_until__lt=Now())
    return ended.update(previous_knowledge_key=None, previous_key_until=None)


def _delete(rows) -> int:
    some = list(rows.values_list("pk", flat=True)[:BATCH])
    return rows.model.objects.filter(pk__in=some).delete()[0] if some else 0
