"""Rivals over the last searches by value of one colleague: as many are answered as the quota has, and one notice."""

import pytest
from django.test import RequestFactory

from reuseid.actors import SYSTEM
from reuseid.admin.kit.search import find_people
from reuseid.models import Staff, StaffNotice, TrailEntry
from reuseid.services.people import attribute_keys
from tests import factories
from tests.rivals import race
from tests.staff_factories import make_colleague

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
QUOTA, RIVALS = 5, 8


def test_of_many_who_search_at_once_the_quota_is_answered(account, settings):
    settings.SEARCH_QUOTA = QUOTA
    attribute_keys.create(account, "phone", actor=SYSTEM, searchable=True, normalisation="phone")
    user = factories.make_user(account, attributes={"phone": "+358401234567"})
    staff = make_colleague("root", None, account, is_superuser=True)

    def search():
        request = RequestFactory().get("/")
        request.user = Staff.objects.get(pk=staff.pk)
        return find_people(request, "+358401234567")[0]

    found = race(*[search] * RIVALS)
    assert sorted(map(len, found)) == [0] * (RIVALS - QUOTA) + [1] * QUOTA
    assert TrailEntry.objects.filter(action="user.found", user_id=user.pk).count() == QUOTA
    assert StaffNotice.objects.count() == 1
