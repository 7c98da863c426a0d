"""``manage.py bench_waiting``: how the web server fares with thousands of callers who wait.

Starts a web server of its own on a free port and stays on this machine. What it makes stays in the configured database:
take one that is thrown away.
"""

import asyncio
import json
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from bench.load import figures, stats_of
from config.demo import supervisor
from config.demo.integrator import Account, Integrator
from mobileid.models import Operation
from mobileid.services import applications, completion, operations
from mobileid.services.registration import by_integrator
from reuseid.actors import SYSTEM, Actor
from reuseid.ingress import server
from reuseid.services import accounts, clients
from reuseid.services.people import users

CORE = "/mobileid/core/"
CONTENT = {"title": "Sign in", "mimeType": "text/plain", "content": "Sign in?"}
WAIT = 30
RAMP = 150
"""Callers that begin each second."""
PATIENCE = 60


@dataclass
class Crowd:
    """What is asked for, and what came of it."""

    port: int
    health_port: int
    deadline: float
    answers: Counter = field(default_factory=Counter)
    waiting: int = 0
    frames: int = 0
    late: list[float] = field(default_factory=list)
    woken: list[float] = field(default_factory=list)
    canceled: dict[str, float] = field(default_factory=dict)
    probes: dict[str, list[float]] = field(default_factory=dict)


class Command(BaseCommand):
    """Figures for docs/operating.md; nothing is asserted."""

    help = "Open long polls and QR streams at a web server of this machine; print how they fare, /healthz and memory."

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument(
            "--waiters", type=int, default=5000, help="Long polls, each begun anew when answered (5000)."
        )
        parser.add_argument("--streams", type=int, default=50, help="QR streams (50).")
        parser.add_argument("--per-operation", type=int, default=10, help="Streams of one operation (10).")
        parser.add_argument("--silent", type=int, default=0, help="Connections that say nothing, begun anew (0).")
        parser.add_argument("--clients", type=int, default=4, help="API clients, each of an account of its own (4).")
        parser.add_argument("--workers", type=int, default=1, help="Workers of the web server (1).")
        parser.add_argument("--seconds", type=int, default=60, help="How long all of them stay; at most 600 (60).")
        parser.add_argument("--yes", action="store_true", help="This database may be filled with made-up operations.")

    def handle(self, *args, yes, **options):
        """Seed, start, load, print."""
        if not yes or settings.PRODUCTION:
            raise CommandError("It fills the database with made-up operations: say --yes, and not in production.")
        server.open_files()
        port, health = supervisor.free_port(), supervisor.free_port()
        address = f"http://127.0.0.1:{port}"
        self.stdout.write("Making operations …")
        waited = [_Tenant(address, options) for _ in range(options["clients"])]
        connections.close_all()
        env = {"PORT": str(port), "PUBLIC_URL": address, "HEALTH_LISTEN": f"127.0.0.1:{health}"}
        with supervisor.stopping_on_signals(), supervisor.Supervisor(env) as running:
            log = settings.STATE_DIR / "log" / "bench.log"
            web = running.start("web server", server.command(port, workers=options["workers"]), log).process.pid
            if not running.wait(PATIENCE, lambda: supervisor.answers(port)):
                raise CommandError(f"The web server does not answer; its log: {log}")
            for tenant in waited:
                tenant.sign_in()
            self._say("before", stats_of(web))
            crowd = Crowd(port, health, time.monotonic() + min(options["seconds"], 600))
            crowd.deadline += options["waiters"] / RAMP
            asyncio.run(self._load(crowd, waited, options, web))

    async def _load(self, crowd, tenants, options, web):
        tasks = [asyncio.ensure_future(_probe(crowd, name)) for name in ("healthz", "HEALTH_LISTEN", "ordinary call")]
        crowd.token = tenants[0].token
        tasks += [asyncio.ensure_future(_silent(crowd)) for _ in range(options["silent"])]
        for number in range(options["streams"]):
            tasks.append(asyncio.ensure_future(_stream(crowd, *tenants[number % len(tenants)].stream(number, options))))
        for number in range(options["waiters"]):
            tasks.append(asyncio.ensure_future(_poll(crowd, *tenants[number % len(tenants)].poll(number))))
            await asyncio.sleep(1 / RAMP)
        self._say("all there", stats_of(web) | {"waiting": crowd.waiting})
        crowd.probes.clear()
        cpu = stats_of(web)["CPU s"]
        begun = time.monotonic()
        await asyncio.sleep(max(crowd.deadline - time.monotonic() - 5, 0))
        spent = (stats_of(web)["CPU s"] - cpu) / (time.monotonic() - begun)
        self._say("at the end", stats_of(web) | {"waiting": crowd.waiting, "CPU": f"{spent:.0%}"})
        for tenant in tenants:
            await sync_to_async(tenant.cancel)(crowd)
        await asyncio.sleep(5)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._say("answers", crowd.answers)
        self._say("QR frames", {"shown": crowd.frames})
        self._say("answers after their 30 s", figures(crowd.late))
        self._say("hearing of an end", figures(crowd.woken))
        for name, seconds in crowd.probes.items():
            self._say(name, figures(seconds))

    def _say(self, label, found):
        self.stdout.write(f"{label:<26} " + "  ".join(f"{name} {value}" for name, value in found.items()))
        self.stdout.flush()


