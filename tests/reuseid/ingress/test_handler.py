"""Django behind ASGI, without a server: ASGI in, ASGI out."""

import asyncio
from pathlib import Path

import pytest
from django.core.signals import request_finished, request_started

from reuseid.ingress.bodies import Bodies
from reuseid.ingress.handler import Handler
from tests.reuseid.ingress import views

SCOPE = {
    "type": "http",
    "method": "GET",
    "query_string": b"",
    "headers": [(b"host", b"127.0.0.1")],
    "http_version": "1.1",
    "client": ("127.0.0.1", 1),
}


@pytest.fixture
def handler(settings, threads):
    settings.ROOT_URLCONF = "tests.reuseid.ingress.views"
    views.seen.clear()
    return Handler(threads)


class Caller:
    """One request and what came back; ``takes`` is awaited for each message that is sent."""

    def __init__(self, path, takes=None, **scope):
        self.scope = SCOPE | {"path": path} | scope
        self.told, self.takes, self.left = [], takes, asyncio.Event()
        self.body = [b""]

    async def receive(self):
        if self.body:
            part = self.body.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(self.body)}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message):
        if self.takes:
            await self.takes(message)
        self.told.append(message)

    async def ask(self, handler):
        await handler(self.scope, self.receive, self.send)
        return self

    @property
    def status(self):
        return self.told[0]["status"]

    @property
    def headers(self):
        return {name.lower(): value for name, value in self.told[0]["headers"]}

    @property
    def parts(self):
        return [message["body"] for message in self.told[1:] if message.get("body")]


def ask(handler, path, **scope):
    return asyncio.run(Caller(path, **scope).ask(handler))


def test_an_answer_comes_whole_with_its_headers(handler):
    caller = ask(handler, "/plain", headers=[*SCOPE["headers"], (b"x-trace-id", b"probe-0001")])
    assert (caller.status, caller.parts) == (200, [b"all of it"])
    assert caller.headers[b"content-length"] == b"9"
    assert caller.headers[b"x-trace-id"] == b"probe-0001"
    assert len(caller.told) == 2


def test_the_view_reads_what_was_sent_in_parts(handler):
    async def talk():
        caller = Caller("/service/echo", method="POST", query_string=b"q=1", root_path="/service")
        caller.body = [b"one ", b"two"]
        return await caller.ask(handler)

    assert asyncio.run(talk()).parts == [b"POST 1 one two /service"]


def test_who_leaves_before_the_end_of_the_body_is_not_answered(handler):
    async def leave():
        caller = Caller("/plain", method="POST")
        caller.body = []
        caller.left.set()
        return await caller.ask(handler)

    assert asyncio.run(leave()).told == []


def test_what_is_no_request_is_refused(handler):
    assert ask(handler, "/plain", query_string=b"\xff").status == 400


def test_an_error_is_an_answer(handler):
    assert ask(handler, "/fails").status == 500


def test_requests_share_threads_and_no_trace(handler):
    answers = [ask(handler, "/thread").parts[0].split() for _ in range(3)]
    assert len({ident for ident, _ in answers}) == 1
    assert len({trace for _, trace in answers}) == 3


def test_begin_and_end_of_a_request_are_told_in_its_thread(handler):
    told = []

    def note(signal, sender, **rest):
        assert sender is Handler
        told.append(signal)

    for signal in (request_started, request_finished):
        signal.connect(note, weak=False)
    try:
        ask(handler, "/plain")
        assert told == [request_started, request_finished]
        ask(handler, "/stream")
        assert told[2:] == [request_started, request_finished]
    finally:
        for signal in (request_started, request_finished):
            signal.disconnect(note)


def test_a_stream_is_drawn_as_its_reader_takes_it(handler):
    drawn = []

    async def takes(message):
        if message.get("body"):
            drawn.append(list(views.seen))

    caller = ask(handler, "/stream", takes=takes)
    assert caller.parts == [b"0,", b"1,", b"2,"]
    assert caller.told[-1].get("more_body", False) is False
    assert drawn == [[0], [0, 1], [0, 1, 2]]
    assert views.seen == [0, 1, 2, "closed"]


def test_a_stream_goes_on_though_the_server_has_yet_to_say_that_there_is_no_body(handler, threads):
    """`Bodies` asks for no body that nobody announced; what the server says of it comes after the answer began."""

    async def slowly(message):
        await asyncio.sleep(0)

    caller = asyncio.run(Caller("/stream", takes=slowly).ask(Bodies(handler, threads)))
    assert caller.parts == [b"0,", b"1,", b"2,"]
    assert caller.body == []


def test_a_stream_ends_when_its_reader_leaves(handler):
    async def leave():
        async def takes(message):
            if message.get("body"):
                caller.left.set()
                await asyncio.get_running_loop().create_future()

        caller = Caller("/stream", takes=takes)
        await caller.ask(handler)

    asyncio.run(leave())
    assert views.seen == [0, "closed"]


def test_an_asynchronous_stream_comes_in_parts_too(handler):
    assert ask(handler, "/asynchronous").parts == [b"0,", b"1,", b"2,"]


def test_a_file_comes_whole(handler):
    caller = ask(handler, "/file")
    assert b"".join(caller.parts) == Path(views.__file__).read_bytes()


def test_a_slow_reader_holds_no_thread(handler, settings):
    settings.REQUESTS_AT_ONCE = 1

    async def never(message):
        await asyncio.get_running_loop().create_future()

    async def both():
        for path in ("/plain", "/stream"):
            reading = asyncio.ensure_future(Caller(path, takes=never).ask(handler))
            async with asyncio.timeout(30):
                assert (await Caller("/plain").ask(handler)).status == 200
            reading.cancel()

    asyncio.run(both())


def test_an_answer_that_is_held_back_holds_no_thread(handler, settings):
    settings.REQUESTS_AT_ONCE = 1

    async def both():
        late = Caller("/held_for_an_hour")
        first = asyncio.ensure_future(late.ask(handler))
        await asyncio.sleep(0)
        async with asyncio.timeout(30):
            assert (await Caller("/plain").ask(handler)).status == 200
        assert not first.done()
        assert late.told == []
        first.cancel()

    asyncio.run(both())


def test_who_finds_no_thread_is_asked_to_come_again(handler, all_taken):
    async def both():
        async with all_taken():
            return await Caller("/plain").ask(handler)

    caller = asyncio.run(both())
    assert caller.status == 503
    assert caller.headers[b"retry-after"] == b"2"
