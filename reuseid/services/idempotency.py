"""Idempotency keys: the first answer to a POST is kept for 24 hours and given again."""

import json
import re
from datetime import timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from reuseid import crypto
from reuseid.errors import Conflict, Invalid, ServiceError
from reuseid.models import Client, IdempotencyKey, User
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.services import sweeping

KEPT = timedelta(hours=24)
# A claim older than this is of a process that died: its transaction was undone, so the call may run again.
ABANDONED = timedelta(minutes=5)
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class KeyInvalid(ServiceError):
    """The header is not 1 to 255 visible ASCII characters."""

    code = "idempotency_key_invalid"
    title = "The Idempotency-Key is not valid."


class KeyReused(Invalid):
    """The same key came with another call."""

    code = "idempotency_key_reused"
    title = "The Idempotency-Key was used for another call."


class StillRunning(Conflict):
    """The first call with this key is not over."""

    code = "idempotency_key_running"
    title = "The first call with this Idempotency-Key is still running."


class AnswerErased(Conflict):
    """The call was carried out; what it answered went with the person."""

    code = "idempotency_answer_erased"
    title = "The first call with this Idempotency-Key was carried out; its answer was erased with the person."


def claim(client: Client, key: str, fingerprint: str) -> tuple[IdempotencyKey, dict | None]:
    """Take the key for one call, or give the stored answer of the first.

    Raises KeyInvalid, KeyReused (422), StillRunning or AnswerErased (409). Of key and fingerprint only keyed hashes are
    kept: a key may name a person, and a body can be guessed.
    """
    if not _KEY.fullmatch(key):
        raise KeyInvalid
    keys, prints = _hashes(client, "key", key), _hashes(client, "call", fingerprint)
    # Under an older hash key, or as earlier versions wrote it.
    earlier = IdempotencyKey.objects.filter(client=client, key__in=keys[1:])
    if earlier.exists():
        return _meet(client, keys, prints)
    try:
        with transaction.atomic():
            row = IdempotencyKey(account_id=client.account_id, client=client, key=keys[0], fingerprint=prints[0])
            row.save(force_insert=True)
            return row, None
    except IntegrityError:
        return _meet(client, keys, prints)


def _hashes(client, what, text):
    return [*crypto.blind_indexes("reuseid", "idempotency", what, str(client.pk), value=text), text]


def _meet(client, keys, prints):
    mine = IdempotencyKey.objects.filter(client=client, key__in=keys)
    if mine.filter(created_at__lt=Now() - KEPT).delete()[0]:
        return claim(client, keys[-1], prints[-1])
    row = mine.first()
    if row is None:
        return claim(client, keys[-1], prints[-1])
    if row.fingerprint not in prints:
        raise KeyReused
    if row.answer_status is not None:
        if row.answer is None:
            raise AnswerErased
        return row, json.loads(unseal_field(row, "answer"))
    abandoned = mine.filter(answer_status=None, created_at__lt=Now() - ABANDONED)
    if abandoned.update(created_at=Now()):
        return row, None
    raise StillRunning


def settle(row: IdempotencyKey, status: int, answer: dict, *, user_id: UUID | None = None) -> None:
    """Keep the answer, in the transaction of the change; ``user_id`` is the person whom it is about."""
    seal_field(row, "answer", json.dumps(answer).encode())
    first = IdempotencyKey.objects.filter(pk=row.pk, answer_status=None)
    first.update(answer_status=status, answer=row.answer, user_id=user_id)


def forget(user: User) -> None:
    """Forget the answers about a person who is erased; that the calls were made stays known."""
    IdempotencyKey.objects.filter(user_id=user.pk).update(answer=None)


def release(row: IdempotencyKey) -> None:
    """Nothing happened: the key is free again."""
    IdempotencyKey.objects.filter(pk=row.pk, answer_status=None).delete()


def purge(limit: int = 10_000) -> int:
    """Delete up to ``limit`` keys older than 24 hours; returns how many."""
    return sweeping.delete(IdempotencyKey.objects.filter(created_at__lt=Now() - KEPT).order_by("created_at"), limit)
