"""A webhook receiver that answers at once or never, as a process of its own: ``python -m bench.receiver fast``.

Prints its port. ``GET /`` answers when, on this machine's monotonic clock, each callback came first.
"""

import asyncio
import contextlib
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_ID = re.compile(rb"\r\nwebhook-id: *([0-9a-f-]{36})")
_OPERATION = re.compile(rb'"operationId": ?"([0-9a-f-]{36})"')


class Receiver:
    """A receiver's process, seen from the one that started it."""

    def __init__(self, port: int, pid: int) -> None:
        self.url, self.pid = f"http://127.0.0.1:{port}/", pid

    def receipts(self) -> dict[str, float]:
        """Monotonic seconds of each first callback, by the event's id and, where it is about one, the operation's."""
        with urllib.request.urlopen(self.url) as answer:  # noqa: S310 - our own process
            return json.load(answer)


@contextlib.contextmanager
def running(kind: str = "fast") -> Iterator[Receiver]:
    """``fast`` answers 204 at once, ``hang`` reads and never answers."""
    command = [sys.executable, "-m", "bench.receiver", kind]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)  # noqa: S603 - our own command
    try:
        yield Receiver(int(process.stdout.readline()), process.pid)
    finally:
        process.terminate()
        process.wait()


async def _serve(kind: str) -> None:
    receipts: dict[str, float] = {}

    async def answer(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if head.startswith(b"get"):
                    told = json.dumps(receipts).encode()
                    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told) + told)
                    break
                body = await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
                if kind == "hang":
                    await asyncio.sleep(3600)
                for found in (_ID.search(head), _OPERATION.search(body)):
                    if found:
                        receipts.setdefault(found[1].decode(), time.monotonic())
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
