"""Operations in the back office: their life, nothing of what the person saw, and cancelling."""

import pytest

from mobileid.models import Operation
from reuseid.models import TrailEntry
from tests import factories_devices as phones
from tests.reuseid.admin.cast import REASON, page, rows_of, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def asked(ada, phone):
    return phones.ask(ada, title="Pay the plumber", content="Pay 81 euro to Mario's?")[0]


def test_support_cancels_an_open_operation_once(support, senior, asked):
    assert said(support.post(page(asked, "cancel"), REASON, follow=True)) == ["The operation is cancelled."]
    row = Operation.objects.get(pk=asked.pk)
    assert (row.status, row.failure_reason) == ("CANCELED", "SUSPECTED_FRAUD")
    assert TrailEntry.objects.get(action="operation.canceled").note == REASON["note"]
    (message,) = said(senior.post(page(asked, "cancel"), REASON, follow=True))
    assert "is cancelled already" in message
    assert senior.get(page(asked)).context["actions_detail"] == []


def test_what_was_approved_is_not_cancelled_afterwards(support, phone, asked):
    phone.device.start_operation(str(asked.pk)).approve(pin=phones.PIN)
    (message,) = said(support.post(page(asked, "cancel"), REASON, follow=True))
    assert "the operation is completed already" in message
    assert Operation.objects.get(pk=asked.pk).status == "COMPLETED"


def test_auditor_and_stranger_cancel_nothing(auditor, stranger, asked):
    for browser in (auditor, stranger):
        assert browser.post(page(asked, "cancel"), REASON).status_code == 403
    assert stranger.get(page(asked)).status_code == 302
    assert Operation.objects.get(pk=asked.pk).status == "PENDING"


def test_the_page_shows_the_life_and_hides_what_the_person_saw(senior, phone, asked):
    phone.device.start_operation(str(asked.pk)).approve(pin=phones.PIN)
    shown = senior.get(page(asked)).content.decode()
    for words in ("Picked up by the phone", "Took altogether", "Deadline", "Device and PIN", asked.content_hash):
        assert words in shown
    for hidden in ("plumber", "Mario"):
        assert hidden not in shown
    assert senior.get(page(asked.evidence)).status_code == 200


def test_lists_and_events_hide_it_too(senior, asked, ada):
    support_sees = [rows_of(Operation), page(ada, tab="operations"), page(ada, tab="timeline")]
    for address in support_sees:
        shown = senior.get(address).content.decode()
        assert "plumber" not in shown
        assert "Mario" not in shown


def test_the_first_page_counts_operations_that_are_open_and_that_ended(support, stranger, phone, ada):
    first, _shown = phones.ask(ada)
    phone.device.start_operation(str(first.pk)).approve(pin=phones.PIN)
    phones.ask(ada)
    for browser, waiting, completed in ((support, "1", 2), (stranger, "0", 0)):
        shown = browser.get("/admin/").context
        assert {card.title: card.number for card in shown["cards"]}["Operations open"] == waiting
        legend = {str(name): count for name, _colour, count, _address in shown["charts"][0].legend}
        assert legend["Completed"] == completed
