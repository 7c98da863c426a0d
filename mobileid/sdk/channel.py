"""Messages to the service and their answers: sealed, sent again when lost, taken once (docs/protocol.md, section 3)."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mobileid.protocol import wire
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.errors import (
    AnswerInvalid,
    AuthenticationFailed,
    ClockSkew,
    ConnectionFailed,
    EnvelopeRefused,
    KeyUnknown,
    MobileIdError,
    OperationClosed,
    ServiceError,
    TooLarge,
    TransportError,
    UnexpectedAnswer,
    from_problem,
)
from mobileid.sdk.keydocument import ChannelKey, KeyDocument, KeyDocuments
from mobileid.sdk.keystore import KeyStore
from mobileid.sdk.transport import Answer, Transport, persist

Prover = Callable[[str, int], dict[str, Any]]
"""Makes a proof from its message's `mid` (b64u) and `iat` (Unix ms); again when the clock was wrong."""

_NOT_OPENED = (400, 409, 413, 429)
"""Outer answers to a copy that the service did not look into."""
_LAST_WORDS = (AuthenticationFailed, OperationClosed)
"""Refusals that tell of every copy: the service keeps them with the message, or nothing can undo their cause."""


@dataclass
class Message:
    """One message, ready to be sealed as often as it takes: its plaintext, and so its effect, stays.

    `unanswered` counts the copies that were sent and of which nothing is known; `in_doubt` says that it follows a
    message which had such copies.
    """

    path: str
    mid: bytes
    rk: bytes = field(repr=False)
    plaintext: bytes = field(repr=False)
    unanswered: int = 0
    in_doubt: bool = False

    @property
    def may_have_acted(self) -> bool:
        """Whether it, or the one that it follows, may have taken effect without this phone knowing."""
        return self.in_doubt or self.unanswered > 0


@dataclass
class _Sealed:
    body: bytes
    enc: bytes
    info: bytes


