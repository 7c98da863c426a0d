"""A factor that proved itself counts only while the person and the phone may still be used."""

import pytest

from mobileid.models import Device
from mobileid.problems import DeviceUnusable
from mobileid.protocol import proofs
from mobileid.services import devices, factors
from reuseid.actors import SYSTEM
from reuseid.services.people import users

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("factor", [proofs.KNOWLEDGE, proofs.INHERENCE, None])
def test_a_lock_in_the_middle_of_a_message_counts(device, factor):
    factors.credit(device, factor)
    users.lock(device.user, actor=SYSTEM, reason="OTHER", note="lost phone")
    with pytest.raises(DeviceUnusable):
        factors.credit(device, factor)
    users.unlock(device.user, actor=SYSTEM, reason="OTHER", note="found")
    factors.credit(device, factor)
    devices.lock(Device.objects.get(pk=device.pk), actor=SYSTEM, reason="OTHER", note="lost phone")
    with pytest.raises(DeviceUnusable) as refused:
        factors.credit(device, factor)
    assert refused.value.members == {"state": "LOCKED"}, "its state is the one of this moment"
