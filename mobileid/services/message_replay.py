"""Each message of a phone takes effect once, however often it is sent (docs/protocol.md, chapter 3).

The message id is claimed in the transaction of the first effect and the answer stored in that of the last, so either
everything is there or nothing. What raises leaves no trace and is judged anew when it comes again.
"""

import hashlib
import json
import time
from contextlib import contextmanager
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from mobileid.models import MessageAnswer
from mobileid.problems import AuthenticationFailed, MessageConflict, StillJudged
from mobileid.protocol import wire
from reuseid.models.sealed import seal_field, unseal_field

KEPT_BYTES = 256 * 1024
"""A longer answer (the content of an operation) is not stored: the message is answered afresh."""
PATIENCE = 2.0
"""Seconds that a duplicate waits for the first one's answer."""
LOST = timedelta(seconds=20)
"""After so long without an answer, whoever judged the first one is gone."""


class AlreadyClaimed(Exception):
    """The message was claimed before."""


class Exchange:
    """One message and its answer. `application` is where its `mid` counts.

    A `repeated` one was claimed before and is judged afresh: it neither claims nor keeps anything.
    """

    def __init__(self, application, mid: bytes, path: str, digest: str, *, repeated: bool = False):
        self._repeated = repeated
        self._row = MessageAnswer(
            account_id=application.account_id,
            application=application,
            mid=wire.b64u(mid),
            digest=hashlib.sha256(wire.lp(path, digest)).hexdigest(),
        )
        self.answer: dict | None = None

    def of(self, device):
        """Whose message it is: with the person's erasure the kept answer goes."""
        self._row.device_id = device.pk

    @contextmanager
    def claimed(self):
        """A transaction that claims the message first; AlreadyClaimed when another one has it."""
        with transaction.atomic():
            if not self._repeated:
                try:
                    self._row.save(force_insert=True)
                except IntegrityError:
                    raise AlreadyClaimed from None
            yield self

    def settle(self, inner: dict):
        """Keep the answer; in the transaction of the (last) effect, which StillJudged undoes when it comes too late."""
        self.answer = inner
        if self._repeated:
            return
        plaintext = _dumps(inner)
        seal_field(self._row, "answer", plaintext if len(plaintext) <= KEPT_BYTES else b"")
        # A registration's phone has its id from the answer.
        device_id = self._row.device_id or inner.get("body", {}).get("deviceId")
        kept = MessageAnswer.objects.filter(pk=self._row.pk, answer=None)
        if not kept.update(answer=self._row.answer, device_id=device_id):
            # Given up as lost, and the phone told so: what this judge did must not come true any more.
            raise StillJudged

    def stored(self) -> dict | None:
        """The answer to the message that came first; None: answer afresh.

        Raises MessageConflict for another plaintext, StillJudged while the first one is under way.
        """
        deadline = time.monotonic() + PATIENCE
        while True:
            row = MessageAnswer.objects.filter(application=self._row.application, mid=self._row.mid).first()
            if row is None:
                raise StillJudged
            if row.digest != self._row.digest:
                raise MessageConflict
            if row.answer is not None:
                plaintext = unseal_field(row, "answer")
                return json.loads(plaintext) if plaintext else None
            if _given_up(row):
                continue
            if time.monotonic() > deadline:
                raise StillJudged
            time.sleep(0.05)


def _given_up(row) -> bool:
    """Refuse for good what nobody judges any more: the attempt is counted, its nonce burnt, nothing was decided."""
    lost = MessageAnswer.objects.filter(pk=row.pk, answer=None, created_at__lt=Now() - LOST)
    if not lost.exists():
        return False
    seal_field(row, "answer", _dumps(AuthenticationFailed().as_inner()))
    # When the judge was only slow, one of the two answers is kept, and the other one's effects are undone.
    lost.update(answer=row.answer)
    return True


def _dumps(inner):
    return json.dumps(inner, ensure_ascii=False, separators=(",", ":")).encode()
