"""Devices in the back office."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobileid.models import Device
from reuseid.models import Event, TrailEntry, User
from tests import factories
from tests import phone_factories as phones
from tests.staff_factories import REASON, page, rows_of, said

pytestmark = pytest.mark.django_db


def state_of(device):
    return Device.objects.get(pk=device.pk).status


def test_support_locks_and_unlocks_a_phone_with_a_reason(support, phone):
    sent = {**REASON, "reason": "DEVICE_LOST"}
    assert said(support.post(page(phone.row, "lock"), sent, follow=True)) == ["The device is locked."]
    line = TrailEntry.objects.get(action="device.locked")
    assert (line.actor_label, line.reason, line.note) == ("sam", "DEVICE_LOST", REASON["note"])
    assert Event.objects.filter(type="device.locked", object_id=phone.row.pk).count() == 1
    support.post(page(phone.row, "unlock"), {**REASON, "reason": "RESOLVED"})
    assert state_of(phone.row) == "ACTIVE"


def test_two_colleagues_lock_once(support, senior, phone):
    support.post(page(phone.row, "lock"), REASON)
    (message,) = said(senior.post(page(phone.row, "lock"), REASON, follow=True))
    assert message.startswith("Nothing was changed: the device is locked already")
    assert TrailEntry.objects.filter(action="device.locked").count() == 1


def test_deactivating_is_for_seniors_and_for_good(support, senior, phone):
    assert support.post(page(phone.row, "deactivate"), REASON).status_code == 403
    senior.post(page(phone.row, "deactivate"), REASON)
    assert state_of(phone.row) == "DEACTIVATED"
    assert senior.get(page(phone.row)).context["actions_detail"] == []


@pytest.mark.parametrize("act", ["lock", "unlock", "deactivate"])
def test_auditor_and_stranger_change_nothing(auditor, stranger, phone, act):
    for browser in (auditor, stranger):
        assert browser.get(page(phone.row, act)).status_code == 403
        assert browser.post(page(phone.row, act), REASON).status_code == 403
    assert state_of(phone.row) == "ACTIVE"
    assert stranger.get(page(phone.row)).status_code == 302


def test_the_page_shows_the_phone_and_none_of_its_secrets(support, phone):
    Device.objects.update(model="Pixel <9>", app_version="4.2.1", failed_attempts=3)
    shown = support.get(page(phone.row)).content.decode()
    for words in ("Pixel &lt;9&gt;", "4.2.1", phone.row.possession_thumbprint, "Device and PIN", "Failed tries"):
        assert words in shown
    row = phone.row
    for secret in (row.possession_jwk["x"], bytes(row.knowledge_key).hex(), str(row.knowledge_key)):
        assert secret not in shown


def test_the_dialog_says_how_many_operations_end(senior, phone, ada):
    phones.ask(ada)
    shown = senior.get(page(phone.row, "deactivate")).content.decode()
    assert "1 open operation that waits" in shown
    assert "undone" in shown


@pytest.mark.parametrize("tab", ["overview", "operations", "timeline"])
def test_every_tab_opens(support, phone, ada, tab):
    phones.ask(ada)
    assert support.get(page(phone.row, tab=tab)).status_code == 200


def test_a_person_is_found_by_their_phone_or_operation(support, stranger, phone, ada):
    operation, _shown = phones.ask(ada)
    for value in (phone.row.pk, operation.pk):
        response = support.get(rows_of(User, q=str(value)))
        assert [row.pk for row in response.context["cl"].result_list] == [ada.pk]
        assert not stranger.get(rows_of(User, q=str(value))).context["cl"].result_list


def test_the_list_costs_as_much_for_one_phone_as_for_many(support, phone, account, application):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert support.get(rows_of(Device)).status_code == 200
        return len(seen)

    one = queries()
    for number in range(4):
        phones.make_phone(factories.make_untold_user(account, external_ref=f"p{number}"), application)
    assert queries() == one <= 10
