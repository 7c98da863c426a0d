"""Filters of people, phones and operations: shareable addresses that find what they say."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mobileid.models import Device, Operation
from reuseid.models import User
from tests import factories
from tests import phone_factories as phones
from tests.staff_factories import rows_of

pytestmark = pytest.mark.django_db


def listed(browser, model, **query):
    response = browser.get(rows_of(model, **query))
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


@pytest.fixture
def two(ada, phone, account, application):
    """Ada has an iPhone, Bob an Android with biometry; the one of before is over."""
    bob = factories.make_untold_user(account, external_ref="bob")
    other = phones.make_phone(bob, application, name="Bob's", biometric=True)
    gone = phones.make_phone(bob, application, name="Bob's old one")
    Device.objects.filter(pk=phone.row.pk).update(platform="iOS", inherence_jwk=None)
    Device.objects.filter(pk=other.row.pk).update(platform="Android")
    Device.objects.filter(pk=gone.row.pk).update(platform="iOS", status="DEACTIVATED", knowledge_key=None)
    return ada, bob, phone.row, other.row, gone.row


def test_people_by_the_platform_of_a_phone_that_is_not_over(support, stranger, two):
    ada, bob, *_phones = two
    assert listed(support, User, platform="iOS") == {ada.pk}
    assert listed(support, User, platform=" Android ") == {bob.pk}
    assert listed(support, User, platform="iOS", status="LOCKED") == set()
    assert listed(stranger, User, platform="iOS") == set()


def test_phones_by_platform_method_and_application(support, account, two):
    _ada, _bob, iphone, android, gone = two
    assert listed(support, Device, platform="iOS") == {iphone.pk, gone.pk}
    assert listed(support, Device, method="DEVICE_BIOMETRIC") == {android.pk}
    assert listed(support, Device, method="DEVICE_PIN") == {iphone.pk, android.pk}
    assert len(listed(support, Device, application=str(iphone.application_id))) == 3
    other = phones.make_application(account, "Other app")
    assert listed(support, Device, application=str(other.pk)) == set()


def test_what_is_locked_for_good_and_for_a_time(support, two):
    _ada, _bob, iphone, android, _gone = two
    Device.objects.filter(pk=iphone.pk).update(status="LOCKED")
    Device.objects.filter(pk=android.pk).update(status="LOCKED", locked_until=timezone.now() + timedelta(hours=1))
    assert listed(support, Device, lock="lasting") == {iphone.pk}
    assert listed(support, Device, lock="time") == {android.pk}


def test_operations_by_client_and_application(auditor, account, ada, phone, application):
    client = factories.make_client(account)
    asked, _shown = phones.ask(ada)
    Operation.objects.filter(pk=asked.pk).update(client=client, application=application)
    assert listed(auditor, Operation, client=str(client.pk)) == {asked.pk}
    assert asked.pk in listed(auditor, Operation, application=str(application.pk))
    assert listed(auditor, Operation, client="nonsense") == listed(auditor, Operation)


def test_a_client_or_application_of_elsewhere_is_no_choice(auditor, stranger, account, ada, phone):
    factories.make_client(account, name="Nordbank back end")
    assert "Nordbank back end" in auditor.get(rows_of(Operation)).content.decode()
    shown = stranger.get(rows_of(Operation)).content.decode()
    assert "Nordbank back end" not in shown
    assert "Bank app" not in shown


def test_the_views_above_the_lists_open(root, two):
    for model in (User, Device, Operation):
        for link in root.get(rows_of(model)).context["cl"].views.links:
            response = root.get(rows_of(model) + link.href)
            assert response.status_code == 200
            assert [shown.title for shown in response.context["cl"].views.links if shown.open] == [link.title]


def test_a_filter_by_platform_costs_the_same_for_one_as_for_many(support, two, account, application, queries):
    one = queries(support, rows_of(User, platform="iOS"))
    for number in range(4):
        person = factories.make_untold_user(account, external_ref=f"p{number}")
        Device.objects.filter(pk=phones.make_phone(person, application).row.pk).update(platform="iOS")
    assert queries(support, rows_of(User, platform="iOS")) == one


@pytest.fixture
def queries():
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count(browser, address):
        with CaptureQueriesContext(connection) as seen:
            assert browser.get(address).status_code == 200
        return len(seen)

    return count
