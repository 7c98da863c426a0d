"""Rivals around a person's page: one line for looks at once, each phone changed once, no note that outlives erasure."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mobileid.models import Device
from mobileid.services import all_devices
from reuseid.actors import SYSTEM, Actor
from reuseid.models import TrailEntry, User, UserAccess, UserNote
from reuseid.services.audit import access
from reuseid.services.jobs import erasures
from reuseid.services.people import erasure, notes
from tests import factories
from tests import phone_factories as phones
from tests.rivals import race
from tests.staff_factories import make_colleague

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def sam(account):
    return make_colleague("sam", None, account)


@pytest.mark.parametrize("earlier", [False, True])
def test_of_looks_at_once_one_leaves_a_line(user, sam, earlier):
    if earlier:
        UserAccess.objects.create(account=user.account, staff=sam, user=user, at=timezone.now() - timedelta(hours=1))
    results = race(*[lambda: access.viewed(user, actor=Actor.staff(sam))] * 8)
    assert sorted(results) == [False] * 7 + [True]
    assert TrailEntry.objects.filter(action="user.viewed").count() == 1


def test_two_colleagues_who_lock_all_devices_lock_each_once(account):
    application = phones.make_application(account)
    ada = factories.make_untold_user(account)
    for number in range(3):
        phones.make_phone(ada, application, name=f"Phone {number}")

    def lock():
        return all_devices.lock_all(ada, actor=SYSTEM, reason="DEVICE_LOST")

    outcomes = [outcome for each in race(lock, lock) for outcome in each]
    assert sum(outcome.refusal is None for outcome in outcomes) == 3
    assert TrailEntry.objects.filter(action="device.locked").count() == 3
    assert set(Device.objects.values_list("status", flat=True)) == {"LOCKED"}


def test_no_note_outlives_the_erasure_that_it_races(user):
    actor = Actor("STAFF", "1", "sam")

    def erase():
        erasure.request(User.objects.select_related("account").get(pk=user.pk), actor=SYSTEM, reason="CUSTOMER_REQUEST")
        return erasures.carry_out()

    race(erase, *[lambda: notes.add(user, "A note.", actor=actor)] * 6)
    erasures.carry_out()
    assert User.objects.get(pk=user.pk).erased_at
    assert not UserNote.objects.exists()
