import pytest

from mobileid.sdk.device import Device
from mobileid.sdk.keystore import MemoryStore

from .service import NOW, Service

PIN = "2580"


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def store():
    return MemoryStore(gate=lambda: True)


@pytest.fixture
def clock():
    """The phone's clock; tests set `clock.time`."""

    class Clock:
        time = float(NOW)
        slept: list[float] = []

        def __call__(self):
            return self.time

    clock = Clock()
    clock.slept = []
    return clock


@pytest.fixture
def line(service, clock):
    """What every device of these tests is made with."""
    return {"transport": service, "clock": clock, "sleep": clock.slept.append}


@pytest.fixture
def register(service, store, line):
    def register(pin=PIN, **options):
        offer = Device.start_registration(service.config, "abcd-2345-wxyz", store, **line)
        return offer.finish(pin=pin, name="Ann's phone", **options)

    return register


@pytest.fixture
def device(register):
    return register().device
