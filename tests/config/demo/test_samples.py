"""The people of the demo: each has the obstacle that the name says, and is found."""

import re
from datetime import timedelta
from pathlib import Path

import phonenumbers
import pytest
from django.utils import timezone

from config.demo import samples
from mobileid.models import Operation
from mobileid.services import completion, diagnosis
from mobileid.services.diagnosis import diagnose
from reuseid.actors import SYSTEM
from reuseid.models import Account, Staff, TrailEntry, User
from tests.phone_factories import SERVER, make_application
from tests.staff_factories import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def bank(account):
    make_application(account)
    samples.fill(account, server=SERVER, actor=SYSTEM)
    return account


def found_codes():
    people = User.objects.select_related("account").filter(external_ref__startswith="sample-")
    return {user.external_ref: {fact.code for fact in diagnose(user).blocking} for user in people}


def wanted_codes():
    wanted = {f"sample-{sample.family.lower()}": {sample.code} for sample in samples.SAMPLES}
    # Who is deactivated has no phone any more.
    return wanted | {"sample-deactivated": {"USER_DEACTIVATED", "NO_DEVICE"}}


def test_there_is_one_person_for_each_obstacle_that_is_known(bank):
    known = set(re.findall(r'"([A-Z]+_[A-Z_]+)",\n', Path(diagnosis.__file__).read_text()))
    assert len(known) >= 15
    assert {sample.code for sample in samples.SAMPLES} == known
    assert found_codes() == wanted_codes()
    assert User.objects.filter(account=bank).count() == 11


def test_they_are_found_by_name_phone_and_e_mail(bank):
    admin = browser_of(Staff.objects.create_superuser("boss", password="correct-horse-battery"))
    for number, sample in enumerate(samples.SAMPLES):
        values = samples._attributes(number, sample)
        for name in ("name", "familyName", "email", "phone"):
            shown = admin.get("/admin/reuseid/user/", {"q": values[name].value}, follow=True).content.decode()
            assert f"sample-{sample.family.lower()}" in shown, values[name]


def test_nobody_real_can_be_meant(bank):
    for number, sample in enumerate(samples.SAMPLES):
        values = samples._attributes(number, sample)
        assert values["email"].value.endswith("@example.com")
        assert re.fullmatch(r"\+447700900\d{3}", values["phone"].value)
        assert not phonenumbers.is_valid_number(phonenumbers.parse(values["phone"].value))


def test_what_passes_with_time_is_made_anew_and_nothing_else(bank):
    past = timezone.now() - timedelta(minutes=16)
    begun = past - timedelta(minutes=1)
    Operation.objects.open().update(created_at=begun, expires_at=past)
    Operation.objects.exclude(ended_at=None).update(created_at=begun, ended_at=past, expires_at=past)
    completion.expire_overdue()
    assert found_codes() != wanted_codes()
    before = TrailEntry.objects.filter(action="user.created").count()
    samples.fill(Account.objects.get(pk=bank.pk), server=SERVER, actor=SYSTEM)
    assert found_codes() == wanted_codes()
    samples.fill(Account.objects.get(pk=bank.pk), server=SERVER, actor=SYSTEM)
    assert TrailEntry.objects.filter(action="user.created").count() == before
