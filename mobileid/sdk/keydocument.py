"""The signed key document: fetched, verified against the pinned anchor, remembered (docs/protocol.md, section 2)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jwt.api_jws import PyJWS
from jwt.exceptions import InvalidTokenError

from mobileid.protocol import wire
from mobileid.sdk.config import ApplicationConfig, anchor_key
from mobileid.sdk.errors import (
    ConfigurationInvalid,
    KeyDocumentExpired,
    KeyDocumentInvalid,
    KeyDocumentOld,
    SuiteUnusable,
    UnexpectedAnswer,
)
from mobileid.sdk.keystore import KeyStore
from mobileid.sdk.pin import PinRules
from mobileid.sdk.transport import Answer

TYP = "mobileid-keys+jwt"
_JWS = PyJWS(algorithms=["ES256"])
_RECORD = "trust"


@dataclass(frozen=True)
class ChannelKey:
    """A recipient key of the envelope; `not_before` and `expires_at` in Unix seconds."""

    kid: str
    suite: int
    public: Any = field(repr=False)
    not_before: int
    expires_at: int


@dataclass(frozen=True)
class KeyDocument:
    """A verified document; times in Unix seconds."""

    issued_at: int
    expires_at: int
    min_suite: int
    keys: tuple[ChannelKey, ...]
    pin: PinRules
    auth_methods: tuple[str, ...]
    next_trust_anchor: dict[str, Any] | None

    def best_key(self, now: float) -> ChannelKey:
        """The newest current key of the highest suite; `SuiteUnusable` when there is none at or above the
        minimum.

        A phone whose clock is a little behind takes the document's own time for now.
        """
        moment = max(now, self.issued_at)
        usable = [key for key in self.keys if key.suite >= self.min_suite and key.not_before <= moment < key.expires_at]
        if not usable:
            raise SuiteUnusable
        return max(usable, key=lambda key: (key.suite, key.not_before))


def verify(token: bytes | str, anchor: Mapping[str, Any], application_id: str) -> KeyDocument:
    """The document, when the anchor signed it for this application; else `KeyDocumentInvalid`.

    Time is the caller's business: see `KeyDocuments`.
    """
    try:
        found = _JWS.decode_complete(token, anchor_key(anchor), algorithms=["ES256"])
        if found["header"].get("typ") != TYP:
            raise KeyDocumentInvalid
        return _read(wire.loads_strict(found["payload"]), application_id)
    except (InvalidTokenError, ConfigurationInvalid, KeyError, TypeError, ValueError):
        raise KeyDocumentInvalid from None


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise TypeError
    return value


def _read(document: dict[str, Any], application_id: str) -> KeyDocument:
    if document["aud"] != application_id:
        raise KeyDocumentInvalid("The key document is for another application.")
    upcoming = document.get("nextTrustAnchor")
    if upcoming is not None:
        anchor_key(upcoming)
    keys = [_key(key) for key in document["keys"] if _integer(key["suite"]) in wire.SUITES]
    return KeyDocument(
        issued_at=_integer(document["iat"]),
        expires_at=_integer(document["exp"]),
        min_suite=_integer(document["minSuite"]),
        keys=tuple(keys),
        pin=PinRules.from_dict(document["pin"]),
        auth_methods=tuple(str(method) for method in document["authMethods"]),
        next_trust_anchor=upcoming,
    )


def _key(key: Mapping[str, Any]) -> ChannelKey:
    public = wire.SUITES[key["suite"]].load_public(wire.unb64u(key["pub"]))
    if not isinstance(key["kid"], str):
        raise TypeError
    return ChannelKey(key["kid"], key["suite"], public, _integer(key["nbf"]), _integer(key["exp"]))


class KeyDocuments:
    """The current document, from memory, the store or the service; and which anchors may sign the next.

    The store keeps the newest `iat` accepted (an older document is refused from then on) and the anchors: the
    pinned one until a document names a successor, both until the successor first signs, then the successor
    alone. An app that ships with another pinned anchor starts over from that.
    """

    def __init__(
        self,
        config: ApplicationConfig,
        store: KeyStore,
        get: Callable[[str], Answer],
        now: Callable[[], float],
        forget_offset: Callable[[], None] = lambda: None,
    ) -> None:
        """`get` fetches a path and query; `now` is Unix seconds, corrected by what is known of the service's clock.

        `forget_offset` makes `now` the phone's own clock again.
        """
        self._config, self._store, self._get, self._now = config, store, get, now
        self._forget_offset = forget_offset
        self._current: KeyDocument | None = None

    def current(self) -> KeyDocument:
        """A document that has not expired; fetched when there is none."""
        if self._current is None:
            self._current = self._remembered()
        if self._current is None or self._current.expires_at <= self._now():
            return self.fetch()
        return self._current

    def fetch(self) -> KeyDocument:
        """The service's document of this moment, whatever is remembered."""
        target = f"{wire.PREFIX}keys?applicationId={self._config.application_id}"
        answer = self._get(target)
        if answer.status == 404:
            raise ConfigurationInvalid("The service does not know this application.")
        if answer.status != 200:
            raise UnexpectedAnswer
        self._current = self._accept(answer.body.strip())
        return self._current

    def _trust(self) -> dict[str, Any]:
        pinned = dict(self._config.trust_anchor)
        record = self._store.read(_RECORD)
        if record is None or record["pinned"] != pinned or record["app"] != self._config.application_id:
            app = self._config.application_id
            return {"app": app, "pinned": pinned, "anchors": [pinned], "newestIat": 0, "document": None}
        return record

    def _remembered(self) -> KeyDocument | None:
        record = self._trust()
        if record["document"] is None:
            return None
        try:
            return self._verify(record["document"], record["anchors"])[0]
        except KeyDocumentInvalid:
            return None

    def _verify(self, token: str, anchors: Sequence[Mapping[str, Any]]) -> tuple[KeyDocument, Mapping[str, Any]]:
        for anchor in anchors:
            try:
                return verify(token, anchor, self._config.application_id), anchor
            except KeyDocumentInvalid:
                continue
        raise KeyDocumentInvalid

    def _accept(self, body: bytes) -> KeyDocument:
        record = self._trust()
        try:
            token = body.decode("ascii")
        except UnicodeDecodeError:
            raise KeyDocumentInvalid from None
        document, anchor = self._verify(token, record["anchors"])
        if document.issued_at < record["newestIat"]:
            raise KeyDocumentOld
        if document.expires_at <= self._now():
            # By an offset that was learned before the person put the phone's clock right, perhaps.
            self._forget_offset()
        if document.expires_at <= self._now():
            raise KeyDocumentExpired
        document.best_key(self._now())
        upcoming = document.next_trust_anchor
        record["anchors"] = [dict(anchor), *([upcoming] if upcoming else [])]
        record["newestIat"], record["document"] = document.issued_at, token
        self._store.write(_RECORD, record)
        return document
