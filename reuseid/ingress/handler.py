"""Django behind ASGI in one hop: its synchronous stack makes the whole answer in a lasting thread, the loop sends it.

Django's own handler takes a thread for each request, and goes to and fro between it and the loop. Its other ways are
kept: signals around a request, what is refused before there is one, streams, an answer's end.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator

from django.core.handlers.asgi import ASGIHandler, get_script_prefix
from django.core.signals import request_started
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.urls import set_script_prefix

from reuseid.api.errors import Busy
from reuseid.ingress import answers
from reuseid.ingress.held import KEY, Held
from reuseid.ingress.threads import Threads

_END = object()


class Handler(ASGIHandler):
    """A thread is free again when the answer is made: who reads it slowly, or whose answer is held back
    (`reuseid.ingress.held`), holds none. A stream takes one for each part, so its iterator must not count on the thread
    (a cursor that stays open, say)."""

    def __init__(self, threads: Threads) -> None:
        self._threads = threads
        super().__init__()

    def load_middleware(self, is_async=False):
        """The synchronous stack, whatever is asked for."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope, receive, send):
        body = await _whole(receive)
        if body is None:
            return
        held = Held()
        try:
            response = await self._threads.run(self._respond, {**scope, KEY: held}, body)
        except Busy as error:
            await answers.refusal(scope, error).pass_on(send)
            return
        if held.until:
            await asyncio.sleep(held.seconds)
        if response.streaming:
            await self._stream(response, receive, send)
        else:
            await self.send_response(response, send)

    def _respond(self, scope, body: bytes) -> HttpResponse | StreamingHttpResponse:
        set_script_prefix(get_script_prefix(scope))
        request_started.send(sender=self.__class__, scope=scope)
        request, response = self.create_request(scope, io.BytesIO(body))
        if request is not None:
            response = self.get_response(request)
        response._handler_class = self.__class__
        if isinstance(response, FileResponse):
            response.block_size = self.chunk_size
        if not response.streaming:
            # Its content is in memory, and this is the thread whose connection was used.
            response.close()
        return response

    async def _stream(self, response, receive, send) -> None:
        """Part after part, until the end or until the caller leaves."""
        if not response.is_async:
            response.streaming_content = self._drawn(iter(response))
        sending, leaving = (
            asyncio.ensure_future(self.send_response(response, send)),
            asyncio.ensure_future(_left(receive)),
        )
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
        finally:
            sending.cancel()
            leaving.cancel()
            await self._threads.run(response.close)

    async def _drawn(self, parts: Iterator[bytes]) -> AsyncIterator[bytes]:
        while (part := await self._threads.run(next, parts, _END)) is not _END:
            yield part


async def _left(receive) -> None:
    """The caller has left. What comes before that is no end: a server may have yet to say that there is no body."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _whole(receive) -> bytes | None:
    """The body, which `reuseid.ingress.bodies` has bounded; None where the caller has left."""
    parts = []
    while (message := await receive())["type"] != "http.disconnect":
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
    return None
