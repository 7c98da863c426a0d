"""Places: how many requests are inside Django at the same time.

Under ASGI each request has a thread, and so a database connection, of its own. Without a bound a thousand callers would
be a thousand threads, each slower than the one before; with it they are a queue of coroutines.
"""

import asyncio

from django.conf import settings

from reuseid.api.errors import Busy
from reuseid.ingress import answers
from reuseid.ingress.held import KEY, Held

PATIENCE = 10
"""Seconds in the queue after which a caller is asked to come again (503)."""


class Places:
    """Lets REQUESTS_AT_ONCE in. A place is free again when the answer begins: who reads it slowly, or whose answer is
    held back (`reuseid.ingress.held`), holds none."""

    def __init__(self, app):
        self.app, self._free = app, None

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if self._free is None:
            # Made on the loop that serves.
            self._free = asyncio.Semaphore(settings.REQUESTS_AT_ONCE)
        try:
            async with asyncio.timeout(PATIENCE):
                await self._free.acquire()
        except TimeoutError:
            return await answers.refusal(scope, Busy("All places are taken.")).pass_on(send)
        inside, held = True, Held()

        def leave():
            nonlocal inside
            if inside:
                inside = False
                self._free.release()

        async def leaving(message):
            if message["type"] == "http.response.start":
                leave()
                await asyncio.sleep(held.seconds)
            await send(message)

        try:
            await self.app({**scope, KEY: held}, receive, leaving)
        finally:
            leave()
