"""The roll-over of a trust anchor in the back office."""

import pytest
from django.db.models import F

from mobileid.models import Device, TrustAnchor
from mobileid.services.keys import channel, trust_anchors
from reuseid.actors import SYSTEM
from reuseid.models import TrailEntry
from tests.mobileid.services.keys.test_keys import age
from tests.staff_factories import REASON, buttons, page, said

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_documents():
    yield
    channel.forget()


@pytest.fixture
def anchor(application):
    return TrustAnchor.objects.get()


@pytest.fixture
def announced(anchor):
    return trust_anchors.announce(anchor.account, actor=SYSTEM, reason="COMPLIANCE")


def test_an_administrator_announces_and_promotes(administrator, anchor, phone):
    assert buttons(administrator, anchor) == ["Announce the next one"]
    assert said(administrator.post(page(anchor, "announce"), REASON, follow=True)) == [
        "The next trust anchor is announced."
    ]
    upcoming = TrustAnchor.objects.get(status="NEXT")
    assert buttons(administrator, anchor) == []
    assert buttons(administrator, upcoming) == ["Promote", "Take back"]
    age(TrustAnchor, trust_anchors.NOTICE)
    Device.objects.update(created_at=F("created_at") - 2 * trust_anchors.NOTICE)
    assert "1 phone may not know it yet" in administrator.get(page(upcoming, "promote")).content.decode()
    assert said(administrator.post(page(upcoming, "promote"), REASON, follow=True)) == ["The trust anchor is in use."]
    assert buttons(administrator, upcoming) == ["Announce the next one"]
    line = TrailEntry.objects.get(action="trust_anchor.promoted")
    assert (line.actor_id, line.reason, line.note) == (str(administrator.staff.pk), REASON["reason"], REASON["note"])


def test_an_administrator_takes_an_announcement_back(administrator, announced):
    assert said(administrator.post(page(announced, "take-back"), REASON, follow=True)) == [
        "The announcement is taken back."
    ]
    announced.refresh_from_db()
    assert (announced.status, announced.private_key) == ("RETIRED", None)
    (told,) = said(administrator.post(page(announced, "promote"), REASON, follow=True))
    assert told.startswith("Nothing was changed: the trust anchor is retired already.")


def test_within_48_hours_only_with_a_word_why(administrator, announced):
    (told,) = said(administrator.post(page(announced, "promote"), REASON, follow=True))
    assert "within 48 hours" in told
    bare = {"reason": "COMPLIANCE", "note": "", "early": "on", "_form_submitted": "on"}
    assert "Say why phones" in administrator.post(page(announced, "promote"), bare).content.decode()
    announced.refresh_from_db()
    assert announced.status == "NEXT"
    assert said(administrator.post(page(announced, "promote"), REASON | {"early": "on"}))
    announced.refresh_from_db()
    assert announced.status == "CURRENT"


def test_nobody_else_rolls_it_over(support, senior, auditor, integrator, stranger, anchor, announced):
    for browser in (support, senior, auditor, integrator, stranger):
        for row, act in ((announced, "promote"), (announced, "take-back"), (anchor, "announce")):
            assert browser.post(page(row, act), REASON | {"early": "on"}).status_code in (302, 403, 404)
    assert buttons(integrator, announced) == []
    announced.refresh_from_db()
    assert announced.status == "NEXT"
    assert TrustAnchor.objects.count() == 2


def test_the_second_factor_is_asked_for_again(administrator, anchor):
    session = administrator.session
    del session["second_factor_at"]
    session.save()
    assert "sign_in_check" in administrator.post(page(anchor, "announce"), REASON).content.decode()
    assert TrustAnchor.objects.count() == 1
