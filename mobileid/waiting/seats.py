"""Limits of how many wait in this process: in all, for one API client, and on streams of one operation."""

import contextlib
from collections import Counter
from collections.abc import Iterator

from django.conf import settings

from reuseid.api.errors import Busy
from reuseid.errors import TooMany

AGAIN = 5
"""Seconds after which a caller who found no seat may ask again."""


class Seats:
    """Counts those who wait. Used on the event loop alone, so no other call comes between a check and its count."""

    def __init__(self) -> None:
        self._all = 0
        self._of_client: Counter[str] = Counter()
        self._streams: Counter[str] = Counter()

    @contextlib.contextmanager
    def wait(self, client: str) -> Iterator[None]:
        """A seat for a call of this client, by its id. Raises TooMany at the client's limit, Busy at that of all."""
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
        """A seat as of `wait`, for a stream. Raises TooMany also where the operation has as many as it may."""
        if self._streams[operation_id] >= settings.QR_STREAM_LIMIT:
            raise TooMany(f"At most {settings.QR_STREAM_LIMIT} streams of one operation.", retry_after=AGAIN)
        with self.wait(client), _one_more(self._streams, operation_id):
            yield


@contextlib.contextmanager
def _one_more(counter: Counter[str], name: str) -> Iterator[None]:
    """Count one more under this name; names without any are not kept."""
    counter[name] += 1
    try:
        yield
    finally:
        counter[name] -= 1
        if not counter[name]:
            del counter[name]
