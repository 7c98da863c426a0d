"""Operations in the back office: their life, nothing of what the person saw, and cancelling."""

from datetime import timedelta

import pytest
from django.utils.html import strip_tags

from mobileid.models import Operation
from mobileid.services import completion
from reuseid.actors import SYSTEM
from reuseid.models import TrailEntry
from tests import phone_factories as phones
from tests.device_factories import overdue
from tests.staff_factories import REASON, page, rows_of, said

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
    assert page(asked, "cancel") not in senior.get(page(asked)).content.decode()


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
    for words in ("Picked up by the phone", "Ended", "Deadline", "Device and PIN", asked.content_hash):
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


def life(browser, operation):
    """The line's steps as a reader gets them, without marks."""
    text = browser.get(page(operation)).content.decode()
    line = text[text.index('<ol class="bo-life">') :].partition("</ol>")[0]
    return [" ".join(strip_tags(step).split()) for step in line.replace("<li ", "\0<li ").split("\0")[1:]]


def test_the_life_is_a_line_from_start_to_deadline(senior, phone, asked):
    started = phone.device.start_operation(str(asked.pk))
    begun, picked, ended, deadline = life(senior, asked)
    assert "not yet" in ended
    assert "the person is looking at it" in picked
    started.approve(pin=phones.PIN)
    at = asked.created_at
    times = {"started_at": at + timedelta(seconds=4), "ended_at": at + timedelta(seconds=16)}
    Operation.objects.filter(pk=asked.pk).update(expires_at=at + timedelta(minutes=3), **times)
    begun, picked, ended, deadline = life(senior, asked)
    assert begun.startswith("Started")
    assert begun.endswith("then: 4.0 s")
    assert picked.startswith("Picked up by the phone")
    assert picked.endswith("then: 12.0 s")
    assert ended.startswith("Ended Completed")
    assert ended.endswith("then: 2 min 44 s to spare")
    assert deadline.startswith("Deadline")
    assert "16.0 s of 3 min" in senior.get(page(asked)).content.decode()


def test_what_never_happened_says_so(senior, asked):
    assert "not yet" in life(senior, asked)[1]
    overdue(asked)
    completion.expire_overdue()
    _begun, picked, ended, _deadline = life(senior, asked)
    assert picked == "Picked up by the phone never"
    assert ended.startswith("Ended Expired")
    assert "then:" not in ended


def test_an_open_page_counts_down_and_refreshes_itself_until_it_is_over(senior, phone, asked):
    shown = senior.get(page(asked)).content.decode()
    assert 'hx-trigger="every 3s' in shown
    assert 'data-counts="' in shown
    slow = phones.start_registration(asked.user, asked.target_device.application, expires_in=86400)[0]
    assert 'hx-trigger="every 15s' in senior.get(page(slow)).content.decode()
    completion.cancel(asked, actor=SYSTEM)
    shown = senior.get(page(asked)).content.decode()
    assert "data-refreshes" not in shown
    assert "data-counts" not in shown


def test_a_page_past_its_deadline_says_what_comes(senior, asked):
    overdue(asked)
    assert "it is about to expire" in senior.get(page(asked)).content.decode()
