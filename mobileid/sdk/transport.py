"""How bytes get to the service and back: the one place with sockets in it.

`Transport` is a protocol so that an app can bring its own (another HTTP stack, a test's memory).
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

import httpx

from mobileid.protocol import wire
from mobileid.sdk.errors import ConnectionFailed, RateLimited, ServiceUnavailable, UnexpectedAnswer

TIMEOUT_SECONDS = 20.0
TRIES = 5
"""How often one request is sent before its failure is the app's."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 8.0
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status, headers (names in lower case), body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """Sends one request and returns whatever answers; a broken connection is `ConnectionFailed`."""

    def get(self, target: str) -> Answer:
        """`target` is path and query."""

    def post(self, path: str, body: bytes) -> Answer:
        """`body` is JSON. `ConnectionFailed.sent` is False when nothing of it can have arrived."""


def persist(send: Callable[[], Answer], sleep: Callable[[float], None]) -> Answer:
    """Send up to `TRIES` times while the connection breaks or the service is unavailable, with longer pauses.

    429 is not tried again here (`RateLimited`): a person is waiting, and who hammers is kept out for longer.
    """
    for attempt in range(TRIES):
        try:
            return _available(send())
        except (ConnectionFailed, ServiceUnavailable) as error:
            if attempt == TRIES - 1:
                raise
            # Half of the pause is drawn, so that phones cut off together do not come back together.
            pause = _FIRST_PAUSE * 2**attempt * (0.5 + random.random() / 2)  # noqa: S311
            sleep(min(max(pause, error.retry_after or 0), _LONGEST_PAUSE))
    raise AssertionError("the last try returns or raises")


def _available(answer: Answer) -> Answer:
    text = answer.headers.get("retry-after", "")
    after = float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
    if answer.status == 429:
        raise RateLimited(retry_after=after)
    if answer.status in (408, 502, 503, 504):
        raise ServiceUnavailable(retry_after=after)
    return answer


class HttpTransport:
    """httpx with connections kept alive; no redirects, bounded answers and times."""

    def __init__(self, server: str, *, timeout: float = TIMEOUT_SECONDS, client: httpx.Client | None = None) -> None:
        """`client` may be given to set proxies, certificates or an httpx transport of one's own."""
        self._server = server
        self._client = client or httpx.Client(timeout=timeout, follow_redirects=False)

    def get(self, target: str) -> Answer:
        """See `Transport`."""
        return self._send("GET", target, None)

    def post(self, path: str, body: bytes) -> Answer:
        """See `Transport`."""
        return self._send("POST", path, body)

    def _send(self, method: str, target: str, content: bytes | None) -> Answer:
        headers = {"content-type": "application/json"} if content is not None else {}
        url = self._server + target
        try:
            with self._client.stream(method, url, content=content, headers=headers) as response:
                body = bytearray()
                for chunk in response.iter_bytes():
                    body += chunk
                    if len(body) > wire.ANSWER_LIMIT:
                        raise UnexpectedAnswer("The answer is too large.")
                return Answer(response.status_code, dict(response.headers), bytes(body))
        except httpx.HTTPError as error:
            failed = ConnectionFailed(f"{self._server} cannot be reached ({type(error).__name__}).")
            failed.sent = not isinstance(error, _NOT_SENT)
            raise failed from None

    def close(self) -> None:
        """Close the kept connections."""
        self._client.close()

    def __enter__(self) -> "HttpTransport":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
