"""How many wait in this process: in all, for one API client, and how many streams show one operation."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from django.conf import settings

from reuseid.api.errors import Busy
from reuseid.errors import TooMany

AGAIN = 5
"""Seconds after which a caller who found no seat may ask again."""


class Seats:
    """Counts; lives on the event loop, so nothing comes between the look at a number and its change."""

    def __init__(self) -> None:
        self._all, self._of_client, self._streams = 0, Counter(), Counter()

    @contextlib.contextmanager
    def wait(self, client: str) -> Iterator[None]:
        """One more of this client waits. Raises TooMany (429: too many of its own) or Busy (503: the house is full)."""
        if self._of_client[client] >= settings.WAITING_CLIENT_LIMIT:
            raise TooMany(f"At most {settings.WAITING_CLIENT_LIMIT} calls of a client wait.", retry_after=AGAIN)
        if self._all >= settings.WAITING_LIMIT:
            raise Busy("As many wait as the service has room for.")
        self._all += 1
        with _one_more(self._of_client, client):
            try:
                yield
            finally:
                self._all -= 1

    @contextlib.contextmanager
    def stream(self, client: str, operation_id: str) -> Iterator[None]:
        """As `wait`, for a stream of an operation; TooMany too when that has enough of them."""
        if self._streams[operation_id] >= settings.QR_STREAM_LIMIT:
            raise TooMany(f"At most {settings.QR_STREAM_LIMIT} streams of one operation.", retry_after=AGAIN)
        with self.wait(client), _one_more(self._streams, operation_id):
            yield


@contextlib.contextmanager
def _one_more(counter, name):
    counter[name] += 1
    try:
        yield
    finally:
        counter[name] -= 1
        if not counter[name]:
            del counter[name]
