"""Reads a command a line from its standard input and answers each with a line, JSON both.

See `Driver` in ``bench.flows.stack`` for the other end.
"""

import itertools
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from bench.flows.generator.bank import CORE, Bank, expect, told
from bench.flows.generator.loops import closed, load, paced
from bench.flows.generator.neighbours import Neighbours
from bench.flows.generator.phones import PIN, Line, PhoneLine, Store, without_stretching
from mobileid.sdk.config import ApplicationConfig
from mobileid.sdk.device import Device

STEPS = ("REST start", "phone start", "phone finish", "REST status")


class Generator:
    """Phones, and what is done with them."""

    def __init__(self, port: int, client_id: str, secret: str, application: dict[str, Any]) -> None:
        self._line = Line(port)
        self._bank = Bank(self._line, client_id, secret)
        self._config = ApplicationConfig.from_dict(application)
        self._phones: list[tuple[str, Device]] = []
        self._numbers = itertools.count(1)
        self._stepping: Iterator[str] | None = None

    def register(self, users: list[str], concurrency: int) -> dict[str, Any]:
        """A phone for each user, through the public doors."""
        waiting = list(users)

        def one(_number: int, _turn: int) -> None:
            user = waiting.pop()
            self._phones.append((user, self._register(user)))

        return load(concurrency, lambda _turn: time.monotonic() if waiting else None, one)

    def flows(self, concurrency: int, seconds: float, count: int = 0, rate: float = 0) -> dict[str, Any]:
        """Complete flows for so long, or so many by each caller, or so many a second; phones are a caller's own."""
        times: dict[str, list[float]] = {step: [] for step in STEPS}
        finished: dict[str, float] = {}

        def one(number: int, turn: int) -> None:
            mine = self._phones[number::concurrency]
            began = time.monotonic()
            for step in self._flow(*mine[turn % len(mine)], finished):
                now = time.monotonic()
                times[step].append(now - began)
                began = now

        begin = paced(rate, seconds) if rate else closed(seconds, count)
        return load(concurrency, begin, one) | {"steps": times, "finished": finished}

    def calls(self) -> dict[str, Any]:
        """The names of the neighbours, for ``call``."""
        self._neighbours = Neighbours(self._bank, self._phones, self._register)
        return {"names": list(self._neighbours.calls)}

    def call(self, name: str, concurrency: int, seconds: float) -> dict[str, Any]:
        """One kind of neighbour."""
        self._neighbours.callers = concurrency
        self._neighbours.heard.clear()
        done = load(concurrency, closed(seconds), self._neighbours.calls[name])
        return done | {"heard": list(self._neighbours.heard)}

    def open_for_all(self) -> dict[str, Any]:
        """See `Neighbours`."""
        self._neighbours.open_for_all()
        return {}

    def floor(self, concurrency: int, seconds: float) -> dict[str, Any]:
        """The bare view, each caller at rows of its own."""

        def one(number: int, turn: int) -> None:
            mine = self._phones[number::concurrency]
            told(self._line.send("POST", f"/bench/floor/{mine[turn % len(mine)][0]}"))

        return load(concurrency, closed(seconds), one)

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
        line = PhoneLine(self._line, next(self._numbers))
        offer = Device.start_registration(self._config, shown["activationCode"], Store(), transport=line)
        return offer.finish(pin=PIN, name="Phone").device

    def _flow(self, user: str, phone: Device, finished: dict[str, float]) -> Iterator[str]:
        operation = self._bank.start(user, phone.device_id)
        yield STEPS[0]
        challenge = phone.start_operation(operation)
        yield STEPS[1]
        expect(challenge.approve(pin=PIN).state, "COMPLETED")
        finished[operation] = time.monotonic()
        yield STEPS[2]
        expect(self._bank.call("GET", f"{CORE}authentications/{operation}")["state"], "COMPLETED")
        yield STEPS[3]


def main() -> None:
    """Until its standard input ends."""
    without_stretching()
    generator: Generator | None = None
    for line in sys.stdin:
        command = json.loads(line)
        name = command.pop("do")
        if name == "begin":
            generator, answer = Generator(**command), {}
        else:
            answer = getattr(generator, name)(**command)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
