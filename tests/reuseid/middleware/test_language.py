"""The back office speaks the reader's language; everything else speaks English."""

from django.utils.translation import get_language

from reuseid.models import TrailEntry
from tests.staff_factories import REASON, page, rows_of, said

GERMAN = {"HTTP_ACCEPT_LANGUAGE": "de-DE,de;q=0.9,en;q=0.5"}


def test_the_browsers_language_decides_until_the_reader_does(support, user):
    assert (
        "In Ihren Konten gibt es noch keine Vorgänge."
        in support.get("/admin/mobileid/operation/", **GERMAN).content.decode()
    )
    assert "Diese Person sperren" in support.get(page(user, "lock"), **GERMAN).content.decode()
    chosen = support.post("/admin/language/", {"language": "en", "next": "/admin/"}, **GERMAN)
    assert chosen.cookies["django_language"]["httponly"]
    assert "Lock this person" in support.get(page(user, "lock"), **GERMAN).content.decode()


def test_a_language_that_there_is_not_becomes_english(support, user):
    answer = support.get(page(user), HTTP_ACCEPT_LANGUAGE="fi")
    assert '<html lang="en"' in answer.content.decode()


def test_a_refusal_is_in_german_and_the_trail_in_english(support, user):
    support.post(page(user, "lock"), REASON, **GERMAN)
    refusal = said(support.post(page(user, "lock"), REASON, **GERMAN))[-1]
    assert refusal.startswith("Es wurde nichts geändert: Person ist bereits „gesperrt“.")
    line = TrailEntry.objects.filter(user_id=user.pk).order_by("-id").first()
    assert (line.action, line.reason) == ("user.locked", "SUSPECTED_FRAUD")
    shown = support.get(page(user, tab="timeline"), **GERMAN).content.decode()
    assert "Person gesperrt" in shown
    assert "Möglicherweise handelt jemand anderes" in shown


def test_the_api_speaks_english_also_after_a_german_page_in_the_same_thread(support, user, api):
    assert 'lang="de"' in support.get(rows_of(type(user)), **GERMAN).content.decode()
    assert get_language() == "en"
    answer = api.post("/reuseid/core/users", {"externalRef": " x"}, **GERMAN)
    assert answer.status_code == 422
    assert "spaces at its ends" in answer.content.decode()
    assert "Content-Language" not in answer


def test_a_page_that_refuses_is_in_the_readers_language(auditor, user):
    refused = auditor.get(page(user, "lock"), **GERMAN)
    assert refused.status_code == 403
    assert "Nicht erlaubt" in refused.content.decode()
    assert "Ihre Rollen enthalten das Recht „Darf eine Person sperren“ nicht." in refused.content.decode()
