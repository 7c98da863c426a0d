"""The ASGI middleware around the application: long-polls and QR streams.

A caller who waits is a coroutine here. Each poll of the operation is an ordinary request to the application, with its
authentication and its own short use of a thread and a connection; between two polls nothing is held.
"""

import asyncio
import json
import re
import time
from typing import Any

from django.conf import settings

from mobileid.waiting import listeners
from mobileid.waiting.asgi import Application, Receive, Scope, Send
from mobileid.waiting.poll_context import PollContext
from mobileid.waiting.polling import SAFE_HEADERS, leaving, pause, poll, refused, rest
from mobileid.waiting.seats import Seats
from reuseid.api.errors import Busy
from reuseid.errors import TooMany
from reuseid.ingress.answers import Answer

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_STATUS = re.compile(rf"/mobileid/core/(?:registrations|authentications|signatures)/({_ID})", re.ASCII)
_STREAM = re.compile(rf"(/mobileid/core/(?:authentications|signatures)/({_ID})/qr)/stream", re.ASCII)
_SHORTEST = 0.2
_BETWEEN = 0.5
"""Seconds between two polls of one caller, however often the operation changes."""
_POLLS_AT_ONCE = {False: 2, True: 4}
"""One in so many of REQUESTS_AT_ONCE, by whether they are asked again: first polls, and those after a change. Both
leave the application room for other calls, and they are apart so that a crowd of first polls does not hold up the news
of a change."""
_PATIENCE = 10
"""Seconds after which a caller whose first poll has not begun is asked to come again."""
_FRAMES_AHEAD = 10
_AFRESH = 10
"""Seconds after which a stream without frames asks again, as one with frames does when it has shown them."""


