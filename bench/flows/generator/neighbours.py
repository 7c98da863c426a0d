"""The calls beside a flow's own, one kind at a time."""

import itertools
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.flows.generator.bank import CORE, USERS, Bank, expect
from mobileid.sdk.device import Device

CANCELED_AFTER = 0.2
"""Seconds that somebody waits for an operation before it is canceled."""
MOST_CALLERS = 256
Phones = list[tuple[str, Device]]


class Neighbours:
    """``calls[name](caller, turn)`` does one; ``heard`` are seconds from a cancel that was sent to the waiter's answer.

    A caller has phones and users of its own, so that no two calls wait for the same row.
    """

    def __init__(self, bank: Bank, phones: Phones, register: Callable[[str], Device]) -> None:
        self._bank, self._phones, self._register = bank, phones, register
        self.callers = 1
        self._run = uuid.uuid4().hex[:12]
        self._numbers = itertools.count()
        self._made: list[str] = []
        # Threads that stay, since each has a connection.
        self._rivals = ThreadPoolExecutor(MOST_CALLERS)
        self.heard: list[float] = []
        self.calls: dict[str, Callable[[int, int], None]] = {
            "users create": self._create,
            "users get": lambda caller, turn: self._ask("GET", f"{USERS}/{self._mine(caller, turn)[0]}"),
            "users list(50)": lambda caller, turn: self._ask("GET", f"{USERS}?limit=50"),
            "users patch": self._patch,
            "registration": self._registration,
            "device get": lambda caller, turn: self._ask("GET", f"{CORE}devices/{self._device(caller, turn)}"),
            "device list(50)": lambda caller, turn: self._ask("GET", f"{CORE}devices?limit=50"),
            "start and cancel": lambda caller, turn: self._cancel(self._start(caller, turn)),
            "start, wait=1 and cancel": self._start_wait_and_cancel,
            "pending": lambda caller, turn: self._pending(self._mine(caller, turn)[1]),
        }

    def open_for_all(self) -> None:
        """An open operation for each phone, for ``pending``."""
        for user, phone in self._phones:
            self._bank.start(user, phone.device_id, expiresIn=600)

    def _mine(self, caller: int, turn: int) -> tuple[str, Device]:
        mine = self._phones[caller :: self.callers]
        return mine[turn % len(mine)]

    def _device(self, caller: int, turn: int) -> str:
        return self._mine(caller, turn)[1].device_id

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        self._bank.call(method, path, body)

    def _create(self, _caller: int, _turn: int) -> None:
        number = next(self._numbers)
        name = f"{self._run}-{number}"
        attributes = {"email": f"{name}@example.com", "phone": f"+35840{number:07}"}
        made = self._bank.call("POST", USERS, {"externalRef": name, "segment": "retail", "attributes": attributes})
        self._made.append(made["userId"])

    def _patch(self, caller: int, turn: int) -> None:
        segment = ("retail", "private")[turn // max(len(self._phones) // self.callers, 1) % 2]
        self._ask("PATCH", f"{USERS}/{self._mine(caller, turn)[0]}", {"segment": segment})

    def _registration(self, caller: int, turn: int) -> None:
        self._register(self._made.pop() if self._made else self._mine(caller, turn)[0])

    def _cancel(self, operation: str) -> None:
        expect(self._bank.call("POST", f"{CORE}authentications/{operation}/cancel", {})["state"], "CANCELED")

    def _start(self, caller: int, turn: int) -> str:
        user, phone = self._mine(caller, turn)
        return self._bank.start(user, phone.device_id)

    def _start_wait_and_cancel(self, caller: int, turn: int) -> None:
        operation = self._start(caller, turn)
        canceled = self._rivals.submit(self._cancel_later, operation)
        state = "PENDING"
        while state in ("PENDING", "IN_PROGRESS"):
            # Again, as an integrator does, where it did not end within the second.
            state = self._bank.call("GET", f"{CORE}authentications/{operation}?wait=1")["state"]
        answered = time.monotonic()
        self.heard.append(answered - canceled.result())
        expect(state, "CANCELED")

    def _cancel_later(self, operation: str) -> float:
        time.sleep(CANCELED_AFTER)
        sent = time.monotonic()
        self._cancel(operation)
        return sent

    def _pending(self, phone: Device) -> None:
        expect(str(len(phone.pending())), "1")
