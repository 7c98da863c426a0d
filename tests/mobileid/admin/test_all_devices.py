"""All phones of a person at once: one reason, an outcome for each."""

import pytest

from mobileid.models import Device
from mobileid.services import all_devices, devices
from reuseid.actors import SYSTEM
from reuseid.models import TrailEntry
from tests import factories
from tests import phone_factories as phones
from tests.staff_factories import REASON, page, said

pytestmark = pytest.mark.django_db
LOST = {**REASON, "reason": "DEVICE_LOST"}


@pytest.fixture
def three(ada, phone, application):
    """In use, in use, locked."""
    second = phones.make_phone(ada, application, name="Tablet")
    third = phones.make_phone(ada, application, name="Old phone")
    devices.lock(third.row, actor=SYSTEM, reason="DEVICE_STOLEN")
    return phone, second, third


def states(*found):
    return [Device.objects.get(pk=phone.row.pk).status for phone in found]


def test_all_are_locked_for_one_reason_and_the_message_names_each(support, ada, three):
    response = support.post(page(ada, "lock-devices"), LOST, follow=True)
    (message,) = said(response)
    assert message == "2 devices were changed. “Ada's phone”: Locked. “Tablet”: Locked."
    assert states(*three) == ["LOCKED"] * 3
    lines = TrailEntry.objects.filter(action="device.locked", reason="DEVICE_LOST", note=REASON["note"])
    assert lines.count() == 2
    assert response.redirect_chain[-1][0] == page(ada, tab="devices")


def test_unlocking_and_ending_all(senior, ada, three):
    senior.post(page(ada, "unlock-devices"), {**LOST, "reason": "RESOLVED"})
    assert states(*three) == ["ACTIVE"] * 3
    senior.post(page(ada, "deactivate-devices"), LOST)
    assert states(*three) == ["DEACTIVATED"] * 3
    assert "There is no device" in said(senior.post(page(ada, "deactivate-devices"), LOST, follow=True))[-1]


def test_a_phone_that_somebody_else_was_first_on_takes_nothing_from_the_others(ada, three, monkeypatch):
    lock = devices.lock

    def rival(device, **values):
        if device.name == "Tablet":
            lock(Device.objects.select_related("application").get(pk=device.pk), actor=SYSTEM, reason="COMPLIANCE")
        return lock(device, **values)

    monkeypatch.setattr(devices, "lock", rival)
    outcomes = all_devices.lock_all(ada, actor=SYSTEM, reason="DEVICE_LOST")
    assert [(outcome.device.name, outcome.refusal is None) for outcome in outcomes] == [
        ("Ada's phone", True),
        ("Tablet", False),
    ]
    assert states(*three) == ["LOCKED"] * 3


def test_another_persons_phone_is_left_alone(support, ada, phone, account, application):
    other = phones.make_phone(factories.make_untold_user(account, external_ref="bob"), application)
    support.post(page(ada, "lock-devices"), LOST)
    assert states(phone, other) == ["LOCKED", "ACTIVE"]


def test_who_may_what(support, auditor, stranger, ada, phone):
    assert support.post(page(ada, "deactivate-devices"), LOST).status_code == 403
    for browser in (auditor, stranger):
        for act in ("lock-devices", "unlock-devices", "deactivate-devices"):
            assert browser.get(page(ada, act)).status_code == 403
            assert browser.post(page(ada, act), LOST).status_code == 403
    assert states(phone) == ["ACTIVE"]


def test_only_what_fits_is_offered_in_one_drop_down(senior, support, ada, phone):
    def offered(browser):
        found = browser.get(page(ada)).context["actions_detail"]
        return [
            str(item["title"]) for group in found if str(group["title"]) == "All devices" for item in group["items"]
        ]

    assert offered(senior) == ["Lock all devices", "Deactivate all devices"]
    assert offered(support) == ["Lock all devices"]
    devices.lock(phone.row, actor=SYSTEM, reason="DEVICE_LOST")
    assert offered(support) == ["Unlock all devices"]


def test_the_dialog_names_the_phones_and_a_link_changes_nothing(senior, ada, three):
    shown = senior.get(page(ada, "deactivate-devices")).content.decode()
    for name in ("Ada&#x27;s phone: Active", "Tablet: Active", "Old phone: Locked", "undone"):
        assert name in shown
    assert states(*three) == ["ACTIVE", "ACTIVE", "LOCKED"]


def test_without_a_reason_or_a_caller_where_one_is_required_nothing_happens(support, ada, three, settings):
    support.post(page(ada, "lock-devices"), {**LOST, "reason": ""})
    settings.CALLER_CHECK = "required"
    (message,) = said(support.post(page(ada, "unlock-devices"), {**LOST, "reason": "RESOLVED"}, follow=True))
    assert "First verify the caller" in message
    assert states(*three) == ["ACTIVE", "ACTIVE", "LOCKED"]


@pytest.mark.parametrize(
    "tab", ["overview", "attributes", "proofings", "devices", "operations", "notes", "timeline", "looked", "callbacks"]
)
def test_a_persons_page_costs_as_much_for_one_phone_as_for_many(
    senior, ada, phone, application, tab, django_assert_max_num_queries
):
    def queries():
        with django_assert_max_num_queries(24) as seen:
            assert senior.get(page(ada, tab=tab)).status_code == 200
        return len(seen)

    queries()  # The first look of ten minutes leaves a line.
    one = queries()
    for number in range(4):
        phones.make_phone(ada, application, name=f"Phone {number}")
    assert queries() == one <= 19
    Device.objects.update(status="LOCKED", lock_reason="DEVICE_LOST")
    assert queries() <= one
