"""Callers who wait at a web server of this machine: long polls and QR streams, and what came of them."""

import asyncio
import contextlib
import json
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from asgiref.sync import sync_to_async
from django.db import connections

from bench.load import figures
from config.demo.integrator import Account, Integrator
from mobileid.models import Operation
from mobileid.services import applications, completion, operations
from mobileid.services.registration import by_integrator
from reuseid.actors import SYSTEM, Actor
from reuseid.services import accounts, clients
from reuseid.services.people import users

CORE = "/mobileid/core/"
CONTENT = {"title": "Sign in", "mimeType": "text/plain", "content": "Sign in?"}
WAIT = 30
RAMP = 150
"""Callers that begin each second."""
PATIENCE = 60
LAST_SECONDS = 5
"""Within which those whose operation was canceled hear of it."""


class Tenant:
    """An account with a client and operations that are waited for."""

    OPERATIONS = 100

    def __init__(self, address: str, streams: int, per_operation: int) -> None:
        name = f"Bench {uuid.uuid4()}"
        self._account = accounts.create(name, actor=SYSTEM)
        client, secret = clients.create(self._account, name=name, actor=SYSTEM)
        application = applications.create_application(self._account, name=name[:50], server=address, actor=SYSTEM)
        self._login = Account(address, client.client_id, secret, {})
        self._per_operation = per_operation
        person = users.create(self._account, actor=SYSTEM)
        terms = {"user": person, "application": application, "actor": Actor.client(client), "allow_parallel": True}
        self._waited = [
            by_integrator.start_registration(self._account, expires_in=3600, **terms)[0] for _ in range(self.OPERATIONS)
        ]
        terms = {"actor": SYSTEM, "binding": "QR", "content": CONTENT, "expires_in": 600}
        self._streamed = [
            operations.start_authentication(self._account, **terms)[0] for _ in range(-(-streams // per_operation))
        ]

    def sign_in(self) -> None:
        """Get a token from the server, which runs now."""
        with Integrator(self._login) as bank:
            bank.sign_in()
            self.token = bank.http.headers["Authorization"]

    def poll(self, number: int) -> tuple[str, str, str]:
        """Path, token and operation of a long poll."""
        operation = self._waited[number % self.OPERATIONS]
        return f"{CORE}registrations/{operation.pk}?wait={WAIT}", self.token, str(operation.pk)

    def stream(self, number: int) -> tuple[str, str]:
        """Path and token of a QR stream."""
        operation = self._streamed[number // self._per_operation % len(self._streamed)]
        return f"{CORE}authentications/{operation.pk}/qr/stream", self.token

    def cancel(self, canceled: dict[str, float]) -> None:
        """End a few, a moment apart, so that hearing of one is not measured with another's crowd."""
        for operation in self._waited[:5]:
            canceled[str(operation.pk)] = time.monotonic()
            completion.cancel(Operation.objects.get(pk=operation.pk), actor=SYSTEM)
            time.sleep(0.1)
        connections.close_all()


@dataclass
class Crowd:
    """Who waits, beside probes of the server, and what came of them.

    ``async with crowd.gathered(): …`` for as long as they stay; then `disperse`, within the block.
    """

    tenants: Sequence[Tenant]
    port: int
    health_port: int = 0
    answers: Counter = field(default_factory=Counter)
    waiting: int = 0
    frames: int = 0
    late: list[float] = field(default_factory=list)
    woken: list[float] = field(default_factory=list)
    canceled: dict[str, float] = field(default_factory=dict)
    probes: dict[str, list[float]] = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def gathered(self, waiters: int, streams: int, silent: int = 0) -> AsyncIterator[None]:
        """All are there when the block begins, and gone when it ends."""
        names = ["healthz", "ordinary call", *(["HEALTH_LISTEN"] if self.health_port else [])]
        tasks = [asyncio.ensure_future(self._probe(name)) for name in names]
        tasks += [asyncio.ensure_future(self._silent()) for _ in range(silent)]
        try:
            for number in range(streams):
                tasks.append(asyncio.ensure_future(self._stream(*self._tenant(number).stream(number))))
            for number in range(waiters):
                tasks.append(asyncio.ensure_future(self._poll(*self._tenant(number).poll(number))))
                await asyncio.sleep(1 / RAMP)
            self.probes.clear()
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def disperse(self) -> None:
        """Some of the operations end, and whoever waits for them hears of it."""
        for tenant in self.tenants:
            await sync_to_async(tenant.cancel)(self.canceled)
        await asyncio.sleep(LAST_SECONDS)

    def figures(self) -> dict[str, dict]:
        """By label."""
        found = {
            "answers": self.answers,
            "QR frames": {"shown": self.frames},
            "answers after their 30 s": figures(self.late),
            "hearing of an end": figures(self.woken),
        }
        return found | {name: figures(seconds) for name, seconds in self.probes.items()}

    def _tenant(self, number: int) -> Tenant:
        return self.tenants[number % len(self.tenants)]

    async def _poll(self, path: str, token: str, operation_id: str) -> None:
        while True:
            begun = time.monotonic()
            self.waiting += 1
            try:
                status, body = await _answer(self.port, path, token)
            except OSError as error:
                status, body = type(error).__name__, b""
            finally:
                self.waiting -= 1
            self.answers[status] += 1
            if status != "200":
                await asyncio.sleep(5)
            elif json.loads(body)["state"] == "CANCELED":
                self.woken.append(time.monotonic() - self.canceled.get(operation_id, begun))
                return
            else:
                self.late.append(time.monotonic() - begun - WAIT)

    async def _stream(self, path: str, token: str) -> None:
        try:
            reader, writer = await _ask(self.port, path, token)
        except OSError as error:
            self.answers[f"stream {type(error).__name__}"] += 1
            return
        status = (await reader.readline()).split(b" ")[1].decode()
        self.answers[f"stream {status}"] += 1
        async for line in reader:
            self.frames += line.startswith(b"event: frame")
        writer.close()

    async def _silent(self) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                await reader.read()
                writer.close()
            except OSError:
                await asyncio.sleep(1)

    async def _probe(self, name: str) -> None:
        port = self.health_port if name == "HEALTH_LISTEN" else self.port
        path = f"{CORE}devices?limit=1" if name == "ordinary call" else "/healthz"
        token = self.tenants[0].token if name == "ordinary call" else ""
        while True:
            begun = time.monotonic()
            try:
                async with asyncio.timeout(PATIENCE):
                    status, _ = await _answer(port, path, token)
            except (OSError, TimeoutError) as error:
                status = type(error).__name__
            self.probes.setdefault(name, []).append(time.monotonic() - begun)
            if status != "200":
                self.answers[f"{name} {status}"] += 1
            await asyncio.sleep(0.25)


async def _ask(port: int, path: str, token: str = "") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    extra = f"Authorization: {token}\r\n" if token else ""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{extra}\r\n".encode())
    return reader, writer


async def _answer(port: int, path: str, token: str = "") -> tuple[str, bytes]:
    reader, writer = await _ask(port, path, token)
    try:
        raw = await reader.read()
    finally:
        writer.close()
    return raw.split(b" ", 2)[1].decode() if raw else "none", raw.partition(b"\r\n\r\n")[2]
