"""A phone in a tunnel: requests and answers get lost, each loss takes its time, clocks differ, the battery ends.

Time passes for both sides when the test says so: the service's clock is moved, and its rows are moved the other way.
"""

import copy
import time as wall
from contextlib import contextmanager
from datetime import timedelta

from django.db.models import F

from mobileid.models import Device, Nonce, Operation, StoredResponse
from mobileid.sdk.errors import ConnectionFailed
from mobileid.sdk.keystore import MemoryStore
from tests import phone_factories as phones

_MOMENTS = [
    (Operation, "expires_at"),
    (Nonce, "expires_at"),
    (StoredResponse, "created_at"),
    (Device, "locked_until"),
    (Device, "previous_key_until"),
    (Device, "previous_inherence_until"),
]


class Time:
    """What has passed, in seconds. In the service's modules it stands for `time`."""

    def __init__(self):
        self.passed = 0.0

    def passes(self, seconds):
        """For everybody."""
        self.passed += seconds
        for model, name in _MOMENTS:
            model.objects.filter(**{f"{name}__isnull": False}).update(**{name: F(name) - timedelta(seconds=seconds)})

    def clock(self, offset=0.0):
        """A phone's clock that is ahead by so many seconds."""
        return lambda: self.time() + offset

    def time(self):
        return wall.time() + self.passed

    def time_ns(self):
        return wall.time_ns() + int(self.passed * 1e9)

    monotonic = staticmethod(wall.monotonic)

    def sleep(self, _seconds):
        """A refusal waits for its moment; here nobody measures it."""

    @classmethod
    @contextmanager
    def kept(cls, monkeypatch):
        """The service goes by a new one."""
        kept = cls()
        with monkeypatch.context() as patched:
            for module in ("mobileid.device_api.door.time", "mobileid.services.operation_links.time"):
                patched.setattr(module, kept)
            yield kept


class Tunnel(phones.Line):
    """The line: see `enter`. Every loss costs both sides `seconds`. `gone` are the requests that never arrived."""

    def __init__(self, time):
        super().__init__()
        self.time, self.requests, self.lost, self.seconds, self.entrance = time, 0, 0, 20.0, ""
        self.gone = []

    def enter(self, path="", *, requests=0, answers=0, seconds=20.0):
        """From the next message to `path` on, so many requests get lost, then so many answers, whatever is sent."""
        self.entrance, self.requests, self.lost, self.seconds = path, requests, answers, seconds

    def leave(self):
        """Nothing gets lost any more."""
        self.enter()

    def post(self, path, body):
        if not path.endswith(self.entrance):
            return super().post(path, body)
        self.entrance = ""
        if self.requests:
            self.requests -= 1
            self.gone.append((path, body))
            self._lose()
        answer = super().post(path, body)
        if self.lost:
            self.lost -= 1
            self._lose()
        return answer

    def _lose(self):
        self.time.passes(self.seconds)
        raise ConnectionFailed


class Battery(Exception):
    """It ended."""


class Pocket(MemoryStore):
    """A store that outlives its process: `dies_at` counts the writes down, and the phone dies before or after one."""

    def __init__(self):
        super().__init__(gate=lambda: True)
        self.dies_at, self.dies_after = 0, False
        self._lasting = ({}, {})

    def _changed(self):
        self.dies_at -= 1
        if self.dies_at == 0 and not self.dies_after:
            self._keys, self._records = copy.deepcopy(self._lasting)
            raise Battery
        self._lasting = copy.deepcopy((self._keys, self._records))
        if self.dies_at == 0:
            raise Battery
