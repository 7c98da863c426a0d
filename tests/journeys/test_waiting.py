"""Long-polls and QR streams against a real server process."""

import json
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from config.demo.integrator import Integrator
from tests.device_factories import CONTENT

CORE = "/mobileid/core/"
CROWD = 60


@pytest.fixture(scope="module")
def bank(installation):
    """An account whose back end has signed in and knows one person."""
    with Integrator(installation.create_account(f"Bank {uuid.uuid4().hex[:8]}")) as bank:
        bank.sign_in()
        bank.user_id = bank.post("/reuseid/core/users", {"externalRef": "c-1"})["userId"]
        yield bank


def start(bank, **body):
    """A registration: it needs no phone to be waited for."""
    body = {"userId": bank.user_id, "allowParallel": True, **body}
    return f"{CORE}registrations/{bank.post(CORE + 'registrations', body)['operationId']}"


def qr_operation(bank, **body):
    properties = {"binding": "QR", "preOperationContext": CONTENT}
    started = bank.post(CORE + "authentications", {"operationProperties": properties, **body})
    return f"{CORE}authentications/{started['operationId']}"


def timed(call):
    begun = time.monotonic()
    result = call()
    return time.monotonic() - begun, result


def later(seconds, call):
    timer = threading.Timer(seconds, call)
    timer.start()
    return timer


def test_a_waiter_hears_at_once_when_the_operation_ends(bank):
    path = start(bank)
    later(1, lambda: bank.post(f"{path}/cancel"))
    took, answer = timed(lambda: bank.get(path, wait=20))
    assert answer["state"] == "CANCELED"
    assert 0.9 < took < 4


def test_a_waiter_gets_the_present_state_when_the_time_is_over(bank):
    path = start(bank)
    took, answer = timed(lambda: bank.get(path, wait=2))
    assert answer["state"] == "PENDING"
    assert 1.9 < took < 4


def test_what_is_over_is_answered_without_waiting(bank):
    path = start(bank)
    bank.post(f"{path}/cancel")
    took, answer = timed(lambda: bank.get(path, wait=20))
    assert answer["state"] == "CANCELED"
    assert took < 3


def test_a_waiter_hears_of_the_deadline(bank):
    path = qr_operation(bank, expiresIn=10)
    took, answer = timed(lambda: bank.get(path, wait=20))
    assert answer["state"] == "EXPIRED"
    assert 8 < took < 13


def test_waiting_is_refused_as_any_other_call_is(bank):
    path = start(bank)
    with httpx.Client(base_url=bank.account.server) as nobody:
        assert nobody.get(path, params={"wait": 20}).status_code == 401
    assert bank.http.get(path, params={"wait": 31}).status_code == 400
    assert bank.http.get(f"{CORE}registrations/{uuid.uuid4()}", params={"wait": 20}).status_code == 404


def test_a_wait_counts_as_one_call(installation):
    """Of a client that asked for nothing before, so that nothing spent becomes free meanwhile."""
    with Integrator(installation.create_account(f"Bank {uuid.uuid4().hex[:8]}")) as bank:
        bank.sign_in()
        bank.user_id = bank.post("/reuseid/core/users", {"segment": "callers"})["userId"]

        def left():
            return int(bank.http.get(f"{CORE}devices").headers["RateLimit"].split("r=")[1].split(";")[0])

        path = start(bank)
        before = left()
        bank.get(path, wait=3)
        assert before - left() == 2


def test_a_crowd_of_waiters_holds_neither_threads_nor_connections(bank, installation):
    path = start(bank)
    client = httpx.Client(
        base_url=bank.account.server,
        headers=bank.http.headers,
        timeout=60,
        limits=httpx.Limits(max_connections=CROWD),
    )
    with client, ThreadPoolExecutor(CROWD) as pool:
        crowd = [pool.submit(client.get, path, params={"wait": 25}) for _ in range(CROWD)]
        time.sleep(6)
        assert not any(waiter.done() for waiter in crowd)
        assert busy_connections(installation) <= 1
        took, _ = timed(lambda: bank.get(CORE + "devices"))
        assert took < 2
        took, _ = timed(lambda: bank.post(f"{path}/cancel"))
        assert took < 5
        answers = [waiter.result() for waiter in crowd]
    assert {answer.json()["state"] for answer in answers} == {"CANCELED"}


def busy_connections(installation):
    """Connections in a transaction or a query, beside our own."""
    url = installation.environment["DATABASE_URL"]
    if not url.startswith("postgres"):
        return 0
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()"
        ).fetchone()[0]


def test_a_caller_who_leaves_ends_the_wait(bank, installation):
    path = start(bank)
    address = urlsplit(bank.account.server)
    callers = []
    for _ in range(20):
        caller = socket.create_connection((address.hostname, address.port))
        token = bank.http.headers["Authorization"]
        caller.sendall(
            f"GET {path}?wait=30 HTTP/1.1\r\nHost: {address.netloc}\r\nAuthorization: {token}\r\n\r\n".encode()
        )
        callers.append(caller)
    time.sleep(2)
    for caller in callers:
        caller.close()
    time.sleep(1)
    took, answer = timed(lambda: bank.get(path, wait=1))
    assert answer["state"] == "PENDING"
    assert took < 3
    log = "\n".join(log.read_text() for log in (installation.state / "log").glob("*.log"))
    assert "Traceback" not in log
    assert "Changes are not heard" not in log


def events(lines):
    """Server-sent events as ``(name, data)``."""
    name = None
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_a_stream_shows_a_frame_each_second_until_the_operation_is_over(bank):
    path = qr_operation(bank)
    frames, states = [], []
    with bank.http.stream("GET", f"{path}/qr/stream") as stream:
        assert stream.headers["content-type"] == "text/event-stream"
        for name, data in events(stream.iter_lines()):
            if name == "state":
                states.append(data["state"])
                continue
            assert abs(data["t"] - time.time()) < 1.5
            frames.append(data)
            if len(frames) == 4:
                later(0.1, lambda: bank.post(f"{path}/cancel"))
    assert states == ["PENDING", "CANCELED"]
    seconds = [frame["t"] for frame in frames]
    assert seconds == list(range(seconds[0], seconds[0] + len(seconds)))
    assert len({frame["qrUri"] for frame in frames}) == len(frames) >= 4


def test_a_stream_of_something_without_frames_is_refused(bank):
    assert bank.http.get(f"{CORE}authentications/{uuid.uuid4()}/qr/stream").status_code == 404
    path = qr_operation(bank)
    with httpx.Client(base_url=bank.account.server) as nobody:
        assert nobody.get(f"{path}/qr/stream").status_code == 401
