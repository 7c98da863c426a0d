"""One code of an authenticator app, or one recovery code, at two doors at once."""

from functools import partial

import pytest

from reuseid.actors import Actor
from reuseid.services.staff import second_factors
from tests.rivals import race
from tests.staff_factories import code_of, make_colleague, make_factor

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def let_in(staff, code, rivals=8):
    """How many of the rivals got in with ``code``."""
    results = race(*[partial(second_factors.check, staff, code)] * rivals)
    return sum(not isinstance(result, second_factors.Refused) for result in results)


def test_a_code_of_the_app_lets_one_in():
    staff = make_colleague("kim", None)
    make_factor(staff)
    assert let_in(staff, code_of(staff)) == 1


def test_a_recovery_code_lets_one_in():
    staff = make_colleague("kim", None)
    make_factor(staff)
    code = second_factors.new_codes(staff, actor=Actor.staff(staff))[0]
    assert let_in(staff, code) == 1
    assert second_factors.codes_left(staff) == 9
