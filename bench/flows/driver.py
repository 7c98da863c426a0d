"""The load generator, a process without Django: phones and their integrator, over HTTP and nothing else.

Reads a command a line from its standard input and answers each with a line, JSON both. See `Driver` in
``bench.flows.stack`` for the other end.
"""

import base64
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from bench.flows.http import json_headers
from bench.flows.phones import PIN, Line, Store, without_stretching
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.device import Device
from mobileid.sdk.transport import Answer

CORE = "/mobileid/core/"
STEPS = ("REST start", "phone start", "phone finish", "REST status")
CONTENT = {"title": "Sign in", "mimeType": "text/plain", "content": "Sign in to the bank?"}
TOKEN_SECONDS = 1800
"""After so long another access token is fetched: they live for an hour."""


class Unexpected(Exception):
    """The service answered something else than what the flow is about."""


class Bank:
    """The integrator's back end."""

    def __init__(self, line: Line, client_id: str, secret: str) -> None:
        self.line = line
        self._basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        self._lock = threading.Lock()
        self._headers, self._until = "", 0.0

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A call of the REST API; raises Unexpected for what is not 2xx."""
        with self._lock:
            if time.monotonic() > self._until:
                self._sign_in()
        content = b"" if body is None else json.dumps(body).encode()
        return _told(self.line.send(method, path, content, self._headers))

    def _sign_in(self) -> None:
        form = "Content-Type: application/x-www-form-urlencoded\r\n"
        answer = self.line.send(
            "POST", "/oauth/token", b"grant_type=client_credentials", f"{form}Authorization: Basic {self._basic}\r\n"
        )
        self._headers = json_headers(_told(answer)["access_token"])
        self._until = time.monotonic() + TOKEN_SECONDS


class Generator:
    """Phones, and what is done with them."""

    def __init__(self, port: int, client_id: str, secret: str, application: dict[str, Any]) -> None:
        self._line = Line(port)
        self._bank = Bank(self._line, client_id, secret)
        self._config = ApplicationConfig.from_dict(application)
        self._phones: list[tuple[str, Device]] = []
        self._stepping: Iterator[str] | None = None

    def register(self, users: list[str], concurrency: int) -> dict[str, Any]:
        """A phone for each user, through the public doors."""
        waiting = list(users)

        def one(_number: int, _turn: int) -> str:
            user = waiting.pop()
            self._phones.append((user, self._register(user)))
            return ""

        return _load(concurrency, lambda _turn: bool(waiting), one)

    def flows(self, concurrency: int, seconds: float, count: int = 0) -> dict[str, Any]:
        """Complete flows for so long, or so many by each caller; every caller has phones of its own."""
        times: dict[str, list[float]] = {step: [] for step in STEPS}
        finished: dict[str, float] = {}

        def one(number: int, turn: int) -> str:
            mine = self._phones[number::concurrency]
            began = time.monotonic()
            for step in self._flow(*mine[turn % len(mine)], finished):
                now = time.monotonic()
                times[step].append(now - began)
                began = now
            return ""

        return _load(concurrency, _lasting(seconds, count), one) | {"steps": times, "finished": finished}

    def floor(self, concurrency: int, seconds: float) -> dict[str, Any]:
        """The bare view, each caller at rows of its own."""

        def one(number: int, turn: int) -> str:
            mine = self._phones[number::concurrency]
            _told(self._line.send("POST", f"/bench/floor/{mine[turn % len(mine)][0]}"))
            return ""

        return _load(concurrency, _lasting(seconds, 0), one)

    def step(self) -> dict[str, Any]:
        """The next step of a flow alone, and which it was."""
        finished: dict[str, float] = {}
        if self._stepping is None:
            self._phones.append(self._phones.pop(0))
            self._stepping = self._flow(*self._phones[0], finished)
        step = next(self._stepping)
        if step == STEPS[-1]:
            self._stepping = None
        return {"step": step}

    def _register(self, user: str) -> Device:
        shown = self._bank.call("POST", f"{CORE}registrations", {"userId": user})
        offer = Device.start_registration(self._config, shown["activationCode"], Store(), transport=self._line)
        return offer.finish(pin=PIN, name="Phone").device

    def _flow(self, user: str, phone: Device, finished: dict[str, float]) -> Iterator[str]:
        asked = {"authLevel": "TWO_FACTOR", "authMethods": ["DEVICE_PIN"], "preOperationContext": CONTENT}
        body = {"userId": user, "deviceId": phone.device_id, "operationProperties": asked}
        operation = self._bank.call("POST", f"{CORE}authentications", body)["operationId"]
        yield STEPS[0]
        challenge = phone.start_operation(operation)
        yield STEPS[1]
        _expect(challenge.approve(pin=PIN).state)
        finished[operation] = time.monotonic()
        yield STEPS[2]
        _expect(self._bank.call("GET", f"{CORE}authentications/{operation}")["state"])
        yield STEPS[3]


def _told(answer: Answer) -> dict[str, Any]:
    if not 200 <= answer.status < 300:
        raise Unexpected(f"{answer.status} {answer.body[:300].decode(errors='replace')}")
    return json.loads(answer.body) if answer.body else {}


def _expect(state: str) -> None:
    if state != "COMPLETED":
        raise Unexpected(f"state {state}")


def _lasting(seconds: float, count: int) -> Callable[[int], bool]:
    until = time.monotonic() + seconds
    return lambda turn: turn < count if count else time.monotonic() < until


def _load(concurrency: int, goes_on: Callable[[int], bool], one: Callable[[int, int], str]) -> dict[str, Any]:
    """Callers that each do one thing after another; an error is counted and the caller goes on."""
    times: list[float] = []
    errors: Counter[str] = Counter()
    worked, began = time.process_time(), time.monotonic()

    def caller(number: int) -> None:
        turn = 0
        while goes_on(turn):
            begun = time.monotonic()
            try:
                one(number, turn)
                times.append(time.monotonic() - begun)
            except Exception as error:
                errors[f"{type(error).__name__}: {error}"[:300]] += 1
            turn += 1

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(concurrency)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended = time.monotonic()
    cpu = time.process_time() - worked
    return {"began": began, "ended": ended, "cpu": cpu, "times": times, "errors": dict(errors)}


def main() -> None:
    """Until its standard input ends."""
    without_stretching()
    generator: Generator | None = None
    for line in sys.stdin:
        command = json.loads(line)
        name = command.pop("do")
        if name == "begin":
            generator, told = Generator(**command), {}
        else:
            told = getattr(generator, name)(**command)
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
