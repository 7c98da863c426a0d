"""Opens an envelope, has its message judged and seals the answer (docs/protocol.md, chapter 3)."""

import time
import uuid
from contextlib import suppress
from typing import Any

from django.db import close_old_connections, connection
from django.http import HttpRequest

from mobileid.device_api import strangers
from mobileid.device_api.message import Answer, Message, refusal
from mobileid.device_api.messages import MESSAGES
from mobileid.models import Application
from mobileid.problems import AuthenticationFailed, ClockSkew, KeyUnknown, MessageInvalid, PhoneProblem
from mobileid.protocol import envelope, proofs, wire
from mobileid.protocol.envelope import EnvelopeInvalid
from mobileid.protocol.proofs import ProofInvalid
from mobileid.services import device_authentication
from mobileid.services.keys import channel
from mobileid.services.message_replay import AlreadyClaimed
from reuseid.api.errors import BodyTooLarge
from reuseid.errors import TooMany
from reuseid.ingress.held import hold

QUANTUM = 0.1
"""Seconds. A failed authentication is answered at a multiple of this, so that an unknown device, a forged proof and a
wrong PIN take the same time."""


def answer(http_request: HttpRequest, name: str, address: str) -> dict[str, Any]:
    """The sealed answer to the message ``name`` that came from ``address``.

    Raises EnvelopeInvalid (one for every cause), KeyUnknown, BodyTooLarge, StillJudged for a message whose first copy
    is still being judged, or TooMany in place of any answer, where nobody has proved to be a phone.
    """
    began = time.monotonic()
    message = None
    try:
        message = _open(http_request, address)
        inner = _judge(message, name)
    except Exception:
        if refusal := _count(message, address):
            raise refusal from None
        raise
    # Before the answer is held back: whatever failed, it takes the same time.
    refusal = _count(message, address)
    if inner["status"] == AuthenticationFailed.status:
        _wait(http_request, began)
    if refusal:
        raise refusal
    return envelope.seal_answer(message.request, inner)


def _count(message: Message | None, address: str) -> TooMany | None:
    return None if message and message.is_counted else strangers.count_opened(address)


def _wait(http_request: HttpRequest, began: float) -> None:
    # The connection goes back to the pool first, or a few forged messages would keep everybody else from the database;
    # a transaction that somebody opened around all this needs it still.
    if not connection.in_atomic_block:
        close_old_connections()
    now = time.monotonic()
    hold(http_request, now + QUANTUM - (now - began) % QUANTUM)


def _open(http_request: HttpRequest, address: str) -> Message:
    sealed = envelope.parse(_body(http_request))
    key = channel.channel_key(sealed.app, sealed.kid)
    if key is None:
        raise KeyUnknown
    application_id = uuid.UUID(sealed.app)
    try:
        request = envelope.open_request(sealed, key.private_key, key.suite, http_request.path)
    except EnvelopeInvalid:
        _require_known(device_authentication.find(application_id, None), key.suite)
        raise
    proof = None
    with suppress(ProofInvalid):  # Whoever asks the message for its proof hears of it.
        proof = proofs.parse(request.proof) if request.proof else None
    found = device_authentication.find(application_id, proof.device_id if proof else None)
    return Message(_require_known(found, key.suite), request, address, proof)


def _require_known(application: Application | None, suite: int) -> Application:
    if application is None or suite < application.min_suite:
        # The key may be in memory still: a blocked account ends here. And one that is not in the application's key
        # document is not known: so does a downgrade.
        raise KeyUnknown
    return application


def _body(http_request: HttpRequest) -> bytes:
    raw = http_request.read(wire.REQUEST_LIMIT + 1)
    if len(raw) > wire.REQUEST_LIMIT:
        raise BodyTooLarge
    return raw


def _judge(message: Message, name: str) -> Answer:
    """Freshness first (chapter 3); a message that a copy has claimed gets the copy's answer."""
    try:
        now = time.time_ns() // 1_000_000
        if abs(now - message.request.iat) > wire.FRESHNESS_MS:
            raise ClockSkew(serverTime=now)
        try:
            return MESSAGES[name](message)
        except AlreadyClaimed:
            return message.stored_answer() or MESSAGES[name](message.afresh())
    except PhoneProblem as problem:
        return refusal(problem)
    except ProofInvalid as error:
        return refusal(MessageInvalid(error.field, error.reason))
