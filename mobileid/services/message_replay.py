"""Each message of a phone takes effect once, however often it is sent (docs/protocol.md, chapter 3).

A message is claimed in the transaction of its first effect and its answer is stored in that of the last, so either
everything is there or nothing. What raises before anything was committed leaves no trace, and is judged anew when it
comes again.

An answer is a JSON object; what its members say is the door's business.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from django.db.models.functions import Now

from mobileid.models import Application, StoredResponse
from mobileid.problems import MessageConflict, StillJudged
from mobileid.protocol import wire
from reuseid.models.sealed import seal_field, unseal_field
from reuseid.prepared import Insert, Param, Select, Together, Update

M = TypeVar("M", bound=Model)
Answer = dict[str, Any]
Settlement = Mapping[str, Any]
"""The values that store an answer."""
KEPT_BYTES = 256 * 1024
"""A longer answer (the content of an operation) is not stored: the message is answered afresh."""
PATIENCE = 2.0
"""Seconds that a copy waits for the answer to the message that came first."""
LOST = timedelta(seconds=20)
"""After so long without an answer, whoever judged the first one is gone."""


def _unanswered() -> QuerySet[StoredResponse]:
    return StoredResponse.objects.filter(pk=Param("pk"), answer=None)


_ANSWERED = {"answer": Param("answer"), "device_id": Param("device_id")}
_CLAIMED = Insert(StoredResponse, or_nothing=True)
_SETTLED = Update(_unanswered, **_ANSWERED)


class AlreadyClaimed(Exception):
    """A message with this `mid` was claimed before."""


def describe(application: Application, mid: bytes, path: str, plaintext_digest: bytes) -> StoredResponse:
    """The row of a message, not saved yet.

    ``mid`` (16 bytes) counts within its application. ``plaintext_digest`` is SHA-256 of the padded plaintext: with the
    path it tells a copy from another message under the same `mid`.
    """
    return StoredResponse(
        account_id=application.account_id,
        application=application,
        mid=wire.b64u(mid),
        digest=hashlib.sha256(wire.lp(path, plaintext_digest.hex())).hexdigest(),
    )


def claim(message: StoredResponse) -> None:
    """Take the message on, in the caller's transaction; AlreadyClaimed, which must end it, when another one has.

    While a rival's transaction is open this waits for its end.
    """
    if _CLAIMED(message) is None:
        raise AlreadyClaimed


def claim_and_find(message: StoredResponse, reading: Select[M], values: Mapping[str, Any]) -> M | None:
    """`claim`, and in the same statement what the message is about."""
    done = _claiming(reading)(claimed=message, found=values)
    if done["claimed"] is None:
        raise AlreadyClaimed
    return done["found"]


@cache
def _claiming(reading: Select[Any]) -> Together:
    return Together(claimed=_CLAIMED, found=reading)


def settle(message: StoredResponse, answer: Answer) -> None:
    """Store the answer of a claimed message, in the transaction of the last effect.

    Raises StillJudged, which must undo that effect, when the message was given up as lost and the phone told so.
    """
    store(settlement(message, answer))


def store(settled: Settlement | None) -> None:
    """`settle` with the values of `settlement`; nothing to do without."""
    if settled is not None and _SETTLED(**settled) is None:
        raise StillJudged


def settled_after(part: str) -> Update:
    """`settle` when ``part`` of a `Together` has written its row, with the values of `settlement`."""
    return Update(_unanswered, after=part, **_ANSWERED)


def settlement(message: StoredResponse, answer: Answer) -> Settlement:
    """The values that store this answer to the message."""
    plaintext = _dumps(answer)
    seal_field(message, "answer", plaintext if len(plaintext) <= KEPT_BYTES else b"")
    return {"pk": message.pk, "answer": message.answer, "device_id": message.device_id}


def stored(message: StoredResponse, *, when_lost: Answer) -> Answer | None:
    """The answer to the message that came first; None when it was too long to be stored: judge afresh.

    Waits up to PATIENCE for one that is under way. After LOST nobody judges it any more: it is refused for good by
    ``when_lost``. Its attempt is counted and its nonce used up; nothing was decided.

    Raises MessageConflict for another plaintext or path, StillJudged while the first one is under way.
    """
    deadline = time.monotonic() + PATIENCE
    while True:
        first = StoredResponse.objects.filter(application=message.application, mid=message.mid).first()
        if first is None:
            raise StillJudged
        if first.digest != message.digest:
            raise MessageConflict
        if first.answer is not None:
            plaintext = unseal_field(first, "answer")
            return json.loads(plaintext) if plaintext else None
        if _give_up(first, when_lost):
            continue
        if time.monotonic() > deadline:
            raise StillJudged
        time.sleep(0.05)


def _give_up(first: StoredResponse, answer: Answer) -> bool:
    """Whether the message was lost; by now it has an answer: this one, or that of a judge who was only slow.

    One of the two is kept, by one conditional UPDATE; the other one's effects are undone.
    """
    lost = StoredResponse.objects.filter(pk=first.pk, answer=None, created_at__lt=Now() - LOST)
    if not lost.exists():
        return False
    seal_field(first, "answer", _dumps(answer))
    lost.update(answer=first.answer)
    return True


def _dumps(answer: Answer) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()
