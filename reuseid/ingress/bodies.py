"""Bodies: read before Django is asked, bounded in bytes and in time, and kept in memory alone.

Django would write any body to a temporary file, whole, before a middleware or a view could refuse it.
"""

import asyncio
import time

from django.conf import settings
from rest_framework.exceptions import APIException

from reuseid.api.authentication import BearerAuthentication
from reuseid.api.errors import FRAMEWORK, BodyTooLarge, BodyTooSlow, Busy
from reuseid.errors import ServiceError
from reuseid.ingress import allowances, answers

RATE = 64 * 1024
"""Bytes; each that have come give the rest another second."""


class _Left(Exception):
    """The caller went away in the middle."""


class Bodies:
    """Refuses with 413, 401, 408 or 503, or hands the whole body to the application."""

    def __init__(self, app, threads):
        self.app, self._threads, self._held = app, threads, 0

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        if not _has_body(scope):
            return await self.app(scope, _replay(b"", receive), send)
        body = bytearray()
        try:
            await self._read(scope, receive, body)
            return await self.app(scope, _replay(bytes(body), receive), send)
        except _Refused as refused:
            await answers.refusal(scope, refused.error, **refused.headers).pass_on(send)
        except _Left:
            pass
        finally:
            self._held -= len(body)

    async def _read(self, scope, receive, body):
        announced, limit, begun = _announced(scope), allowances.EVERYBODY, time.monotonic()
        if announced > limit:
            limit = await self._raised(scope, announced)
        more = True
        while more:
            left = settings.BODY_SECONDS + len(body) / RATE - (time.monotonic() - begun)
            try:
                async with asyncio.timeout(left):
                    message = await receive()
            except TimeoutError:
                error = BodyTooSlow(f"It must begin within {settings.BODY_SECONDS} s and keep coming.")
                raise _Refused(error) from None
            if message["type"] == "http.disconnect":
                raise _Left
            part, more = message.get("body", b""), message.get("more_body", False)
            if len(body) + len(part) > limit:
                limit = await self._raised(scope, len(body) + len(part))
            if self._held + len(part) > settings.BODY_MEMORY:
                raise _Refused(Busy("Many large bodies are being received."))
            body += part
            self._held += len(part)

    async def _raised(self, scope, wanted):
        """The limit of a caller who sends more than everybody may."""
        most = allowances.most(scope["path"])
        if wanted > most:
            raise _Refused(BodyTooLarge(f"At most {most} bytes."))
        try:
            await self._threads.run(allowances.prove_known, scope)
        except Busy as error:
            raise _Refused(error) from None
        except APIException as error:
            unknown = ServiceError(f"{error.detail} Without that, at most {allowances.EVERYBODY} bytes are read.")
            unknown.status, (unknown.code, unknown.title) = 401, FRAMEWORK[401]
            raise _Refused(unknown, **_challenge(scope)) from None
        return most


class _Refused(Exception):
    def __init__(self, error, **headers):
        self.error, self.headers = error, headers


def _challenge(scope):
    if scope["path"].startswith(allowances.BACK_OFFICE):
        return {}
    return {"www-authenticate": BearerAuthentication().authenticate_header(None)}


def _has_body(scope):
    # HTTP/2 needs neither header.
    return (
        _announced(scope) > 0
        or answers.header(scope, b"transfer-encoding") is not None
        or (scope["http_version"] == "2" and scope["method"] not in {"GET", "HEAD"})
    )


def _announced(scope) -> int:
    """Content-Length; 0 where there is none. The server has refused what is no number."""
    text = answers.header(scope, b"content-length") or b"0"
    return int(text) if text.isdigit() else 0


def _replay(body, receive):
    """A receive() that gives the body at once, and then what comes after it."""
    given = False

    async def again():
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
