"""Rivals with one Idempotency-Key."""

import threading

import pytest
from django.db import connection

from reuseid.models import User

USERS = "/reuseid/core/users"


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_ten_calls_at_once_with_one_key_make_one_user(api):
    answers = []

    def call():
        try:
            answers.append(api.post(USERS, {"externalRef": "once"}, headers={"Idempotency-Key": "race"}))
        finally:
            connection.close()

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert User.objects.count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"idempotency_key_running"}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