class Waiting:
    """Wraps the ASGI application; everything but the two addresses passes through untouched."""

    def __init__(self, app: Application, listener: listeners.Listener | None = None) -> None:
        self.app, self._listener = app, listener
        self._turns: dict[bool, asyncio.Semaphore] = {}
        self.seats = Seats()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            return await self.app(scope, receive, send)
        if found := _STREAM.fullmatch(scope["path"]):
            return await self._stream(found[1], found[2], scope, receive, send)
        if b"wait=" in scope["query_string"] and (found := _STATUS.fullmatch(scope["path"])):
            return await self._wait(found[1], scope, receive, send)
        return await self.app(scope, receive, send)

    @property
    def listener(self) -> listeners.Listener:
        """Made for the first caller: only then is the process known that serves, and its loop."""
        if self._listener is None:
            self._listener = listeners.make_listener()
        return self._listener

    async def _poll(self, scope: Scope, context: PollContext) -> Answer:
        """One poll, when its turn comes. Raises Busy for a first one that has waited for _PATIENCE seconds."""
        if not self._turns:
            places = settings.REQUESTS_AT_ONCE
            self._turns = {again: asyncio.Semaphore(max(places // part, 1)) for again, part in _POLLS_AT_ONCE.items()}
        turn = self._turns[context.again]
        try:
            async with asyncio.timeout(None if context.again else _PATIENCE):
                await turn.acquire()
        except TimeoutError:
            raise Busy("Many begin to wait.") from None
        try:
            return await poll(self.app, scope, context)
        finally:
            turn.release()

    async def _wait(self, operation_id, scope, receive, send):
        start, context, answer = time.monotonic(), PollContext(), None
        async with leaving(receive) as gone:
            # Listening begins before the first poll, so no change falls between the two.
            with self.listener.waiter(operation_id) as waiter:
                try:
                    answer = await self._poll(scope, context)
                    if context.wait:
                        with self.seats.wait(context.client):
                            answer = await self._until_over(start, context, answer, operation_id, waiter, gone, scope)
                except (TooMany, Busy) as error:
                    answer = refused(error, answer)
            if answer:
                await answer.pass_on(send)

    async def _until_over(self, start, context, answer, operation_id, waiter, gone, scope):
        """The answer when there is nothing to wait for any more; None when the caller has left."""
        deadline, polled = start + context.wait, start
        while context.wait and (left := deadline - time.monotonic()) > 0:
            waiter.status, ends = context.status, polled + max(context.expires_in, _SHORTEST)
            if not await pause(waiter.changed, gone, min(left, ends - time.monotonic())):
                return None
            quiet = not waiter.changed.is_set() and deadline <= time.monotonic() < ends
            if quiet and not await self.listener.has_changed(operation_id, waiter):
                # What the first poll has found is what another would find.
                return answer.uncounted()
            if not await rest(gone, polled + _BETWEEN - time.monotonic()):
                return None
            waiter.changed.clear()
            context, polled = PollContext(again=True), time.monotonic()
            answer = await self._poll(scope, context)
        return answer

    async def _stream(self, path, operation_id, scope, receive, send):
        scope = {**scope, "path": path, "raw_path": path.encode(), "query_string": b""}
        async with leaving(receive) as gone:
            with self.listener.waiter(operation_id) as waiter:
                context, answer = PollContext(frames=_FRAMES_AHEAD), None
                try:
                    answer = await self._poll(scope, context)
                    if answer.status != 200 and not _state(answer):
                        await answer.pass_on(send)
                        return
                    with self.seats.stream(context.client, operation_id):
                        await self._show(context, answer, waiter, gone, scope, send)
                except (TooMany, Busy) as error:
                    await refused(error, answer).pass_on(send)

    async def _show(self, context, answer, waiter, gone, scope, send):
        stream, polled = _Stream(send), time.monotonic()
        await stream.open(answer)
        while True:
            waiter.status = context.status
            if not await stream.send(answer, waiter.changed, gone):
                break
            if not await rest(gone, polled + _BETWEEN - time.monotonic()):
                break
            waiter.changed.clear()
            context, polled = PollContext(again=True, frames=_FRAMES_AHEAD), time.monotonic()
            answer = await self._poll(scope, context)
        if not gone.done():
            await stream.close()


class _Stream:
    """Server-sent events: a ``frame`` each second, a ``state`` whenever that changes."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._state: str | None = None

    async def open(self, answer: Answer) -> None:
        """Send the head, with the SAFE_HEADERS of the first poll."""
        headers = [pair for pair in answer.headers if bytes(pair[0]).lower() in SAFE_HEADERS]
        headers += [
            (b"content-type", b"text/event-stream"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

    async def close(self) -> None:
        """End the stream: an empty last part."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def send(self, answer: Answer, changed: asyncio.Event, gone: asyncio.Task[None]) -> bool:
        """Send what one poll found, frames in their time; True when the next poll is due, False at the stream's end."""
        if answer.status == 200:
            await self._tell_state("PENDING")
            return await self._frames(json.loads(answer.body), changed, gone)
        state = _state(answer)
        if state is None:
            return False
        await self._tell_state(state)
        return state == "IN_PROGRESS" and await pause(changed, gone, _AFRESH)

    async def _tell_state(self, state: str) -> None:
        if state != self._state:
            self._state = state
            await self._event("state", {"state": state})

    async def _frames(self, frames: list[dict[str, Any]], changed: asyncio.Event, gone: asyncio.Task[None]) -> bool:
        """Send each frame in its second, ``t``, and skip those that are past; False when the caller has left."""
        for frame in frames:
            if frame["t"] + 1 > time.time():
                await self._event("frame", frame)
                if not await pause(changed, gone, frame["t"] + 1 - time.time()):
                    return False
                if time.time() < frame["t"] + 1:
                    return True  # It changed: poll.
        return True

    async def _event(self, name: str, data: dict[str, Any]) -> None:
        body = f"event: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
        await self._send({"type": "http.response.body", "body": body, "more_body": True})


def _state(answer: Answer) -> str | None:
    """The operation's state that a 409 names, the answer where there are no frames any more; None for other answers."""
    if answer.status != 409:
        return None
    return json.loads(answer.body).get("state")
