"""Secrets that a process keeps loaded for as long as they may be used, and not longer, though nobody asks for them."""

import os
import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

LONGEST_WAIT = 3600.0
"""Seconds after which a timer looks anew: the clock may have been set meanwhile."""


class Expiring:
    """A mapping of this process; an entry is dropped at its end (Unix seconds) by a timer, and the oldest at ``limit``.

    A forked child begins with none: it has no timer. Python can't overwrite a key, only let go of it.
    """

    def __init__(self, limit: int, *, clock: Callable = time.time, timer: Callable = threading.Timer) -> None:
        self._limit, self._clock, self._new_timer = limit, clock, timer
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self):
        self._lock = threading.Lock()
        self._entries: dict[Hashable, tuple[float, Any]] = {}
        self._timer = None

    def get(self, key: Hashable) -> Any:
        """The value of the key; None where there is none or its end has come."""
        with self._lock:
            self._drop_over()
            found = self._entries.get(key)
        return found and found[1]

    def put(self, key: Hashable, value: object, *, until: float) -> None:
        """Keep the value until then (Unix seconds); one that is over already is not kept."""
        with self._lock:
            self._entries.pop(key, None)
            while len(self._entries) >= self._limit:
                del self._entries[next(iter(self._entries))]
            self._entries[key] = until, value
            self._drop_over()
            self._set_timer()

    def clear(self) -> None:
        """Drop every entry."""
        with self._lock:
            self._entries.clear()
            self._set_timer()

    def __len__(self) -> int:
        return len(self._entries)

    def _drop_over(self):
        now = self._clock()
        for key in [key for key, (until, _) in self._entries.items() if until <= now]:
            del self._entries[key]

    def _set_timer(self):
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._entries:
            first = min(until for until, _ in self._entries.values())
            # A hundredth later, so that the clock has surely passed it.
            self._timer = self._new_timer(min(max(first - self._clock(), 0) + 0.01, LONGEST_WAIT), self._wake)
            self._timer.daemon = True
            self._timer.start()

    def _wake(self):
        with self._lock:
            self._drop_over()
            self._set_timer()
