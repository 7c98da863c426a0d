"""An unknown device, a forged proof and a wrong PIN take the same time, by medians."""

import statistics
import time

import pytest

from mobileid.device_api import door
from mobileid.sdk import errors
from tests import factories_devices as phones
from tests.factories_devices import PIN
from tests.mobileid.threats.forging import Forger, random_signer

pytestmark = pytest.mark.django_db


def test_refusals_are_of_one_timing_class(phone, ada, monkeypatch):
    monkeypatch.setattr("mobileid.services.factors.MAX_FAILURES", 100)
    forger = Forger(phone, PIN)
    operation, _ = phones.ask(ada)
    knowledge = forger.signers("possession", "knowledge", pin="000000")
    kinds = {
        "unknown device": ({"deviceId": "00000000-0000-4000-8000-000000000000"}, knowledge),
        "forged possession": ({}, knowledge | {"possession": random_signer}),
        "wrong PIN": ({}, knowledge),
    }
    spent = {kind: [] for kind in kinds}
    forger.device.channel.documents.current()
    for _ in range(9):
        for kind, (changes, signers) in kinds.items():
            said = forger.statement(operation, forger.start(operation), **changes)
            began = time.monotonic()
            with pytest.raises(errors.AuthenticationFailed):
                forger.finish(operation, said, signers)
            spent[kind].append(time.monotonic() - began)
    medians = {kind: statistics.median(times) for kind, times in spent.items()}
    assert max(medians.values()) - min(medians.values()) < door.QUANTUM / 2, medians


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
        ({"deviceId": "00000000-0000-4000-8000-000000000000"}, phone.store.sign_possession),
        ({}, random_signer),
    ):
        with pytest.raises(errors.AuthenticationFailed):
            forger.finish(
                operation, forger.statement(operation, started, method="DEVICE", **changes), {"possession": signer}
            )
    assert verified == ["possession", "possession"]
