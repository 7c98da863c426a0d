"""What holds a caller back before Django is asked, against a real server process."""

import json
import re
import select
import time
import uuid
from contextlib import ExitStack

import httpx
import pytest

from config.demo import supervisor
from config.demo.integrator import Integrator
from tests.device_factories import CONTENT
from tests.journeys import wire

CORE = "/mobileid/core/"
QR = {"binding": "QR", "preOperationContext": CONTENT}
WAITERS, STREAMS = 6, 5
MESSAGE = "/mobileid/device/v1/status"
MEBIBYTE = 1024 * 1024


@pytest.fixture(scope="module")
def environment():
    """Short times and small crowds, so that a test of them is short."""
    return {
        "BODY_SECONDS": "1",
        "HEALTH_LISTEN": f"127.0.0.1:{supervisor.free_port()}",
        "WAITING_CLIENT_LIMIT": str(WAITERS),
        "QR_STREAM_LIMIT": str(STREAMS),
    }


@pytest.fixture(scope="module")
def bank(installation):
    with Integrator(installation.create_account(f"Bank {uuid.uuid4().hex[:8]}")) as bank:
        bank.sign_in()
        yield bank


@pytest.fixture(scope="module")
def silent(installation):
    """Connections that are there from the beginning: one says nothing, one half a request, one is done with its own."""
    with wire.connect(installation.port) as mute, wire.connect(installation.port) as half:
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127")
        with wire.connect(installation.port) as done:
            done.sendall(wire.head("GET", "/healthz"))
            assert wire.answer(done)[0] == 200
            yield mute, half, done


@pytest.fixture
def line(installation, silent):
    with wire.connect(installation.port) as line:
        yield line


@pytest.mark.parametrize(
    "path",
    [MESSAGE, "/oauth/token", "/reuseid/core/users", "/mobileid/core/webhooks", "/admin/login/", "/", "/healthz"],
)
def test_what_is_announced_too_large_is_refused_before_a_byte_of_it_comes(line, path):
    size = 300 * MEBIBYTE
    line.sendall(wire.head("POST", path, f"Content-Length: {size}"))
    status, headers, _ = wire.answer(line)
    assert status == 413
    assert headers["connection"] == "close"
    assert headers["cache-control"] == "no-store"
    assert headers["x-trace-id"]
    assert wire.is_closed(line)


def test_a_phone_is_told_in_the_words_of_its_protocol(line):
    line.sendall(wire.head("POST", MESSAGE, f"Content-Length: {65 * 1024}"))
    status, headers, body = wire.answer(line)
    assert (status, headers["content-type"]) == (413, "application/problem+json")
    assert json.loads(body)["code"] == "too-large"


def test_what_is_not_announced_is_cut_where_the_limit_is(line, installation):
    line.sendall(wire.head("POST", MESSAGE, "Transfer-Encoding: chunked"))
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    for _ in range(3):
        line.sendall(chunk)
    status, _, body = wire.answer(line)
    assert (status, json.loads(body)["code"]) == (413, "too-large")
    assert wire.is_closed(line)


def test_a_body_within_the_limit_is_judged_as_ever(line):
    line.sendall(wire.head("POST", MESSAGE, f"Content-Length: {64 * 1024}"))
    line.sendall(b"x" * 64 * 1024)
    status, _, body = wire.answer(line)
    assert (status, json.loads(body)["code"]) == (400, "envelope-invalid")


def test_only_who_is_known_sends_more_than_everybody(bank, line):
    path = "/mobileid/core/signatures"
    line.sendall(wire.head("POST", path, "Content-Type: application/json", f"Content-Length: {MEBIBYTE}"))
    status, headers, body = wire.answer(line)
    assert (status, json.loads(body)["code"]) == (401, "unauthorized")
    assert headers["www-authenticate"].startswith("Bearer")
    content = {"title": "A", "mimeType": "text/plain", "content": "a" * MEBIBYTE}
    known = bank.http.post(path, json={"preOperationContext": content})
    assert known.status_code == 422
    nonsense = {"Authorization": "Bearer nonsense"}
    wrong = httpx.post(bank.account.server + path, content=b"x" * MEBIBYTE, headers=nonsense)
    assert wrong.status_code == 401


def test_more_than_the_call_takes_is_413_for_who_is_known_too(bank):
    answer = bank.http.post("/mobileid/core/webhooks", content=b"[" * (64 * 1024 + 1))
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.json()["traceId"] == answer.headers["x-trace-id"]


def test_the_back_office_takes_large_forms_only_from_colleagues(line):
    line.sendall(wire.head("POST", "/admin/reuseid/user/", f"Content-Length: {MEBIBYTE}"))
    status, headers, _ = wire.answer(line)
    assert (status, headers["content-type"]) == (401, "text/plain; charset=utf-8")


