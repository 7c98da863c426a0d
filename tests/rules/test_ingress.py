"""What surrounds Django, without a server: ASGI in, ASGI out."""

import asyncio

from config.ingress.places import Places
from config.ingress.readers import Readers
from config.ingress.server import OPTIONS
from tests.rules.test_settings import ROOT

SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": [], "http_version": "1.1"}
BEGIN = {"type": "http.response.start", "status": 200, "headers": []}
END = {"type": "http.response.body", "body": b""}


async def never(*_):
    await asyncio.get_running_loop().create_future()


def test_who_takes_no_answer_has_left():
    heard = []

    async def app(scope, receive, send):
        telling = asyncio.ensure_future(send(BEGIN))
        heard.append((await receive())["type"])
        telling.cancel()

    asyncio.run(Readers(app, seconds=0.01)(SCOPE, never, never))
    assert heard == ["http.disconnect"]


def test_who_takes_no_answer_and_is_not_listened_for_is_ended():
    after = []

    async def app(scope, receive, send):
        await send(BEGIN)
        after.append("went on")

    asyncio.run(Readers(app, seconds=0.01)(SCOPE, never, never))
    assert after == []


def test_at_most_so_many_are_inside_and_all_are_served(settings):
    settings.REQUESTS_AT_ONCE = 3
    inside, most, served = 0, 0, 0

    async def app(scope, receive, send):
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        await asyncio.sleep(0)
        inside -= 1
        await send(BEGIN)
        await send(END)

    async def send(message):
        nonlocal served
        served += message["type"] == "http.response.body"

    async def crowd():
        places = Places(app)
        await asyncio.gather(*(places(SCOPE, never, send) for _ in range(20)))

    asyncio.run(crowd())
    assert (most, served) == (3, 20)


def test_a_slow_reader_holds_no_place(settings):
    settings.REQUESTS_AT_ONCE = 1

    async def app(scope, receive, send):
        await send(BEGIN)
        await send(END)

    async def slow(message):
        if message is END:
            await never()

    async def taken(message):
        pass

    async def both():
        places = Places(app)
        reading = asyncio.ensure_future(places(SCOPE, never, slow))
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            await places(SCOPE, never, taken)
        reading.cancel()

    asyncio.run(both())


def test_who_finds_no_place_is_asked_to_come_again(settings, monkeypatch):
    settings.REQUESTS_AT_ONCE = 1
    monkeypatch.setattr("config.ingress.places.PATIENCE", 0.01)
    told = []

    async def send(message):
        told.append(message)

    async def both():
        places = Places(never)
        first = asyncio.ensure_future(places(SCOPE, never, send))
        await asyncio.sleep(0)
        await places(SCOPE, never, send)
        first.cancel()

    asyncio.run(both())
    assert told[0]["status"] == 503
    assert (b"retry-after", b"2") in told[0]["headers"]


def test_the_operating_guide_starts_the_server_as_the_demo_does():
    guide = (ROOT / "docs" / "operating.md").read_text()
    assert [option for option in OPTIONS.items() if " ".join(option) not in guide] == []
