"""Seats of those who wait, and the frames that they share."""

import asyncio
import threading

import pytest
from asgiref.sync import sync_to_async
from django.db import connection

from mobileid.services import completion, qr
from mobileid.waiting.listeners import Listener
from mobileid.waiting.middleware import Waiting
from mobileid.waiting.poll_context import PollContext
from mobileid.waiting.polling import poll
from mobileid.waiting.seats import Seats
from reuseid.actors import SYSTEM
from reuseid.api.errors import Busy
from reuseid.errors import TooMany
from tests.device_factories import make_operation

NOW = 2_000_000_000


def test_a_seat_is_free_again_however_its_holder_leaves(settings):
    settings.WAITING_CLIENT_LIMIT = settings.QR_STREAM_LIMIT = 1
    seats = Seats()
    for _ in range(3):
        with pytest.raises(KeyError), seats.stream("bank", "operation"):
            raise KeyError
    with seats.stream("bank", "operation"), pytest.raises(TooMany), seats.wait("bank"):
        pass
    with seats.wait("bank"):
        pass


def test_one_clients_crowd_leaves_seats_to_others_until_the_house_is_full(settings):
    settings.WAITING_CLIENT_LIMIT, settings.WAITING_LIMIT = 1, 2
    seats = Seats()
    with seats.wait("bank"):
        with pytest.raises(TooMany), seats.wait("bank"):
            pass
        with seats.wait("insurer"), pytest.raises(Busy), seats.wait("shop"):
            pass


def test_streams_are_bounded_for_each_operation(settings):
    settings.QR_STREAM_LIMIT = 1
    seats = Seats()
    with seats.stream("bank", "one"), seats.stream("bank", "two"):
        with pytest.raises(TooMany), seats.stream("insurer", "one"):
            pass
        with seats.wait("bank"):
            pass


@pytest.fixture
def clock(monkeypatch):
    """The second in which frames are drawn."""
    monkeypatch.setattr("mobileid.services.qr.time.time", lambda: NOW)


def test_a_frame_is_drawn_once_however_many_look(user, device, clock):
    operation, before = make_operation(user, binding="QR"), qr.DRAWN._value.get()
    found = []
    threads = [threading.Thread(target=lambda: found.append(qr.frame(operation, NOW))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert qr.DRAWN._value.get() - before == 1
    assert all(frame is found[0] for frame in found)
    assert found[0]["qrUri"] != qr.frame(operation, NOW + 1)["qrUri"]


def test_frames_of_seconds_that_are_over_are_forgotten(user, device, clock, monkeypatch):
    operation = make_operation(user, binding="QR")
    qr.frame(operation, NOW)
    monkeypatch.setattr("mobileid.services.qr.time.time", lambda: NOW + 1)
    qr.frame(operation, NOW + 1)
    assert [t for key, t in qr._frames if key == operation.pk] == [NOW + 1]


def test_a_caller_polls_no_more_often_than_twice_a_second_however_often_it_changes():
    """A listener that never rests: an operation that somebody changes all the time."""
    polls = 0

    class Restless(Listener):
        async def _watch(self, ids):
            return False

    async def app(scope, receive, send):
        nonlocal polls
        polls += 1
        context = scope["mobileid.poll"]
        context.client, context.wait, context.expires_in = "bank", 1, 60.0
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})
        listener.notify(ID)

    async def never():
        await asyncio.get_running_loop().create_future()

    async def send(message):
        pass

    listener = Restless()
    scope = {"type": "http", "method": "GET", "path": f"/mobileid/core/registrations/{ID}", "query_string": b"wait=1"}
    asyncio.run(Waiting(app, listener)(scope, never, send))
    # The first, the one for the change, one in each half of the second, and the last.
    assert polls <= 5


ID = "01234567-89ab-cdef-0123-456789abcdef"


def test_a_poll_carries_what_the_view_found():
    async def app(scope, receive, send):
        scope["mobileid.poll"].status = "PENDING"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    context = PollContext()
    answer = asyncio.run(poll(app, {}, context))
    assert (answer.status, answer.body, context.status) == (200, b"{}", "PENDING")


@pytest.mark.django_db(transaction=True)
def test_a_change_that_nobody_rang_for_is_found(user, device):
    operation = make_operation(user)

    def cancel():
        try:
            completion.cancel(operation, actor=SYSTEM)
        finally:
            connection.close()

    async def wait():
        listener = Listener()
        with listener.waiter(str(operation.pk)) as waiter:
            waiter.status = "PENDING"
            assert not await listener.has_changed(str(operation.pk), waiter)
            await sync_to_async(cancel, thread_sensitive=False)()
            async with asyncio.timeout(30):
                await waiter.changed.wait()
            assert await listener.has_changed(str(operation.pk), waiter)

    asyncio.run(wait())
