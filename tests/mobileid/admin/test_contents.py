"""What the person was shown: revealed to one colleague for a minute, with a reason, and nowhere else."""

import base64
import hashlib
import json
from datetime import timedelta

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from mobileid.admin import contents
from mobileid.services import content_reveal, contexts, erasure, operations
from reuseid import crypto
from reuseid.actors import SYSTEM, Actor
from reuseid.models import Reveal, TrailEntry
from reuseid.services.audit import access
from tests import phone_factories as phones
from tests.staff_factories import REASON, browser_of, make_colleague, page, rows_of, said

pytestmark = pytest.mark.django_db
SECRET = "Zxq-unique-4711"
SENT = {**REASON, "reason": "CUSTOMER_REQUEST", "note": "Asks what she approved on Monday."}
PDF = b"%PDF-1.7 Zxq-unique-4711"


@pytest.fixture
def asked(ada, phone):
    return phones.ask(ada, title="Pay the plumber", content=f"Pay 81 euro, {SECRET}?")[0]


@pytest.fixture
def document(ada, phone):
    content = {"title": "Contract", "mimeType": "application/pdf", "contentBase64": base64.b64encode(PDF).decode()}
    return operations.start_signature(ada.account, user=ada, actor=SYSTEM, content=content)[0]


def seen(browser, operation):
    response = browser.get(page(operation))
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    return response.content.decode()


def reveal(browser, operation, **changes):
    return browser.post(page(operation, "reveal"), {**SENT, **changes})


def over():
    Reveal.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def test_a_senior_reads_it_for_a_minute_by_the_databases_clock(senior, asked):
    assert SECRET not in seen(senior, asked)
    assert reveal(senior, asked).headers["Location"] == page(asked)
    text = seen(senior, asked)
    assert SECRET in text
    assert "Pay the plumber" in text
    assert 'data-seconds="' in text
    over()
    assert SECRET not in seen(senior, asked)


def test_it_is_shown_to_that_colleague_alone_and_that_operation(senior, support, auditor, root, account, asked, ada):
    other = browser_of(make_colleague("kai", "Senior support", account))
    same = phones.ask(ada, title="Again", content=f"Another {SECRET}", allow_parallel=True)[0]
    reveal(senior, asked)
    for browser in (other, support, auditor, root):
        assert SECRET not in seen(browser, asked)
    assert SECRET not in seen(senior, same)


def test_every_other_page_stays_masked_in_that_minute(root, asked, ada):
    access.reveal(asked, actor=Actor.staff(root.staff), reason="COMPLIANCE")
    for model in admin.site._registry:
        rows = [row for row in model._default_manager.all()[:20] if row != asked]
        for address in [rows_of(model), *(page(row) for row in rows)]:
            assert SECRET not in root.get(address).content.decode(), address
    for tab in [tab.slug for tab in root.get(page(ada)).context["tabs"]]:
        assert SECRET not in root.get(page(ada, tab=tab)).content.decode(), tab
    assert SECRET in seen(root, asked)


def test_the_line_says_who_and_why_and_never_what(senior, auditor, ada, asked):
    reveal(senior, asked)
    line = TrailEntry.objects.get(action="operation.revealed")
    assert (line.actor_label, line.reason, line.note) == ("kim", "CUSTOMER_REQUEST", SENT["note"])
    assert (line.user_id, line.object_id, line.changes) == (ada.pk, str(asked.pk), {})
    assert SECRET not in str(line.__dict__)
    for address in (page(asked), page(ada, tab="looked")):
        assert "Looked at what the person was shown" in auditor.get(address).content.decode()


def test_who_may_not_sees_no_button_and_gets_nothing(support, auditor, stranger, asked, document):
    for browser in (support, auditor, stranger):
        for row in (asked, document):
            assert browser.get(page(row, "reveal")).status_code == 403
            assert reveal(browser, row).status_code == 403
            assert browser.post(page(row, "document"), {"part": "before"}).status_code == 403
    assert page(asked, "reveal") not in seen(support, asked)
    assert not Reveal.objects.exists()
    assert not TrailEntry.objects.filter(action__in=["operation.revealed", "operation.downloaded"]).exists()


def test_a_grant_of_another_account_opens_nothing(stranger, asked, document):
    """Even where a row says so: the page is another account's."""
    for row in (asked, document):
        access.reveal(row, actor=Actor.staff(stranger.staff), reason="COMPLIANCE")
        assert stranger.get(page(row)).status_code == 302
        assert stranger.post(page(row, "document"), {"part": "before"}).status_code == 403


