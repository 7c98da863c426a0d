"""Rivals with one Idempotency-Key."""

import pytest

from reuseid.models import User
from tests.rivals import race

USERS = "/reuseid/core/users"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_ten_calls_at_once_with_one_key_make_one_user(api):
    def call():
        return api.post(USERS, {"externalRef": "once"}, headers={"Idempotency-Key": "race"})

    answers = race(*[call] * 10)
    assert User.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_key_running"}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
