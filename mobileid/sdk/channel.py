"""Messages to the service and their answers: sealed, sent again when lost, taken once (docs/protocol.md, section 3)."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mobileid.sdk import wire
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.errors import (
    AnswerInvalid,
    ClockSkew,
    EnvelopeRefused,
    KeyUnknown,
    ServiceError,
    TooLarge,
    TransportError,
    UnexpectedAnswer,
    from_problem,
)
from mobileid.sdk.keydocument import ChannelKey, KeyDocuments
from mobileid.sdk.keystore import KeyStore
from mobileid.sdk.transport import Answer, Transport, persist

Prover = Callable[[str, int], dict[str, Any]]
"""Makes a proof from its message's `mid` (b64u) and `iat` (Unix ms); again when the clock was wrong."""


@dataclass
class Message:
    """One message, ready to be sealed as often as it takes: its plaintext, and so its effect, stays."""

    path: str
    mid: bytes
    rk: bytes = field(repr=False)
    plaintext: bytes = field(repr=False)


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
        self.documents = KeyDocuments(config, store, self._get, self.now)

    def now(self) -> float:
        """Unix seconds, corrected by the offset that the service taught (kept for this process only)."""
        return self._clock() + self._offset_ms / 1000

    def compose(self, path: str, body: dict[str, Any], prove: Prover | None = None) -> Message:
        """A new message, signed now; `path` is what follows the prefix, such as "status"."""
        path = wire.PREFIX + path
        mid, rk = os.urandom(wire.MID_BYTES), os.urandom(wire.ANSWER_KEY_BYTES)
        iat = int(self.now() * 1000)
        inner: dict[str, Any] = {"mid": wire.b64u(mid), "iat": iat, "rk": wire.b64u(rk), "body": body}
        if prove:
            inner["proof"] = prove(wire.b64u(mid), iat)
        return Message(path, mid, rk, wire.pad(wire.dumps(inner)))

    def deliver(self, message: Message) -> dict[str, Any]:
        """The answer's body. A problem that the service tells is its `ServiceError`.

        A broken connection is tried `transport.TRIES` times with the same message; then `ConnectionFailed`,
        after which delivering the same message again is still safe, for ten minutes.
        """
        sealed = self._seal(message, self.documents.current().best_key(self.now()))
        try:
            answer = self._post(message.path, sealed.body)
        except KeyUnknown:
            sealed = self._seal(message, self.documents.fetch().best_key(self.now()))
            answer = self._post(message.path, sealed.body)
        inner = _open(answer, message, sealed)
        problem = inner.get("problem")
        if problem is None:
            return dict(inner["body"])
        raise from_problem(problem)

    def send(self, path: str, body: dict[str, Any], prove: Prover | None = None) -> dict[str, Any]:
        """Compose and deliver; when the clock turns out wrong, learn the offset and do it once more."""
        try:
            return self.deliver(self.compose(path, body, prove))
        except ClockSkew as error:
            self.learn_clock(error)
            return self.deliver(self.compose(path, body, prove))

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

    def _post(self, path: str, body: bytes) -> Answer:
        return _outer(persist(lambda: self._transport.post(path, body), self._sleep))

    def _get(self, target: str) -> Answer:
        return persist(lambda: self._transport.get(target), self._sleep)


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
