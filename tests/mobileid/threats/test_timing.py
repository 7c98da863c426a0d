"""An unknown device, a forged proof and a wrong PIN take the same time: equal work, answered at equal steps of time."""

from types import SimpleNamespace

import pytest

from mobileid.device_api import door
from mobileid.sdk import errors
from tests import phone_factories as phones
from tests.mobileid.threats.forging import Forger, random_signer
from tests.phone_factories import PIN

pytestmark = pytest.mark.django_db
UNKNOWN = {"deviceId": "00000000-0000-4000-8000-000000000000"}


class Clock:
    """A monotonic clock for the door: a message comes at 1000 s and is judged in ``took`` seconds."""

    def __init__(self, took):
        self.times = iter((1000.0, 1000.0 + took))

    def monotonic(self):
        return next(self.times)


@pytest.mark.parametrize(("took", "until"), [(0.004, 0.1), (0.06, 0.1), (0.099, 0.1), (0.13, 0.2)])
def test_every_refusal_is_held_to_the_same_step_of_time(phone, ada, monkeypatch, took, until):
    forger = Forger(phone, PIN)
    operation, _ = phones.ask(ada)
    knowledge = forger.signers("possession", "knowledge", pin="000000")
    held = []
    monkeypatch.setattr(door, "hold", lambda _request, moment: held.append(round(moment - 1000, 6)))
    for changes, signers in ((UNKNOWN, knowledge), ({}, knowledge | {"possession": random_signer}), ({}, knowledge)):
        said = forger.statement(operation, forger.start(operation), **changes)
        with monkeypatch.context() as patch:
            patch.setattr(door, "time", SimpleNamespace(monotonic=Clock(took).monotonic, time_ns=door.time.time_ns))
            with pytest.raises(errors.AuthenticationFailed):
                forger.finish(operation, said, signers)
    assert held == [until] * 3
    forger.start(operation)
    assert len(held) == 3


def test_an_unknown_device_costs_a_signature_check_like_a_known_one(phone, ada, monkeypatch):
    """Under the waiting there is equal work: one device look-up, one ECDSA verification."""
    from mobileid.protocol.proofs import Proof

    forger, verified = Forger(phone, PIN), []
    verify = Proof.verify
    monkeypatch.setattr(Proof, "verify", lambda self, factor, key: verified.append(factor) or verify(self, factor, key))
    operation, _ = phones.ask(ada)
    started = forger.start(operation)
    verified.clear()
    for changes, signer in (
        (UNKNOWN, phone.store.sign_possession),
        ({}, random_signer),
    ):
        with pytest.raises(errors.AuthenticationFailed):
            forger.finish(
                operation, forger.statement(operation, started, method="DEVICE", **changes), {"possession": signer}
            )
    assert verified == ["possession", "possession"]
