"""Lasting connections to Redis, shared by all that a process asks it: one packet there and one back, nothing else.

redis-py's client costs three times as much a call: docs/decisions/0035-strangers-pay-by-address.md.
"""

import os
from collections.abc import Sequence
from functools import cache
from hashlib import sha1
from typing import Any

import redis

TIMEOUT = 0.5
"""Seconds that one call waits for Redis, to connect and to hear."""
Command = Sequence[str | bytes | int | float]


class Connections:
    """Those to one server: as many as threads ask it at the same time, used by turns and kept."""

    def __init__(self, url: str) -> None:
        # The pool only reads the address. Its own lending looks whether a connection has something to say each time.
        pool = redis.ConnectionPool.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
        self._class, self._options = pool.connection_class, pool.connection_kwargs
        self._idle: list[redis.Connection] = []
        # A child that shared a socket with its parent would read the parent's answers.
        os.register_at_fork(after_in_child=self._idle.clear)

    def ask(self, *commands: Command) -> list[Any]:
        """Send the commands in one packet; their answers. Raises redis.RedisError.

        One more try where the connection was an old one, which Redis may have closed meanwhile.
        """
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._ask(self._class(**self._options), commands)
        try:
            return self._ask(connection, commands)
        except (redis.ConnectionError, redis.TimeoutError):
            # The others are as old.
            self._idle.clear()
            return self._ask(self._class(**self._options), commands)

    def _ask(self, connection: redis.Connection, commands: Sequence[Command]) -> list[Any]:
        try:
            connection.send_packed_command(connection.pack_commands(commands))
            answers = [connection.read_response() for _ in commands]
        except BaseException:
            # An answer may still be on its way.
            connection.disconnect()
            raise
        self._idle.append(connection)
        return answers


class Script:
    """Lua that Redis runs as one step; sent as its SHA-1, and whole where Redis does not know it yet."""

    def __init__(self, text: str) -> None:
        self._text, self._name = text, sha1(text.encode(), usedforsecurity=False).hexdigest()

    def run(self, connections: Connections, keys: Sequence[str], values: Sequence[str | int]) -> Any:
        """What it returns. Raises redis.RedisError."""
        try:
            return connections.ask(("EVALSHA", self._name, len(keys), *keys, *values))[0]
        except redis.exceptions.NoScriptError:
            return connections.ask(("EVAL", self._text, len(keys), *keys, *values))[0]


@cache
def connections_to(url: str) -> Connections:
    """The process's connections to this server."""
    return Connections(url)