def test_nothing_that_is_sent_is_written_to_a_file(bank, line, installation):
    server = installation.running.children["web server"].process.pid
    token = f"Authorization: {bank.http.headers['Authorization']}"
    size = 5 * MEBIBYTE
    line.sendall(wire.head("POST", "/mobileid/core/signatures", token, f"Content-Length: {size}"))
    line.sendall(b"x" * (size - 1))
    with wire.connect(installation.port) as other:
        other.sendall(wire.head("GET", "/healthz", "Connection: close"))
        assert wire.answer(other)[0] == 200
    assert [name for name in wire.open_files(server) if "/tmp" in name and "deleted" in name] == []
    line.sendall(b"x")
    assert wire.answer(line)[0] in (400, 415)


@pytest.mark.parametrize("sent", [b"", b'{"v":1'])
def test_a_body_that_does_not_come_is_cut(line, sent):
    line.sendall(wire.head("POST", MESSAGE, "Content-Length: 1000") + sent)
    status, _, body = wire.answer(line)
    assert (status, json.loads(body)["code"]) == (408, "too-slow")
    assert wire.is_closed(line)


def test_a_body_that_comes_byte_by_byte_is_cut_all_the_same(line):
    line.sendall(wire.head("POST", "/oauth/token", "Content-Length: 1000"))
    line.settimeout(0.05)
    for _ in range(100):
        line.sendall(b"x")
        try:
            assert line.recv(12) == b"HTTP/1.1 408"
            return
        except TimeoutError:
            pass
    pytest.fail("It was never cut.")


def test_a_crowd_that_says_nothing_leaves_the_service_answering(installation):
    with wire.crowd(installation.port, 1100):
        for _ in range(5):
            assert httpx.get(f"http://127.0.0.1:{installation.port}/healthz", timeout=2).json() == {"status": "ok"}
        assert httpx.get(f"http://127.0.0.1:{installation.port}/.well-known/jwks.json", timeout=10).status_code == 200


def test_health_keeps_its_form(installation):
    address = f"http://127.0.0.1:{installation.port}/healthz"
    answer = httpx.get(address, headers={"X-Trace-Id": "probe-0001"})
    assert answer.json() == {"status": "ok"}
    assert answer.headers["x-trace-id"] == "probe-0001"
    assert "no-store" in answer.headers["cache-control"]
    assert httpx.head(address).status_code == 200


def test_health_has_a_listener_of_its_own(installation):
    address = f"http://{installation.environment['HEALTH_LISTEN']}"
    assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{address}/reuseid/core/users").status_code == 404


def waiting(bank, path, query="?wait=20"):
    """A caller who waits, on a connection of its own."""
    line = wire.connect(int(bank.account.server.rpartition(":")[2]))
    line.sendall(wire.head("GET", f"{path}{query}", f"Authorization: {bank.http.headers['Authorization']}"))
    return line


def test_one_client_waits_so_often_and_no_more(bank):
    user = bank.post("/reuseid/core/users", {"segment": "callers"})["userId"]
    started = bank.post(f"{CORE}registrations", {"userId": user})
    path = f"{CORE}registrations/{started['operationId']}"
    with ExitStack() as held:
        lines = [held.enter_context(waiting(bank, path)) for _ in range(WAITERS + 1)]
        refused, _, _ = select.select(lines, [], [], wire.PATIENCE)
        status, headers, body = wire.answer(refused[0])
        assert (status, headers["retry-after"]) == (429, "5")
        assert json.loads(body)["code"] == "rate_limited"
        assert json.loads(body)["traceId"] == headers["x-trace-id"]
        bank.post(f"{path}/cancel")
        for line in lines:
            if line is not refused[0]:
                assert json.loads(wire.answer(line)[2])["state"] == "CANCELED"
    # Whoever has left has made room.
    assert bank.get(path, wait=5)["state"] == "CANCELED"


def drawn(bank):
    """How many frames the server has made as images."""
    text = httpx.get(f"{bank.account.server}/metrics").text
    return int(float(re.search(r"^mobileid_qr_frames_drawn_total (\S+)", text, re.MULTILINE)[1]))


def test_streams_of_one_operation_are_bounded_and_share_their_frames(bank):
    started = bank.post(f"{CORE}authentications", {"operationProperties": QR})
    path = f"{CORE}authentications/{started['operationId']}/qr"
    before, begun = drawn(bank), time.time()
    with ExitStack() as held:
        lines = [held.enter_context(waiting(bank, path, "/stream")) for _ in range(STREAMS)]
        shown = [first_frame(line) for line in lines]
        with waiting(bank, path, "/stream") as one_more:
            status, headers, _ = wire.answer(one_more)
        assert (status, headers["retry-after"]) == (429, "5")
        assert bank.get(path)["t"] <= time.time()
    # Ten are made ahead; each second is made once, for all of them.
    assert drawn(bank) - before <= time.time() - begun + 12
    assert len({frame["qr"] for frame in shown if frame["t"] == shown[0]["t"]}) == 1


def first_frame(line):
    """The first frame of a stream."""
    text = ""
    while not (found := re.search(r"event: frame\ndata: (.*)\n\n", text)):
        text += line.recv(65536).decode()
    return json.loads(found[1])


def test_who_says_nothing_has_left_after_ten_seconds(silent):
    assert all(wire.is_closed(line) for line in silent)