class _Tenant:
    """An account with a client and operations that are waited for."""

    OPERATIONS = 100

    def __init__(self, address, options):
        name = f"Bench {uuid.uuid4()}"
        self._account = accounts.create(name, actor=SYSTEM)
        client, secret = clients.create(self._account, name=name, actor=SYSTEM)
        application = applications.create_application(self._account, name=name[:50], server=address, actor=SYSTEM)
        self._login = Account(address, client.client_id, secret, {})
        person = users.create(self._account, actor=SYSTEM)
        terms = {"user": person, "application": application, "actor": Actor.client(client), "allow_parallel": True}
        self._waited = [
            by_integrator.start_registration(self._account, expires_in=3600, **terms)[0] for _ in range(self.OPERATIONS)
        ]
        streamed = -(-options["streams"] // options["per_operation"])
        self._streamed = [
            operations.start_authentication(self._account, actor=SYSTEM, binding="QR", content=CONTENT, expires_in=600)[
                0
            ]
            for _ in range(streamed)
        ]

    def sign_in(self):
        with Integrator(self._login) as bank:
            bank.sign_in()
            self.token = bank.http.headers["Authorization"]

    def poll(self, number):
        operation = self._waited[number % self.OPERATIONS]
        return f"{CORE}registrations/{operation.pk}?wait={WAIT}", self.token, str(operation.pk)

    def stream(self, number, options):
        operation = self._streamed[number // options["per_operation"] % len(self._streamed)]
        return f"{CORE}authentications/{operation.pk}/qr/stream", self.token

    def cancel(self, crowd):
        """End a few, a moment apart, so that hearing of one is not measured with another's crowd."""
        for operation in self._waited[:5]:
            crowd.canceled[str(operation.pk)] = time.monotonic()
            completion.cancel(Operation.objects.get(pk=operation.pk), actor=SYSTEM)
            time.sleep(0.1)
        connections.close_all()


async def _ask(port, path, token=""):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    extra = f"Authorization: {token}\r\n" if token else ""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{extra}\r\n".encode())
    return reader, writer


async def _answer(port, path, token=""):
    reader, writer = await _ask(port, path, token)
    try:
        raw = await reader.read()
    finally:
        writer.close()
    return raw.split(b" ", 2)[1].decode() if raw else "none", raw.partition(b"\r\n\r\n")[2]


async def _poll(crowd, path, token, operation_id):
    while time.monotonic() < crowd.deadline:
        begun = time.monotonic()
        crowd.waiting += 1
        try:
            status, body = await _answer(crowd.port, path, token)
        except OSError as error:
            status, body = type(error).__name__, b""
        finally:
            crowd.waiting -= 1
        crowd.answers[status] += 1
        if status != "200":
            await asyncio.sleep(5)
        elif json.loads(body)["state"] == "CANCELED":
            crowd.woken.append(time.monotonic() - crowd.canceled.get(operation_id, begun))
            return
        else:
            crowd.late.append(time.monotonic() - begun - WAIT)


async def _stream(crowd, path, token):
    try:
        reader, writer = await _ask(crowd.port, path, token)
    except OSError as error:
        crowd.answers[f"stream {type(error).__name__}"] += 1
        return
    status = (await reader.readline()).split(b" ")[1].decode()
    crowd.answers[f"stream {status}"] += 1
    async for line in reader:
        crowd.frames += line.startswith(b"event: frame")
    writer.close()


async def _silent(crowd):
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", crowd.port)
            await reader.read()
            writer.close()
        except OSError:
            await asyncio.sleep(1)


async def _probe(crowd, name):
    port = crowd.health_port if name == "HEALTH_LISTEN" else crowd.port
    path = f"{CORE}devices?limit=1" if name == "ordinary call" else "/healthz"
    while True:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                status, _ = await _answer(port, path, crowd.token if name == "ordinary call" else "")
        except (OSError, TimeoutError) as error:
            status = type(error).__name__
        crowd.probes.setdefault(name, []).append(time.monotonic() - begun)
        if status != "200":
            crowd.answers[f"{name} {status}"] += 1
        await asyncio.sleep(0.25)
