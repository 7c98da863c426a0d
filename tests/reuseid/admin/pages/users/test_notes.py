"""Internal notes: added, read by colleagues of the account, sealed, erased with the person."""

import pytest

from reuseid.actors import SYSTEM
from reuseid.errors import WrongState
from reuseid.models import TrailEntry, User, UserNote
from reuseid.services.jobs import erasures
from reuseid.services.people import erasure, notes
from tests.staff_factories import page, rows_of, said

pytestmark = pytest.mark.django_db
TEXT = "Hard of hearing: <b>speak up</b>\nprefers mornings."


def add(browser, user, text=TEXT):
    return browser.post(page(user, "note"), {"text": text, "_form_submitted": "on"}, follow=True)


def tab(browser, user):
    return browser.get(page(user, tab="notes")).content.decode()


def test_support_adds_a_note_that_colleagues_read(support, auditor, user):
    assert said(add(support, user)) == ["The note is kept."]
    shown = tab(auditor, user)
    assert "&lt;b&gt;speak up&lt;/b&gt;" in shown
    assert "sam" in shown
    add(support, user, "The newer one.")
    shown = tab(auditor, user)
    assert shown.index("The newer one.") < shown.index("Hard of hearing")


def test_it_is_sealed_and_bound_to_its_row(support, user):
    add(support, user)
    row = UserNote.objects.get()
    assert b"hearing" not in bytes(row.text)
    assert notes.text_of(row) == TEXT


def test_the_line_and_the_lists_say_nothing_of_it(support, root, user):
    add(support, user)
    line = TrailEntry.objects.get(action="note.added")
    assert (line.user_id, line.actor_label) == (user.pk, "sam")
    assert "hearing" not in str(line.__dict__)
    for address in (rows_of(UserNote), page(UserNote.objects.get()), page(user), page(user, tab="timeline")):
        assert "hearing" not in root.get(address).content.decode()


def test_others_add_none(auditor, stranger, integrator, user):
    for browser in (auditor, stranger, integrator):
        assert add(browser, user).status_code == 403
    assert not UserNote.objects.exists()


@pytest.mark.parametrize("text", ["", "   ", "n" * 2001])
def test_an_empty_or_endless_note_is_refused(support, user, text):
    add(support, user, text)
    assert not UserNote.objects.exists()


def test_it_goes_with_the_person_and_none_is_added_after(support, user):
    add(support, user)
    stale = User.objects.get(pk=user.pk)
    erasure.request(user, actor=SYSTEM, reason="CUSTOMER_REQUEST")
    with pytest.raises(WrongState):
        notes.add(stale, "Too late.", actor=SYSTEM)
    assert erasures.carry_out() == 1
    assert not UserNote.objects.exists()


def test_a_page_of_notes_costs_as_much_for_one_as_for_many(support, user, django_assert_max_num_queries):
    for number in range(20):
        notes.add(user, f"Note {number}", actor=SYSTEM)
    tab(support, user)
    with django_assert_max_num_queries(14):
        tab(support, user)
