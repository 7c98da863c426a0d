"""One poll: the application's whole answer to one request, as it is at this moment."""

import asyncio
import contextlib
import json

from mobileid.waiting.poll_context import KEY, PollContext
from reuseid import tracing
from reuseid.api.errors import MEDIA_TYPE, problem
from reuseid.ingress.answers import Answer

SAFE_HEADERS = {b"x-trace-id", b"ratelimit", b"ratelimit-policy"}
"""Those of a poll that any other answer may carry on."""


async def poll(app, scope, context: PollContext) -> Answer:
    """Ask the application; its thread and connection are free again when this returns."""
    answer, parts, begun = Answer(), [], False

    async def receive():
        nonlocal begun
        if not begun:
            begun = True
            return {"type": "http.request", "body": b"", "more_body": False}
        # The application listens for a caller who leaves; the middleware does that itself.
        return await asyncio.get_running_loop().create_future()

    async def send(message):
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message.get("headers", ()))
        else:
            parts.append(message.get("body", b""))

    await app({**scope, KEY: context}, receive, send)
    answer.body = b"".join(parts)
    return answer


def refused(error, first: Answer | None) -> Answer:
    """The answer that tells an error to a caller whose first poll has found ``first``, if it came to one."""
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
async def leaving(receive):
    """A task that is done when the caller has left."""

    async def left():
        while (await receive())["type"] != "http.disconnect":
            pass

    task = asyncio.ensure_future(left())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


async def pause(changed: asyncio.Event, gone: asyncio.Task, seconds: float) -> bool:
    """Until there is a change, the caller leaves or the time is over; False when the caller has left."""
    change = asyncio.ensure_future(changed.wait())
    try:
        await asyncio.wait({change, gone}, timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED)
    finally:
        change.cancel()
    return not gone.done()


async def rest(gone: asyncio.Task, seconds: float) -> bool:
    """That time, if there is any; False when the caller has left."""
    if seconds > 0:
        await asyncio.wait({gone}, timeout=seconds)
    return not gone.done()
