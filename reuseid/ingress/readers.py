"""Readers: callers who ask and then don't take the answer."""

import asyncio
import contextlib

SECONDS = 30
"""How long a part of an answer may wait for its reader."""
_GRACE = 1


class _Stuck(Exception):
    """The reader takes nothing."""


class Readers:
    """A caller whose connection takes nothing for SECONDS has left: the application hears so, as of a disconnect."""

    def __init__(self, app, seconds: float = SECONDS):
        self.app, self._seconds = app, seconds

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        stuck, listener = False, None

        async def patient_send(message):
            nonlocal stuck
            try:
                async with asyncio.timeout(self._seconds):
                    await send(message)
            except TimeoutError:
                stuck = True
                if listener:
                    listener.cancel()
                # Django ends what it was about when it hears of a disconnect; who doesn't listen is ended here.
                await asyncio.sleep(_GRACE)
                raise _Stuck from None

        async def receive_or_stuck():
            nonlocal listener
            listener = asyncio.current_task()
            try:
                return {"type": "http.disconnect"} if stuck else await receive()
            except asyncio.CancelledError:
                # Ours, or somebody else's.
                if not stuck or listener.uncancel():
                    raise
                return {"type": "http.disconnect"}
            finally:
                listener = None

        with contextlib.suppress(_Stuck):
            await self.app(scope, receive_or_stuck, patient_send)
