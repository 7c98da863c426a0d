"""A way to PostgreSQL that counts what goes along it, by the protocol's own messages; it changes nothing.

(PostgreSQL, "Frontend/Backend Protocol": a statement is a Query or an Execute.) It costs time and CPU: what is counted
here is not timed.
"""

import asyncio
import contextlib
import re
import struct
import threading
from collections import Counter

_VERB = re.compile(rb"\s*(?:/\*.*?\*/\s*)*([A-Za-z]+)")
_KINDS = {"INSERT": "writes", "UPDATE": "writes", "DELETE": "writes", "MERGE": "writes"}
_KINDS |= {"BEGIN": "begins", "START": "begins", "COMMIT": "commits", "ROLLBACK": "rollbacks"}
_KINDS |= {"SAVEPOINT": "savepoints", "RELEASE": "savepoints", "SET": "sets", "RESET": "sets", "DISCARD": "sets"}
_WRITE_WITHIN = re.compile(rb"\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM)\b", re.IGNORECASE)


class Counting:
    """``with Counting(host, port) as c``: connect to 127.0.0.1 at ``c.port``, without TLS; ``c.counts`` goes on."""

    def __init__(self, host: str, port: int) -> None:
        self.counts: Counter[str] = Counter()
        self.port = 0
        self._server = (host, port)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()

    def __enter__(self) -> "Counting":
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),), daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_) -> None:
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join()
        self._loop.close()

    async def _run(self) -> None:
        self._done = asyncio.Event()
        listening = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.port = listening.sockets[0].getsockname()[1]
        self._ready.set()
        await self._done.wait()
        listening.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _relay(self, reader, writer) -> None:
        host, port = self._server
        if host.startswith("/"):
            there, back = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            there, back = await asyncio.open_connection(host, port)
        self.counts["connections"] += 1
        answers = asyncio.ensure_future(_pipe(there, writer))
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                await self._messages(reader, back)
        finally:
            back.close()
            writer.close()
            answers.cancel()

    async def _messages(self, reader, back) -> None:
        length = await reader.readexactly(4)
        back.write(length + await reader.readexactly(struct.unpack("!i", length)[0] - 4))
        prepared: dict[bytes, bytes] = {}
        portals: dict[bytes, bytes] = {}
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)
            back.write(head + body)
            await back.drain()
            kind = head[:1]
            if kind == b"Q":
                self._count(body)
            elif kind == b"P":
                name, text, _types = body.split(b"\0", 2)
                prepared[name] = text
                self.counts["parses"] += 1
            elif kind == b"B":
                portal, name, _values = body.split(b"\0", 2)
                portals[portal] = prepared.get(name, b"")
            elif kind == b"E":
                self._count(portals.get(body.partition(b"\0")[0], b""))

    def _count(self, text: bytes) -> None:
        found = _VERB.match(text)
        verb = found[1].decode().upper() if found else ""
        kind = _KINDS.get(verb, "reads")
        if verb == "WITH" and _WRITE_WITHIN.search(text):
            kind = "writes"
        self.counts[kind] += 1


async def _pipe(reader, writer) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
