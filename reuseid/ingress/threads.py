"""A few threads that last, where everything runs that may wait for the database; each keeps its connection.

A thread for each request would be started and ended with it, and want a connection each time. These are as many as can
do something at once, and those who find none free are a queue of coroutines.
"""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from django.conf import settings
from django.db import close_old_connections, connections

from reuseid.api.errors import Busy

PATIENCE = 10
"""Seconds in the queue after which a caller is asked to come again (503)."""
P = ParamSpec("P")
T = TypeVar("T")
_Calls = SimpleQueue[Callable[[], None] | None]


class Threads:
    """REQUESTS_AT_ONCE threads, each started when it is first needed. Used from one event loop."""

    def __init__(self) -> None:
        self._free: asyncio.Semaphore | None = None
        self._threads: dict[threading.Thread, _Calls] = {}
        self._idle: list[_Calls] = []

    async def run(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the call returns or raises, with a copy of the context variables. Raises Busy after PATIENCE seconds."""
        if self._free is None:
            # Made on the loop that serves.
            self._free = asyncio.Semaphore(settings.REQUESTS_AT_ONCE)
        try:
            # A time limit costs more than a place that is free.
            async with asyncio.timeout(PATIENCE) if self._free.locked() else contextlib.nullcontext():
                await self._free.acquire()
        except TimeoutError:
            raise Busy("All places are taken.") from None
        return await self._hand_over(call, args, kwargs)

    def _hand_over(self, call, args, kwargs) -> asyncio.Future[Any]:
        loop, context = asyncio.get_running_loop(), copy_context()
        done: asyncio.Future[Any] = loop.create_future()
        # The one that was used last: its connection and what the database keeps for it are warm.
        calls = self._idle.pop() if self._idle else self._start()

        def answer() -> None:
            result, error = None, None
            try:
                result = context.run(_run, call, args, kwargs)
            except BaseException as raised:
                error = raised
            # A loop that has ended has nobody who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._settle, calls, done, result, error)

        calls.put(answer)
        return done

    def _settle(self, calls, done, result, error) -> None:
        self._idle.append(calls)
        self._free.release()
        if done.cancelled():
            return
        if error is None:
            done.set_result(result)
        else:
            done.set_exception(error)

    def _start(self) -> _Calls:
        calls: _Calls = SimpleQueue()
        # Daemons: a call that hangs must not keep the process from its end.
        thread = threading.Thread(target=_work, args=[calls], name=f"request-{len(self._threads)}", daemon=True)
        self._threads[thread] = calls
        thread.start()
        return calls

    def close(self, seconds: float = 5) -> None:
        """End the threads, when they have done what they were given, and their connections; waits so long for each."""
        for calls in self._threads.values():
            calls.put(None)
        for thread in self._threads:
            thread.join(seconds)
        self._threads.clear()
        self._idle.clear()


def _work(calls: _Calls) -> None:
    try:
        while call := calls.get():
            call()
            # Not kept until the next: it holds the request and its answer.
            del call
    finally:
        connections.close_all()


def _run(call, args, kwargs):
    try:
        return call(*args, **kwargs)
    finally:
        # What Django does around a request, and not everything here is one.
        close_old_connections()
