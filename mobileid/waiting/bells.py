"""What wakes those who wait for an operation: one listener a process, whoever and how many they are."""

import asyncio
import contextlib
import logging

import psycopg
import redis.asyncio
from django.conf import settings
from django.db import connection

from mobileid.services.wakeups import CHANNEL

log = logging.getLogger(__name__)


class Bell:
    """Nobody rings: waiters look again every half second. SQLite on a laptop needs no more."""

    idle = poll = 0.5
    """Seconds between two looks while the bell works, and while it does not."""

    def __init__(self):
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._loop = self._listener = None
        self.works = False

    @property
    def patience(self) -> float:
        """Seconds after which a waiter that hears nothing looks all the same."""
        return self.idle if self.works else self.poll

    @contextlib.contextmanager
    def waiter(self, operation_id: str):
        """An event that is set whenever that operation changes."""
        self._start()
        event = asyncio.Event()
        self._waiting.setdefault(operation_id, set()).add(event)
        try:
            yield event
        finally:
            others = self._waiting[operation_id]
            others.discard(event)
            if not others:
                del self._waiting[operation_id]

    def ring(self, operation_id: str):
        """That operation has changed."""
        for event in self._waiting.get(operation_id, ()):
            event.set()

    def ring_all(self):
        """Whatever was not heard while the listener was away: everybody looks."""
        for operation_id in list(self._waiting):
            self.ring(operation_id)

    def _start(self):
        loop = asyncio.get_running_loop()
        if self._loop is not loop or self._listener is None or self._listener.done():
            self._loop, self._listener = loop, loop.create_task(self._listen_for_good())

    async def _listen_for_good(self):
        while True:
            try:
                await self._listen()
                return
            except (redis.RedisError, psycopg.Error, OSError) as error:
                log.warning("Changes are not heard, so waiters look by themselves: %s.", type(error).__name__)
            self.works = False
            await asyncio.sleep(1)

    def _hears(self):
        self.works = True
        self.ring_all()

    async def _listen(self):
        """Nothing to hear."""


class RedisBell(Bell):
    """Redis publish/subscribe."""

    idle, poll = 10.0, 1.0

    async def _listen(self):
        client = redis.asyncio.from_url(settings.REDIS_URL, socket_connect_timeout=2)
        async with client, client.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(CHANNEL)
            self._hears()
            async for message in channel.listen():
                self.ring(message["data"].decode("ascii", "replace"))


class PostgresBell(Bell):
    """PostgreSQL's LISTEN, on one connection of its own (not through a pooler that shares connections)."""

    idle, poll = 10.0, 1.0

    async def _listen(self):
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
        async with await psycopg.AsyncConnection.connect(autocommit=True, **place, **options) as listener:
            await listener.execute(f"LISTEN {CHANNEL}")
            self._hears()
            async for notice in listener.notifies():
                self.ring(notice.payload)


def hung() -> Bell:
    """The bell that this installation has."""
    if settings.REDIS_URL:
        return RedisBell()
    return PostgresBell() if connection.vendor == "postgresql" else Bell()
