"""``manage.py bench_callbacks``: callbacks a second of one worker process, alone and beside a receiver that hangs.

Works in a database of its own beside the configured one, which is gone afterwards. The receivers are processes of their
own on this machine.
"""

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
import uuid

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection, transaction

from reuseid.actors import SYSTEM
from reuseid.event_scopes import READING
from reuseid.models import Delivery
from reuseid.services import accounts
from reuseid.services.people import users
from reuseid.services.webhooks import endpoints as webhooks
from reuseid.services.webhooks import outbox, sender


class Command(BaseCommand):
    """Figures for docs/operating.md."""

    help = "Measure callbacks a second to a fast local receiver, without and with another endpoint that hangs."

    def add_arguments(self, parser):
        """See --help."""
        parser.add_argument("--events", type=int, default=2000, help="Events of each run (2000).")
        parser.add_argument("--rounds", type=int, default=3, help="Runs of each kind, alternating (3).")
        parser.add_argument("--hanging", type=int, default=1, help="Endpoints that hang in the second kind (1).")
        parser.add_argument("--serve", choices=["fast", "hang"], help="What the receivers' processes are started with.")

    def handle(self, *args, events, rounds, hanging, serve, **options):
        """Alternate the two kinds, so that a machine that slows down slows both."""
        if serve:
            asyncio.run(_serve(serve))
            return
        rates = {"alone": [], "beside a hanging endpoint": []}
        with _own_database(), _receiver("fast") as fast, _receiver("hang") as hang:
            for _ in range(rounds):
                for kind, others in zip(rates, ([], [hang] * hanging), strict=True):
                    rates[kind].append(_measure(fast, others, events))
                    self.stdout.write(f"{kind}: {rates[kind][-1]:.0f} callbacks a second")
        for kind, found in rates.items():
            self.stdout.write(f"{kind}: median {sorted(found)[len(found) // 2]:.0f} of {len(found)} runs")


def _measure(fast, others, count):
    account = accounts.create(f"Bench {uuid.uuid4()}", actor=SYSTEM)
    endpoints = [webhooks.create(account, url=url, actor=SYSTEM, scopes=READING) for url in (fast, *others)]
    for endpoint in endpoints:
        webhooks.pause(endpoint, actor=SYSTEM)
    people = [users.create(account, actor=SYSTEM) for _ in range(count // 4 or 1)]
    with transaction.atomic():
        for number in range(count - len(people)):
            outbox.owe(people[number % len(people)], "user.updated", {"padding": "x" * 500})
    for endpoint in endpoints:
        webhooks.resume(endpoint, actor=SYSTEM)
    try:
        return count / _send_all(Delivery.objects.filter(endpoint=endpoints[0]))
    finally:
        for endpoint in endpoints:
            webhooks.delete(endpoint, actor=SYSTEM)


def _send_all(deliveries):
    """Seconds until all of them are settled. What hangs is left to itself then."""
    started, done = time.monotonic(), threading.Event()
    thread = threading.Thread(target=_run, args=(done,))
    thread.start()
    while deliveries.filter(status=Delivery.Status.PENDING).exists():
        time.sleep(0.02)
    seconds = time.monotonic() - started
    done.set()
    thread.join()
    return seconds


def _run(done):
    windows = {}
    try:
        while not done.is_set():
            sender.Sender(windows).run(1)
    finally:
        connection.close()


@contextlib.contextmanager
def _own_database():
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        # What still hangs would keep the database open: its deadline ends it first.
        time.sleep(settings.CALLBACK_TIMEOUT + 2)
        connection.creation.destroy_test_db(name, verbosity=0)


@contextlib.contextmanager
def _receiver(kind):
    command = [sys.executable, "manage.py", "bench_callbacks", "--serve", kind]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/"
    finally:
        process.terminate()
        process.wait()


async def _serve(kind):
    async def answer(reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.split(b"content-length:")[1].split(b"\r\n")[0]))
                if kind == "hang":
                    await asyncio.sleep(3600)
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    async with server:
        await server.serve_forever()
