"""A factor that proved itself counts only while the person and the phone may still be used."""

import pytest

from mobileid.protocol import proofs
from mobileid.services import devices, factors
from reuseid.actors import SYSTEM
from reuseid.services.people import users

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("factor", [proofs.KNOWLEDGE, proofs.INHERENCE, None])
def test_a_lock_in_the_middle_of_a_message_counts(device, factor):
    assert factors.credit(device, factor)
    users.lock(device.user, actor=SYSTEM, reason="OTHER", note="lost phone")
    assert not factors.credit(device, factor)
    users.unlock(device.user, actor=SYSTEM, reason="OTHER", note="found")
    assert factors.credit(device, factor)
    devices.lock(device, actor=SYSTEM, reason="OTHER", note="lost phone")
    assert not factors.credit(device, factor)
