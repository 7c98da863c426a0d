"""One look: the application's whole answer to one request, as it is at this moment."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from mobileid.waiting.asked import KEY, Asked


@dataclass(slots=True)
class Answer:
    """A buffered HTTP answer."""

    status: int = 500
    headers: list = field(default_factory=list)
    body: bytes = b""

    async def pass_on(self, send):
        """Send it to the caller."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


async def look(app, scope, asked: Asked) -> Answer:
    """Ask the application; its thread and connection are free again when this returns."""
    answer, parts, asked_once = Answer(), [], False

    async def receive():
        nonlocal asked_once
        if not asked_once:
            asked_once = True
            return {"type": "http.request", "body": b"", "more_body": False}
        # The application listens for a caller who leaves; the middleware does that itself.
        return await asyncio.get_running_loop().create_future()

    async def send(message):
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], list(message.get("headers", ()))
        else:
            parts.append(message.get("body", b""))

    await app({**scope, KEY: asked}, receive, send)
    answer.body = b"".join(parts)
    return answer


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


async def pause(rung: asyncio.Event, gone: asyncio.Task, seconds: float) -> bool:
    """Until the bell rings, the caller leaves or the time is over; False when the caller has left."""
    ring = asyncio.ensure_future(rung.wait())
    try:
        await asyncio.wait({ring, gone}, timeout=max(seconds, 0), return_when=asyncio.FIRST_COMPLETED)
    finally:
        ring.cancel()
    rung.clear()
    return not gone.done()