def test_a_right_that_is_taken_away_ends_the_minute(senior, document, asked):
    for row in (asked, document):
        reveal(senior, row)
    senior.staff.groups.set(browser_of(make_colleague("new", "Support")).staff.groups.all())
    assert SECRET not in seen(senior, asked)
    assert senior.post(page(document, "document"), {"part": "before"}).status_code == 403


@pytest.mark.parametrize("sent", [{"reason": ""}, {"reason": "OTHER", "note": ""}])
def test_without_a_reason_nothing_is_shown(senior, asked, sent):
    assert reveal(senior, asked, **sent).status_code == 200
    assert SECRET not in seen(senior, asked)
    assert not Reveal.objects.exists()


def test_a_link_alone_reveals_nothing_and_an_old_second_factor_is_asked_again(senior, asked):
    assert f'hx-get="{page(asked, "reveal")}"' in seen(senior, asked)
    senior.get(page(asked, "reveal"))
    session = senior.session
    session["second_factor_at"] = 0
    session.save()
    assert "Code of your authenticator app" in reveal(senior, asked).content.decode()
    assert SECRET not in seen(senior, asked)
    assert not Reveal.objects.exists()


def test_before_anybody_has_claimed_it_there_is_no_person_and_it_works_all_the_same(senior, account, asked):
    content = {"title": "Sign in", "mimeType": "text/plain", "content": f"At the desk, {SECRET}"}
    unclaimed = operations.start_authentication(account, actor=SYSTEM, binding="QR", content=content)[0]
    assert unclaimed.user_id is None
    reveal(senior, unclaimed)
    assert SECRET in seen(senior, unclaimed)
    assert SECRET not in seen(senior, asked)
    assert Reveal.objects.get().user_id is None
    assert TrailEntry.objects.get(action="operation.revealed").user_id is None
    assert senior.get(rows_of(Reveal)).status_code == 200


def test_a_payment_is_a_table_and_the_text_as_the_phone_showed_it(senior, ada, phone):
    payment = {
        "amount": "1234.5",
        "currency": "EUR",
        "creditorName": "<script>alert(1)</script>",
        "creditorAccount": "NL91ABNA0417164300",
        "reference": "Invoice 7",
    }
    operation = phones.ask(
        ada, transaction=payment, push_notification={"title": "New & pay", "message": "<b>Look</b>"}
    )[0]
    reveal(senior, operation)
    text = seen(senior, operation)
    for words in ("Their account", "NL91ABNA0417164300", "Account: NL91 ABNA 0417 1643 00", "Amount: 1234.50 EUR"):
        assert words in text
    assert '<dd dir="auto">&lt;script&gt;alert(1)' in text
    assert "To: &lt;script&gt;alert(1)" in text
    assert "New &amp; pay" in text
    assert "&lt;b&gt;Look&lt;/b&gt;" in text
    assert "<script>alert(1)" not in text
    assert "<b>Look" not in text


def test_markdown_is_its_source_and_json_is_readable(senior, ada, phone):
    written = {"a": [1, "<i>two</i>"], "b": "\\u202e"}
    for kind, content, expected in [
        (
            "text/markdown",
            "# Terms\n[here](javascript:alert(1)) <img src=x>",
            "# Terms\n[here](javascript:alert(1)) &lt;img",
        ),
        ("application/json", json.dumps(written), "  &quot;a&quot;: [\n    1,\n    &quot;&lt;i&gt;two&lt;/i&gt;&quot;"),
    ]:
        shape = {"title": "T", "mimeType": kind, "content": content}
        after = {"title": "Thanks", "mimeType": "text/plain", "content": f"Done, {SECRET}"}
        operation = operations.start_signature(
            ada.account, user=ada, actor=SYSTEM, content=shape, post_context=after, allow_parallel=True
        )[0]
        reveal(senior, operation)
        text = seen(senior, operation)
        assert expected in text
        assert f"Done, {SECRET}" in text
        for rendered in ("<img", "<h1>Terms", 'href="javascript', "<i>two"):
            assert rendered not in text


def test_characters_that_hide_are_made_visible():
    assert contents.visible("a\u202eb\u200bc\x00") == (
        'a<span class="bo-mark" title="RIGHT-TO-LEFT OVERRIDE">U+202E</span>'
        'b<span class="bo-mark" title="ZERO WIDTH SPACE">U+200B</span>'
        'c<span class="bo-mark" title="control character">U+0000</span>'
    )
    assert contents.visible("a\n<b>\tc", multiline=True) == "a\n&lt;b&gt;\tc"
    assert "U+000A" in contents.visible("one\ntwo")


