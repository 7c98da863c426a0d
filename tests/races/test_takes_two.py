"""Rivals over one colleague's password and second factor: no one person ever gets both."""

from functools import partial

import pytest

from reuseid.actors import Actor
from reuseid.models import Staff
from reuseid.services.staff import members as staff_service
from reuseid.services.staff import second_factors
from tests.races.test_approvals import race
from tests.staff_factories import make_colleague, make_factor

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ROUNDS = 10


def acts(boss, staff):
    """Both acts, each on what its own browser read before."""
    give = partial(staff_service.new_password, Staff.objects.get(pk=staff.pk), actor=Actor.staff(boss))
    reset = partial(
        second_factors.reset, Staff.objects.get(pk=staff.pk), actor=Actor.staff(boss), reason="OTHER", note="x"
    )
    return give, reset


def test_one_administrator_in_two_browsers_does_one_of_the_two():
    boss = make_colleague("boss", None, is_superuser=True)
    for number in range(ROUNDS):
        staff = make_colleague(f"kim{number}", None)
        make_factor(staff)
        results = race(*acts(boss, staff))
        assert [type(result) for result in results if isinstance(result, Exception)] == [staff_service.TakesTwo]
        staff.refresh_from_db()
        assert [staff.password_set_by_id, staff.factor_reset_by_id].count(boss.pk) == 1


def test_two_administrators_at_once_leave_both_names():
    bosses = [make_colleague(name, None, is_superuser=True) for name in ("ada", "bob")]
    staff = make_colleague("kim", None)
    make_factor(staff)
    give, reset = acts(bosses[0], staff)[0], acts(bosses[1], staff)[1]
    race(give, reset)
    staff.refresh_from_db()
    assert {staff.password_set_by_id, staff.factor_reset_by_id} == {boss.pk for boss in bosses}


def test_a_factor_that_is_set_up_while_the_former_is_reset_is_not_kept():
    """The session that sets it up began before the reset, and ends with it."""
    boss = make_colleague("boss", None, is_superuser=True)
    for number in range(ROUNDS):
        staff = make_colleague(f"kim{number}", None)
        make_factor(staff)
        _give, reset = acts(boss, staff)
        codes = partial(second_factors.new_codes, Staff.objects.get(pk=staff.pk), actor=Actor.staff(staff))
        race(reset, codes)
        assert second_factors.of(staff) is None
        assert second_factors.codes_left(staff) == 0