class Channel:
    """Talks to one application's service. Not for several threads at once."""

    def __init__(
        self,
        config: ApplicationConfig,
        store: KeyStore,
        transport: Transport,
        *,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`clock` is this phone's Unix time in seconds, right or wrong; `sleep` waits between tries."""
        self.config = config
        self._transport, self._clock, self._sleep = transport, clock, sleep
        self._offset_ms = 0
        self.documents = KeyDocuments(config, store, self._get, self.now, self.forget_clock)

    def now(self) -> float:
        """Unix seconds, corrected by the offset that the service taught (kept for this process only)."""
        return self._clock() + self._offset_ms / 1000

    def forget_clock(self) -> None:
        """Go by the phone's own clock again: it was put right, and the offset is wrong now."""
        self._offset_ms = 0

    def compose(
        self, path: str, body: dict[str, Any], prove: Prover | None = None, *, follows: Message | None = None
    ) -> Message:
        """A new message, signed now; `path` is what follows the prefix, such as "status".

        `follows` is one of the same purpose that was refused: what may have become of its copies is in doubt still.
        """
        path = wire.PREFIX + path
        mid, rk = os.urandom(wire.MID_BYTES), os.urandom(wire.ANSWER_KEY_BYTES)
        iat = int(self.now() * 1000)
        inner: dict[str, Any] = {"mid": wire.b64u(mid), "iat": iat, "rk": wire.b64u(rk), "body": body}
        in_doubt = follows is not None and follows.may_have_acted
        if prove:
            with marked(lambda: in_doubt):
                inner["proof"] = prove(wire.b64u(mid), iat)
        return Message(path, mid, rk, wire.pad(wire.dumps(inner)), in_doubt=in_doubt)

    def deliver(self, message: Message) -> dict[str, Any]:
        """The answer's body. A problem that the service tells is its `ServiceError`.

        A broken connection is tried `transport.TRIES` times with the same message; then `ConnectionFailed`,
        after which delivering the same message again is still safe, while it is fresh. Every error says by
        `may_have_acted` whether the message may have taken effect all the same: a refusal that answers a copy
        says nothing of the copies before it.
        """
        with marked(lambda: message.may_have_acted):
            try:
                inner = self._try(message, self.documents.current())
            except KeyUnknown:
                inner = self._try(message, self.documents.fetch())
        problem = inner.get("problem")
        if problem is None:
            return dict(inner["body"])
        error = from_problem(problem)
        last_word = isinstance(error, _LAST_WORDS) and not message.in_doubt
        error.may_have_acted = message.may_have_acted and not last_word
        raise error

    def send(
        self,
        path: str,
        body: dict[str, Any],
        prove: Prover | None = None,
        *,
        ask: Callable[[], dict[str, Any] | None] | None = None,
    ) -> dict[str, Any]:
        """Compose and deliver; when the clock turns out wrong, learn the offset and do it once more.

        Once more is right for what may happen twice, or cannot. For the rest, `ask` finds out whether the first
        message took effect while its answer was lost: what it would have answered, or None.
        """
        message = self.compose(path, body, prove)
        try:
            return self.deliver(message)
        except ClockSkew as error:
            self.learn_clock(error)
        if message.may_have_acted and ask is not None:
            with marked(lambda: True):
                found = ask()
            if found is not None:
                return found
        return self.deliver(self.compose(path, body, prove, follows=message))

    def learn_clock(self, error: ServiceError) -> None:
        """Take the service's time, which came inside the envelope, for this process's time."""
        server_time = error.problem.get("serverTime")
        if type(server_time) is not int:
            raise error
        self._offset_ms = server_time - int(self._clock() * 1000)

    def _seal(self, message: Message, key: ChannelKey) -> _Sealed:
        info = wire.request_info(key.suite, key.kid, self.config.application_id, message.path)
        enc, ct = wire.SUITES[key.suite].seal(message.plaintext, key.public, info)
        outer = {
            "v": 1,
            "app": self.config.application_id,
            "kid": key.kid,
            "enc": wire.b64u(enc),
            "ct": wire.b64u(ct),
        }
        body = wire.dumps(outer)
        if len(body) > wire.REQUEST_LIMIT:
            raise TooLarge
        return _Sealed(body, enc, info)

    def _try(self, message: Message, document: KeyDocument) -> dict[str, Any]:
        sealed = self._seal(message, document.best_key(self.now()))
        answer = _outer(persist(lambda: self._copy(message, sealed.body), self._sleep))
        inner = _open(answer, message, sealed)
        message.unanswered -= 1
        return inner

    def _copy(self, message: Message, body: bytes) -> Answer:
        message.unanswered += 1
        try:
            answer = self._transport.post(message.path, body)
        except ConnectionFailed as error:
            message.unanswered -= not error.sent
            raise
        message.unanswered -= answer.status in _NOT_OPENED
        return answer

    def _get(self, target: str) -> Answer:
        return persist(lambda: self._transport.get(target), self._sleep)


@contextmanager
def marked(may_have_acted: Callable[[], bool]) -> Iterator[None]:
    """Let what is raised say whether the service may have acted all the same."""
    try:
        yield
    except MobileIdError as error:
        error.may_have_acted = may_have_acted()
        raise


def _outer(answer: Answer) -> Answer:
    """An answer with status 200; any other is the error for it."""
    if answer.status == 200:
        return answer
    errors: dict[int, type[TransportError]] = {400: EnvelopeRefused, 409: KeyUnknown, 413: TooLarge}
    raise errors.get(answer.status, UnexpectedAnswer)


def _open(answer: Answer, message: Message, sealed: _Sealed) -> dict[str, Any]:
    """The inner answer; whatever was not sealed for this message by who could open it is `AnswerInvalid`."""
    try:
        outer = wire.loads_strict(answer.body, wire.ANSWER_LIMIT)
        if not isinstance(outer, dict) or outer.keys() != {"v", "n", "ct"} or outer["v"] != 1:
            raise UnexpectedAnswer
        n, ct = wire.unb64u(outer["n"]), wire.unb64u(outer["ct"])
        if len(n) != wire.ANSWER_SALT_BYTES:
            raise AnswerInvalid
        key, nonce = wire.answer_cipher(message.rk, sealed.enc, n, sealed.info)
        padded = AESGCM(key).decrypt(nonce, ct, wire.answer_aad(message.mid))
        inner = wire.loads_strict(wire.unpad(padded), wire.ANSWER_LIMIT)
    except (InvalidTag, ValueError):
        raise AnswerInvalid from None
    well_formed = isinstance(inner, dict) and type(inner.get("status")) is int
    if not well_formed or not isinstance(inner.get("problem", inner.get("body")), dict):
        raise AnswerInvalid
    return dict(inner)
