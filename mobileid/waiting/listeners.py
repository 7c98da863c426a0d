"""Wakes those who wait when their operation changes. A process has one listener for all of them."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection

from mobileid.models import Operation
from mobileid.services.wakeups import CHANNEL

log = logging.getLogger(__name__)
_AT_ONCE = 1000
_GATHER = 0.1
"""Seconds in which those who ask are gathered for the next query."""


@dataclass(eq=False, slots=True)
class Waiter:
    """One who waits: ``changed`` is set when the operation may have another status than ``status``, the last seen.

    ``status`` is as stored, and empty before the first poll.
    """

    changed: asyncio.Event
    status: str = ""


class Listener:
    """Asks the database every half second. SQLite on a laptop needs no more.

    Its subclasses are told of changes, and ask too, less often: that finds what changed while they were not connected.
    Asking is one query for all who wait.
    """

    idle = poll = 0.5
    """Seconds between two queries while changes are told, and while they are not."""

    def __init__(self) -> None:
        self._waiting: dict[str, set[Waiter]] = {}
        self._asking: list[tuple[str, asyncio.Future[bool]]] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: tuple[asyncio.Task[None], ...] = ()
        self.hears = False

    @property
    def patience(self) -> float:
        """Seconds after which a change of which nobody told is found all the same."""
        return self.idle if self.hears else self.poll

    @contextlib.contextmanager
    def waiter(self, operation_id: str) -> Iterator[Waiter]:
        """A Waiter, woken whenever that operation changes."""
        self._start()
        waiter = Waiter(asyncio.Event())
        self._waiting.setdefault(operation_id, set()).add(waiter)
        try:
            yield waiter
        finally:
            others = self._waiting[operation_id]
            others.discard(waiter)
            if not others:
                del self._waiting[operation_id]

    async def has_changed(self, operation_id: str, waiter: Waiter) -> bool:
        """Whether the operation's status is another than the waiter's, or could not be read.

        One query serves all who ask within a tenth of a second.
        """
        asked: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asking.append((operation_id, asked))
        self._due.set()
        return not await asked or waiter.changed.is_set()

    def notify(self, operation_id: str) -> None:
        """Wake those who wait for that operation."""
        for waiter in self._waiting.get(operation_id, ()):
            waiter.changed.set()

    def _start(self) -> None:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._due = loop, asyncio.Event()
            self._tasks = (loop.create_task(self._listen_for_good()), loop.create_task(self._watch_for_good()))

    async def _watch_for_good(self) -> None:
        watched = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(watched + self.patience - time.monotonic()):
                    await self._due.wait()
            self._due.clear()
            asking, self._asking = self._asking, []
            ids = {operation_id for operation_id, _ in asking}
            if time.monotonic() >= watched + self.patience:
                ids, watched = set(self._waiting), time.monotonic()
            seen = await self._watch(list(ids))
            for _, asked in asking:
                if not asked.done():
                    asked.set_result(seen)
            await asyncio.sleep(_GATHER)

    async def _watch(self, ids: list[str]) -> bool:
        """Wake those whose operation has another status than they saw; False where the database did not answer."""
        try:
            stored = await sync_to_async(_stored, thread_sensitive=False)(ids) if ids else {}
        except (DatabaseError, InterfaceError) as error:
            log.warning("Changes are not looked for: %s.", type(error).__name__)
            return False
        except Exception:
            # Whatever it was, those who wait would wait for ever if this ended.
            log.exception("Changes are not looked for.")
            return False
        for operation_id in ids:
            for waiter in self._waiting.get(operation_id, ()):
                if waiter.status and waiter.status != stored.get(operation_id):
                    waiter.changed.set()
        return True

    async def _listen_for_good(self) -> None:
        while True:
            try:
                await self._listen()
                return
            except (redis.RedisError, psycopg.Error, OSError) as error:
                log.warning("Changes are not heard, so waiters look by themselves: %s.", type(error).__name__)
            self.hears = False
            await asyncio.sleep(1)

    def _begin_to_hear(self) -> None:
        self.hears = True
        # Whatever changed while nobody listened.
        loop = asyncio.get_running_loop()
        self._asking += [(operation_id, loop.create_future()) for operation_id in self._waiting]
        self._due.set()

    async def _listen(self) -> None:
        """Call `notify` for each change, until the connection breaks; returns at once where nothing tells of them."""


class RedisListener(Listener):
    """Redis publish/subscribe."""

    idle, poll = 10.0, 1.0

    async def _listen(self) -> None:
        client = redis.asyncio.from_url(settings.REDIS_URL, socket_connect_timeout=2)
        async with client, client.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(CHANNEL)
            self._begin_to_hear()
            async for message in channel.listen():
                self.notify(message["data"].decode("ascii", "replace"))


class PostgresListener(Listener):
    """PostgreSQL's LISTEN, on one connection of its own (not through a pooler that shares connections)."""

    idle, poll = 10.0, 1.0

    async def _listen(self) -> None:
        database = connection.settings_dict
        options = {name: value for name, value in database["OPTIONS"].items() if name.startswith(("ssl", "connect_"))}
        place = {
            "dbname": database["NAME"],
            "user": database["USER"],
            "password": database["PASSWORD"],
            "host": database["HOST"],
            "port": database["PORT"],
        }
        place = {name: value for name, value in place.items() if value}
        async with await psycopg.AsyncConnection.connect(autocommit=True, **place, **options) as session:
            await session.execute(f"LISTEN {CHANNEL}")
            self._begin_to_hear()
            async for notice in session.notifies():
                self.notify(notice.payload)


def _stored(ids: list[str]) -> dict[str, str]:
    """The statuses of operations, by id. Closes the connection of its thread."""
    try:
        found: dict[str, str] = {}
        for start in range(0, len(ids), _AT_ONCE):
            some = Operation.objects.filter(pk__in=ids[start : start + _AT_ONCE])
            found |= {str(pk): status for pk, status in some.values_list("pk", "status")}
        return found
    finally:
        connection.close()


def make_listener() -> Listener:
    """The listener for this installation: to Redis if there is one, else to PostgreSQL, else to nothing."""
    if settings.REDIS_URL:
        return RedisListener()
    return PostgresListener() if connection.vendor == "postgresql" else Listener()
