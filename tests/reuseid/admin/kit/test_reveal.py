"""A masked value is shown to one colleague, for a minute, with a reason; and nowhere else."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.utils import timezone

from reuseid.actors import SYSTEM, Actor
from reuseid.models import Attribute, Reveal, TrailEntry
from reuseid.services import purging
from reuseid.services.audit import access
from reuseid.services.people import proofings
from tests import factories
from tests.staff_factories import REASON, browser_of, make_colleague, page, rows_of

pytestmark = pytest.mark.django_db
SECRET = "Zxq-unique-4711"
SENT = {**REASON, "reason": "CUSTOMER_REQUEST", "note": "Reads the number back to the caller."}


@pytest.fixture
def anna(account):
    return factories.make_user(account, external_ref="anna", attributes={"passportNo": SECRET, "shoeSize": "41-hush"})


@pytest.fixture
def passport(anna):
    return Attribute.objects.get(user=anna, name="passportNo")


def shown(browser, user, tab="attributes"):
    response = browser.get(page(user, tab=tab))
    assert response.status_code == 200
    assert "no-store" in response.headers["Cache-Control"]
    return response.content.decode()


def test_a_senior_reads_one_value_for_a_minute_and_the_others_stay_hidden(senior, anna, passport):
    assert SECRET not in shown(senior, anna)
    response = senior.post(page(passport, "reveal"), SENT)
    assert response.headers["Location"] == page(anna, tab="attributes")
    seen = shown(senior, anna)
    assert SECRET in seen
    assert "41-hush" not in seen
    assert 'data-seconds="' in seen
    Reveal.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert SECRET not in shown(senior, anna)


def test_the_minute_is_a_minute(senior, passport):
    before = timezone.now()
    senior.post(page(passport, "reveal"), SENT)
    left = Reveal.objects.get().expires_at - before
    assert timedelta(seconds=55) < left < timedelta(seconds=65)


def test_it_is_shown_to_that_colleague_alone(senior, support, auditor, root, account, anna, passport):
    other = browser_of(make_colleague("kai", "Senior support", account))
    senior.post(page(passport, "reveal"), SENT)
    for browser in (other, support, auditor, root):
        assert SECRET not in shown(browser, anna)


def test_the_line_says_who_what_and_why_and_never_the_value(senior, anna, passport):
    senior.post(page(passport, "reveal"), SENT)
    line = TrailEntry.objects.get(action="attribute.revealed")
    assert (line.actor_label, line.reason, line.note) == ("kim", "CUSTOMER_REQUEST", SENT["note"])
    assert (line.user_id, line.changes) == (anna.pk, {"name": "passportNo"})
    assert SECRET not in str(line.__dict__)


def test_every_other_page_stays_masked_while_it_is_shown(root, senior, anna, passport):
    senior.post(page(passport, "reveal"), SENT)
    senior.staff.user_permissions.clear()
    access.reveal(passport, actor=Actor.staff(root.staff), reason="COMPLIANCE")
    for model in admin.site._registry:
        for address in [rows_of(model), *(page(row) for row in model._default_manager.all()[:20])]:
            response = root.get(address)
            assert SECRET not in response.content.decode(), address
    for tab in [tab.slug for tab in root.get(page(anna)).context["tabs"] if tab.slug != "attributes"]:
        assert SECRET not in shown(root, anna, tab), tab
    assert SECRET in shown(root, anna)


@pytest.mark.parametrize("sent", [{"reason": ""}, {"reason": "OTHER", "note": ""}])
def test_without_a_reason_nothing_is_shown(senior, anna, passport, sent):
    assert senior.post(page(passport, "reveal"), {**SENT, **sent}).status_code == 200
    assert SECRET not in shown(senior, anna)
    assert not TrailEntry.objects.filter(action="attribute.revealed").exists()


def test_who_may_not_sees_no_button_and_gets_nothing(support, auditor, stranger, anna, passport):
    for browser in (support, auditor, stranger):
        assert browser.get(page(passport, "reveal")).status_code == 403
        assert browser.post(page(passport, "reveal"), SENT).status_code == 403
    assert "reveal" not in shown(support, anna)
    assert not Reveal.objects.exists()


def test_a_right_that_is_taken_away_ends_the_minute(senior, anna, passport):
    senior.post(page(passport, "reveal"), SENT)
    senior.staff.groups.clear()
    senior.staff.groups.add(browser_of(make_colleague("new", "Support")).staff.groups.get())
    assert SECRET not in shown(senior, anna)


def test_a_link_alone_reveals_nothing(senior, anna, passport):
    assert f'hx-get="{page(passport, "reveal")}"' in shown(senior, anna)
    assert senior.get(page(passport, "reveal")).status_code == 200
    assert SECRET not in shown(senior, anna)


def test_a_proofings_reference_too(senior, support, anna):
    row = proofings.add(
        anna,
        actor=SYSTEM,
        method="eid",
        provider="Bank-ID",
        reference="REF-9921",
        assurance_level="high",
        performed_at=timezone.now(),
    )
    assert support.post(page(row, "reveal"), SENT).status_code == 403
    assert "REF-9921" not in shown(senior, anna, "proofings")
    assert senior.post(page(row, "reveal"), SENT).headers["Location"] == page(anna, tab="proofings")
    assert "REF-9921" in shown(senior, anna, "proofings")
    assert TrailEntry.objects.get(action="proofing.revealed").user_id == anna.pk


def test_what_is_over_is_deleted(senior, passport):
    senior.post(page(passport, "reveal"), SENT)
    assert purging.purge()["revealed values"] == 0
    Reveal.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert purging.purge()["revealed values"] == 1


def test_a_value_is_escaped(senior, account):
    user = factories.make_user(account, attributes={"motto": "<script>alert(1)</script>"})
    senior.post(page(Attribute.objects.get(user=user), "reveal"), SENT)
    seen = shown(senior, user)
    assert "&lt;script&gt;alert(1)" in seen
    assert "<script>alert(1)" not in seen
