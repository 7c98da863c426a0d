"""The cipher suite that a phone speaks: kept with its row, for who wonders why an app is refused."""

from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobileid.models import Application, Device
from mobileid.sdk.errors import AuthenticationFailed, MobileIdError
from mobileid.sdk.keydocument import KeyDocument
from mobileid.services.diagnosis import diagnose
from reuseid.models import User
from tests import phone_factories as phones

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def app_knows(monkeypatch):
    """`app_knows(1)`: from now on the app has no stronger suite."""

    def suites(highest):
        def best(document, _now):
            known = [key for key in document.keys if key.suite <= highest]
            return max(known, key=lambda key: (key.suite, key.not_before))

        monkeypatch.setattr(KeyDocument, "best_key", best)

    return suites


def codes(user):
    return [fact.code for fact in diagnose(User.objects.select_related("account").get(pk=user.pk)).blocking]


def test_a_registration_keeps_its_suite(phone, ada, application, app_knows):
    assert phone.row.suite == 2
    app_knows(1)
    assert phones.make_phone(ada, application, name="Old app").row.suite == 1


@pytest.mark.parametrize("say", ["pending", "status"])
def test_an_app_with_another_suite_is_noted_once_by_whatever_it_says(phone, app_knows, say):
    def written():
        with CaptureQueriesContext(connection) as captured:
            getattr(phone.reload().device, say)()
        return [query["sql"] for query in captured if query["sql"].startswith(("INSERT", "UPDATE"))]

    assert len(written()) == 1, "that it was heard at all"
    assert written() == []
    app_knows(1)
    assert len(written()) == 1
    assert phone.row.suite == 1
    assert written() == []


def test_what_nobody_signed_says_nothing(phone, ada, application, app_knows):
    """A message with another's device id: its suite is not the phone's."""
    other = phones.make_phone(ada, application, name="Other")
    app_knows(1)
    other.reload().device._state = replace(other.device._state, device_id=phone.device.device_id)
    with pytest.raises(AuthenticationFailed):
        other.device.pending()
    assert set(Device.objects.values_list("suite", flat=True)) == {2}


def test_a_suite_below_the_minimum_is_a_fact_until_the_updated_app_is_opened(phone, ada, app_knows):
    app_knows(1)
    phone.reload().device.pending()
    assert codes(ada) == []
    Application.objects.update(min_suite=2)
    assert codes(ada) == ["SUITE_REFUSED"]
    with pytest.raises(MobileIdError):
        phone.reload().device.pending()
    assert codes(ada) == ["SUITE_REFUSED"]
    app_knows(2)
    phone.reload().device.status()
    assert codes(ada) == []


def test_a_phone_of_which_no_suite_is_known_is_not_accused(phone, ada):
    Device.objects.update(suite=None)
    Application.objects.update(min_suite=2)
    assert codes(ada) == []
