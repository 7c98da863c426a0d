"""Rivals over one person or one value: exactly one wins."""

from collections import Counter
from functools import partial

import pytest

from reuseid.models import Attribute, AttributeKey, TrailEntry, User
from tests import factories
from tests.rivals import race

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
USERS = "/reuseid/core/users"


def at_once(number, call):
    """What `call(n)` answered in as many threads, as counts of (status, code)."""
    answers = race(*[partial(call, index) for index in range(number)])
    return Counter((answer.status_code, answer.json().get("code", "")) for answer in answers)


def test_one_external_reference_makes_one_user(api):
    outcome = at_once(8, lambda _: api.post(USERS, {"externalRef": "x"}))
    assert outcome == {(201, ""): 1, (409, "external_ref_taken"): 7}


def test_one_unique_value_is_given_once_and_leaves_no_half_user(api, account):
    AttributeKey.objects.create(account=account, name="ssn", searchable=True, unique=True)
    outcome = at_once(8, lambda _: api.post(USERS, {"attributes": {"ssn": "010190-123A"}}))
    assert outcome == {(201, ""): 1, (409, "attribute_not_unique"): 7}
    assert (User.objects.count(), Attribute.objects.count()) == (1, 1)


def test_of_updates_from_one_reading_one_wins(api, user):
    tag = api.get(f"{USERS}/{user.pk}")["ETag"]
    outcome = at_once(
        8, lambda index: api.patch(f"{USERS}/{user.pk}", {"segment": str(index)}, headers={"If-Match": tag})
    )
    assert outcome == {(200, ""): 1, (412, "precondition_failed"): 7}


def test_of_locks_one_wins_and_one_line_is_written(api, user):
    outcome = at_once(8, lambda _: api.post(f"{USERS}/{user.pk}/lock", {"reason": "DEVICE_LOST"}))
    assert outcome == {(200, ""): 1, (409, "wrong_state"): 7}
    assert TrailEntry.objects.filter(user_id=user.pk, action="user.locked").count() == 1


def test_writers_of_different_attributes_lose_nothing(api, account):
    user = factories.make_user(account)
    outcome = at_once(8, lambda index: api.put(f"{USERS}/{user.pk}/attributes/a{index}", {"value": index}))
    assert outcome == {(200, ""): 8}
    assert api.get(f"{USERS}/{user.pk}").json()["attributes"] == {f"a{index}": index for index in range(8)}


def test_an_erasure_is_asked_for_once(api, user):
    outcome = at_once(4, lambda _: api.post(f"{USERS}/{user.pk}/erase", {"reason": "CUSTOMER_REQUEST"}))
    assert outcome == {(202, ""): 1, (409, "erasure_requested"): 3}
