"""What the middleware does for one call: ask the application, refuse, pause, notice that the caller has left."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

from mobileid.waiting.asgi import Application, Message, Receive, Scope
from mobileid.waiting.poll_context import KEY, PollContext
from reuseid import tracing
from reuseid.api.errors import MEDIA_TYPE, Busy, problem
from reuseid.errors import TooMany
from reuseid.ingress.answers import Answer

SAFE_HEADERS = {b"x-trace-id", b"ratelimit", b"ratelimit-policy"}
"""Headers of a poll, in small letters, that a refusal or a stream after it carries too."""


async def poll(app: Application, scope: Scope, context: PollContext) -> Answer:
    """The application's whole answer to a request without a body; its view reads and fills ``context``.

    Its thread and connection are free again when this returns.
    """
    answer, begun = Answer(), False
    parts: list[bytes] = []

    async def receive() -> Message:
        nonlocal begun
        if not begun:
            begun = True
            return {"type": "http.request", "body": b"", "more_body": False}
        # The application listens for a caller who leaves; the middleware does that itself.
        never: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        return await never

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message.get("headers", ()))
        else:
            parts.append(message.get("body", b""))

    await app({**scope, KEY: context}, receive, send)
    answer.body = b"".join(parts)
    return answer


def refused(error: TooMany | Busy, first: Answer | None) -> Answer:
    """The answer with problem details for an error; ``first`` is that of the first poll, None where there was none."""
    headers = [pair for pair in (first.headers if first else ()) if bytes(pair[0]).lower() in SAFE_HEADERS]
    trace_id = next((bytes(value).decode() for name, value in headers if bytes(name).lower() == b"x-trace-id"), "")
    if not trace_id:
        trace_id = tracing.begin()
        headers.append((b"x-trace-id", trace_id.encode()))
    told = problem(error.status, error.code, error.title, detail=error.detail) | {"traceId": trace_id}
    headers += [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"cache-control", b"no-store"),
        (b"retry-after", str(error.retry_after).encode()),
    ]
    return Answer(error.status, headers, json.dumps(told).encode())


@contextlib.asynccontextmanager
async def leaving(receive: Receive) -> AsyncIterator[asyncio.Task[None]]:
    """A task that is done when the caller has left; cancelled at the end of the block."""

    async def left() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.create_task(left())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


async def pause(changed: asyncio.Event, gone: asyncio.Task[None], seconds: float) -> bool:
    """Sleep until there is a change, the caller leaves or ``seconds`` are over; False when the caller has left."""
    change = asyncio.create_task(changed.wait())
    try:
        await asyncio.wait({change, gone}, timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED)
    finally:
        change.cancel()
    return not gone.done()


async def rest(gone: asyncio.Task[None], seconds: float) -> bool:
    """Sleep for ``seconds``, whatever changes, or until the caller leaves; False when the caller has left."""
    if seconds > 0:
        await asyncio.wait({gone}, timeout=seconds)
    return not gone.done()