def test_a_document_is_a_download_within_the_minute_that_no_browser_opens(senior, document):
    reveal(senior, document)
    text = seen(senior, document)
    assert SECRET not in text
    assert hashlib.sha256(PDF).hexdigest() not in text
    assert document.content_hash in text
    assert "24\xa0bytes" in text
    assert senior.get(page(document, "document")).status_code == 405
    response = senior.post(page(document, "document"), {"part": "before"})
    assert response.content == PDF
    headers = response.headers
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"] == f'attachment; filename="operation-{document.pk}-before.pdf"'
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in headers["Cache-Control"]
    assert TrailEntry.objects.get(action="operation.downloaded").actor_label == "kim"
    over()
    response = senior.post(page(document, "document"), {"part": "before"})
    assert said(response) == ["The minute is over: reveal it again."]
    assert TrailEntry.objects.filter(action="operation.downloaded").count() == 1


def test_a_download_needs_the_minute_of_this_colleague_and_a_part_that_is_there(senior, other_senior, document):
    reveal(senior, document)
    assert said(other_senior.post(page(document, "document"), {"part": "before"})) == [
        str(content_reveal.MinuteOver.title)
    ]
    assert said(senior.post(page(document, "document"), {"part": "after"})) == [str(content_reveal.NothingKept.title)]
    assert senior.post(page(document, "document"), {"part": "signature"}).status_code == 404
    assert senior.post(page(document, "document")).status_code == 404


def test_a_download_is_refused_to_another_site(document, account):
    staff = make_colleague("kai", "Senior support", account)
    browser = browser_of(staff, enforce_csrf_checks=True)
    access.reveal(document, actor=Actor.staff(staff), reason="COMPLIANCE")
    assert browser.post(page(document, "document"), {"part": "before"}).status_code == 403


def test_a_long_text_is_cut_on_the_page_and_whole_in_the_file(senior, ada, phone):
    long = "Clause. " * 10_000
    operation = phones.ask_to_sign(ada, data=long)[0]
    reveal(senior, operation)
    text = seen(senior, operation)
    assert text.count("Clause. ") == contents.LIMIT // len("Clause. ")
    assert "Only the beginning is shown" in text
    response = senior.post(page(operation, "document"), {"part": "before"})
    assert response.content.decode() == long
    assert response.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_what_was_erased_is_gone_and_what_was_approved_stays_as_proof(senior, ada, phone, asked):
    phone.device.start_operation(str(asked.pk)).approve(pin=phones.PIN)
    given_up = phones.ask(ada, title="Other", content="Another one?")[0]
    erasure.erase(ada)
    ada.erased_at = timezone.now()
    ada.save()
    text = seen(senior, given_up)
    assert "erased with the person" in text
    assert page(given_up, "reveal") not in text
    assert said(reveal(senior, given_up)) == [str(content_reveal.NothingKept.title)]
    assert not Reveal.objects.exists()
    assert "what is left proves what they approved" in senior.get(page(asked, "reveal")).content.decode()
    reveal(senior, asked)
    assert SECRET in seen(senior, asked)


def test_without_a_text_there_is_nothing_to_reveal(senior, ada, phone):
    operation, _shown = phones.ask(ada)
    # As one that was started before nothing to show was refused.
    contexts.seal_content(operation, contexts.EMPTY)
    operation.save()
    text = seen(senior, operation)
    assert "it was started without a text" in text
    assert page(operation, "reveal") not in text


def test_a_missing_key_is_a_badge_and_no_error(senior, asked, document, settings):
    for row in (asked, document):
        reveal(senior, row)
    settings.ENCRYPTION_KEYS = f"another:{base64.b64encode(bytes(32)).decode()}"
    crypto.key_provider.cache_clear()
    try:
        assert "can&#x27;t be decrypted" in seen(senior, asked)
        response = senior.post(page(document, "document"), {"part": "before"})
        assert said(response) == ["It can't be decrypted: its key is not configured here."]
    finally:
        crypto.key_provider.cache_clear()
    assert not TrailEntry.objects.filter(action="operation.downloaded").exists()


def test_a_masked_page_reads_no_content_and_costs_as_much_for_all(senior, support, document):
    def reads(browser):
        with CaptureQueriesContext(connection) as queries:
            seen(browser, document)
        return [query["sql"] for query in queries if 'FROM "mobileid_operation"' in query["sql"]]

    for browser in (senior, support):
        (sql,) = reads(browser)
        assert '"mobileid_operation"."title"' in sql
        assert '"mobileid_operation"."content",' not in sql
    reveal(senior, document)
    assert any('"mobileid_operation"."content"' in sql for sql in reads(senior))
