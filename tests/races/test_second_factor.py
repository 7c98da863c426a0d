"""One code of an authenticator app, or one recovery code, at two doors at once."""

import threading

import pytest
from django.db import connection

from reuseid.services import second_factors
from tests.reuseid.admin.cast import code_of, make_colleague, make_factor

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def at_once(staff, code, rivals=8):
    """How many of the rivals were let in with ``code``."""
    barrier, let_in = threading.Barrier(rivals), []

    def enter():
        try:
            barrier.wait()
            let_in.append(second_factors.check(staff, code))
        except second_factors.Refused:
            pass
        finally:
            connection.close()

    threads = [threading.Thread(target=enter) for _ in range(rivals)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(let_in)


def test_a_code_of_the_app_lets_one_in():
    staff = make_colleague("kim", None)
    make_factor(staff)
    assert at_once(staff, code_of(staff)) == 1


def test_a_recovery_code_lets_one_in():
    staff = make_colleague("kim", None)
    make_factor(staff)
    code = second_factors.new_codes(staff, by=staff)[0]
    assert at_once(staff, code) == 1
    assert second_factors.codes_left(staff) == 9
