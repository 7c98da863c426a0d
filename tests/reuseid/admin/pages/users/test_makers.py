"""Which API client made a person: kept when it does, shown and filtered by, told to nobody outside."""

import pytest

from reuseid.actors import SYSTEM, Actor
from reuseid.models import User
from reuseid.services.people import users
from tests import factories
from tests.staff_factories import page, rows_of

pytestmark = pytest.mark.django_db
USERS = "/reuseid/core/users"


@pytest.fixture
def made(api, account):
    """A person made over the REST API."""
    answer = api.post(USERS, {"externalRef": "by-api"})
    assert answer.status_code == 201
    assert "client" not in answer.content.decode().lower()
    return User.objects.get(pk=answer.json()["userId"])


def listed(browser, **query):
    response = browser.get(rows_of(User, **query))
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


def test_a_client_that_makes_a_person_stays_known(api, made, account, support):
    assert made.client == api.client_row
    assert users.create(account, actor=Actor.client(api.client_row)).client == api.client_row
    for actor in (SYSTEM, Actor.staff(support.staff)):
        assert users.create(account, actor=actor).client is None


def test_the_answer_of_the_api_does_not_name_it(api, made):
    assert "client" not in api.get(f"{USERS}/{made.pk}").content.decode().lower()


def test_people_are_filtered_by_the_client_that_made_them(support, api, made, user, account, other_account):
    other = factories.make_client(account, name="Branch")
    theirs = users.create(account, actor=Actor.client(other))
    users.lock(theirs, actor=SYSTEM, reason="COMPLIANCE")
    assert listed(support, client=api.client_row.pk) == {made.pk}
    assert listed(support, client=other.pk) == {theirs.pk}
    assert listed(support, client=other.pk, status="ACTIVE") == set()
    # What is no choice filters nothing: a client of elsewhere would be an oracle.
    foreign = factories.make_client(other_account, name="Their back end")
    everybody = {user.pk, made.pk, theirs.pk}
    assert listed(support, client=foreign.pk) == listed(support, client="nonsense") == everybody


def test_only_the_clients_of_ones_accounts_are_offered(support, stranger, made):
    offered = "Back end"
    assert offered in support.get(rows_of(User)).content.decode()
    assert offered not in stranger.get(rows_of(User)).content.decode()


def test_the_facts_name_the_client_and_link_it_for_those_who_may_open_it(support, auditor, api, made, user):
    client = api.client_row
    for browser, linked in ((auditor, True), (support, False)):
        shown = browser.get(page(made)).content.decode()
        assert "Made by the API client" in shown
        assert client.name in shown
        assert (page(client) in shown) is linked
    assert auditor.get(page(client)).status_code == 200
    assert support.get(page(client)).status_code == 403
    assert client.name not in auditor.get(page(user)).content.decode()
