"""Endpoints are made, changed, tested and removed by Integration; sets of callbacks are sent again."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from reuseid import outbound
from reuseid.actors import SYSTEM, Actor
from reuseid.models import Delivery, Event, StaffNotice, TrailEntry, WebhookEndpoint
from reuseid.services import notices
from reuseid.services.webhooks import claims, deliveries, endpoints, sender
from tests import factories
from tests.receiver import Receiver
from tests.staff_factories import REASON, browser_of, make_colleague, page, rows_of, said

pytestmark = pytest.mark.django_db
URL = "https://93.184.216.34/hook"
NEW = "/admin/reuseid/webhookendpoint/new/"
SENT = {"_form_submitted": "on"}


@pytest.fixture
def endpoint(account):
    return endpoints.create(account, url=URL, actor=SYSTEM)


def new(account, **values):
    return {"account": account.pk, "url": URL, "description": "Core", **SENT, **values}


def test_a_new_endpoint_shows_its_secret_once(integrator, account):
    response = integrator.post(NEW, new(account, event_types=["user.locked", "device.locked"]))
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.account, endpoint.url, endpoint.description) == (account, URL, "Core")
    assert endpoint.event_types == ["device.locked", "user.locked"]
    secret = endpoints.secret_of(endpoint)
    assert secret in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    assert secret not in integrator.get(page(endpoint)).content.decode()
    line = TrailEntry.objects.get(action="webhook.created")
    assert line.actor_label == "ines"
    assert secret not in str(line.changes)


@pytest.mark.parametrize(
    "url", ["http://93.184.216.34/hook", "https://10.0.0.8/hook", "https://169.254.169.254/latest", "hook"]
)
def test_an_address_that_is_never_called_is_refused_beside_its_field(integrator, account, url, settings):
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    shown = integrator.post(NEW, new(account, url=url))
    assert shown.context["form"].errors["url"]
    assert not WebhookEndpoint.objects.exists()


def test_an_account_that_one_does_not_see_gets_no_endpoint(integrator, other_account):
    assert integrator.post(NEW, new(other_account)).context["form"].errors["account"]
    assert not WebhookEndpoint.objects.exists()


def test_one_endpoint_too_many_is_refused_with_a_reason(integrator, account, endpoint, settings):
    settings.WEBHOOK_ENDPOINTS = 1
    assert said(integrator.post(NEW, new(account))) == ["Nothing was made. At most 1."]


def test_a_change_keeps_before_and_after(integrator, endpoint):
    shown = integrator.get(page(endpoint, "edit")).content.decode()
    assert f'value="{URL}"' in shown
    changed = {"url": "https://93.184.216.34/new", "description": "", "event_types": ["user.locked"], **SENT}
    assert said(integrator.post(page(endpoint, "edit"), changed)) == ["The endpoint is changed."]
    line = TrailEntry.objects.get(action="webhook.updated")
    assert line.changes == {
        "url": {"before": URL, "after": "https://93.184.216.34/new"},
        "event_types": {"before": [], "after": ["user.locked"]},
    }
    assert f"{URL} → https://93.184.216.34/new" in integrator.get(page(endpoint)).content.decode()


def test_new_keys_overlap_with_the_old_ones(integrator, endpoint):
    old = endpoints.secret_of(endpoint)
    response = integrator.post(page(endpoint, "rotate"), {**REASON, "overlap": "24"})
    endpoint.refresh_from_db()
    assert endpoints.secret_of(endpoint) != old
    assert endpoints.secret_of(endpoint) in response.content.decode()
    assert len(claims.signing_keys(endpoint)[0]) == 2
    line = TrailEntry.objects.get(action="webhook.secret_rotated")
    assert (line.reason, line.changes) == ("SUSPECTED_FRAUD", {"overlap_hours": 24})
    integrator.post(page(endpoint, "rotate"), {**REASON, "overlap": "0"})
    endpoint.refresh_from_db()
    assert len(claims.signing_keys(endpoint)[0]) == 1


def test_a_removed_endpoint_is_over_for_good(integrator, endpoint):
    assert said(integrator.post(page(endpoint, "remove"), REASON)) == ["The endpoint is removed."]
    assert WebhookEndpoint.objects.get().status == "DELETED"
    assert integrator.get(page(endpoint)).context["actions_detail"] == []
    (message,) = said(integrator.post(page(endpoint, "remove"), REASON))
    assert message.startswith("Nothing was changed")
    assert said(integrator.post(page(endpoint, "rotate"), {**REASON, "overlap": "1"}))[-1].startswith("Nothing was")


def test_a_test_leads_to_its_answer(integrator, account):
    with Receiver() as receiver:
        endpoint = endpoints.create(account, url=receiver.url, actor=SYSTEM)
        response = integrator.post(page(endpoint, "test"), SENT)
        delivery = Delivery.objects.get()
        assert response.url == page(delivery)
        assert "data-refreshes" in integrator.get(response.url).content.decode()
        sender.Sender().run(10)
    outbound.close()
    shown = integrator.get(page(delivery)).content.decode()
    assert "data-refreshes" not in shown
    assert Delivery.objects.get().status == "SENT"
    assert TrailEntry.objects.filter(action="webhook.tested", actor_label="ines").exists()


def given_up(account, count):
    for _ in range(count):
        factories.make_user(account)
    Delivery.objects.update(status="FAILED", attempts=1, settled_at=timezone.now())


def test_all_that_was_given_up_is_sent_again(senior, endpoint, monkeypatch):
    monkeypatch.setattr(deliveries, "RESEND_AT_ONCE", 2)
    given_up(endpoint.account, 3)
    first = said(senior.post(page(endpoint, "resend-failed"), REASON))
    assert first[0] == "2 callbacks are owed again, due now."
    assert first[1].startswith("There are more")
    assert Delivery.objects.filter(status="PENDING").count() == 2
    assert said(senior.post(page(endpoint, "resend-failed"), REASON))[-1].startswith("1 callback is owed")
    assert said(senior.post(page(endpoint, "resend-failed"), REASON))[-1] == "There was nothing to send again."
    assert TrailEntry.objects.filter(action="webhook.failed_resent", reason="SUSPECTED_FRAUD").count() == 3


def test_what_was_missed_since_a_time_is_sent_again(integrator, endpoint):
    given_up(endpoint.account, 2)
    old = Event.objects.earliest("sequence")
    Event.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=2))
    since = datetime.now(UTC) - timedelta(days=1)
    sent = {**REASON, "since": f"{since:%Y-%m-%dT%H:%M:%S}"}
    assert said(integrator.post(page(endpoint, "resend-since"), sent)) == ["1 callback is owed again, due now."]
    assert Delivery.objects.get(event=old).status == "FAILED"
    line = TrailEntry.objects.get(action="webhook.resent")
    assert (line.reason, line.changes["count"]) == ("SUSPECTED_FRAUD", 1)


def test_who_may_not_set_up_may_not(support, auditor, stranger, account, endpoint):
    for browser in (support, auditor, stranger):
        assert browser.post(NEW, new(account)).status_code == 403
        for act in ("edit", "test", "rotate", "remove", "pause"):
            assert browser.post(page(endpoint, act), {**REASON, "overlap": "0", "url": URL}).status_code == 403
    for act in ("resend-since", "resend-failed"):
        for browser in (support, auditor, stranger):
            assert browser.post(page(endpoint, act), REASON).status_code == 403
    assert WebhookEndpoint.objects.get().status == "ACTIVE"


def test_a_failing_endpoint_is_found_by_a_filter(support, account, endpoint):
    other = endpoints.create(account, url=URL, actor=SYSTEM)
    WebhookEndpoint.objects.filter(pk=other.pk).update(failing_since=timezone.now())
    response = support.get(rows_of(WebhookEndpoint, health="failing"))
    assert [row.pk for row in response.context["cl"].result_list] == [other.pk]


# Notices


def test_a_notice_is_marked_by_the_first_who_sees_it(support, senior, auditor, stranger, endpoint):
    seen = notices.tell(endpoint, "webhook.disabled", "Every attempt failed.")
    notice = notices.tell(endpoint, "webhook.disabled", "The receiver answered 410 Gone.")
    notices.mark_seen(seen, actor=Actor.staff(support.staff))
    rows = support.get(rows_of(StaffNotice)).context["cl"].result_list
    assert [row.pk for row in rows] == [notice.pk, seen.pk]
    card = next(card for card in support.get("/admin/").context["cards"] if card.title == "Notices not seen")
    assert card.number == "1"
    assert auditor.post(page(notice, "mark"), SENT).status_code == 403
    assert stranger.post(page(notice, "mark"), SENT).status_code == 403
    assert said(support.post(page(notice, "mark"), SENT)) == ["The notice is marked as seen by you."]
    assert said(senior.post(page(notice, "mark"), SENT)) == ["sam has seen it already."]
    assert StaffNotice.objects.get(pk=notice.pk).seen_by == support.staff
    assert page(endpoint) in support.get(page(notice)).content.decode()


# Clients


def test_a_client_says_when_it_last_got_a_token(integrator, account, client):
    from base64 import b64encode

    from reuseid.services import clients

    row, secret = clients.create(account, name="Core", actor=SYSTEM)
    assert row.token_at is None
    basic = b64encode(f"{row.client_id}:{secret}".encode()).decode()
    body = {"grant_type": "client_credentials"}
    assert client.post("/oauth/token", body, headers={"Authorization": f"Basic {basic}"}).status_code == 200
    row.refresh_from_db()
    assert row.token_at is not None
    shown = integrator.get(page(row)).content.decode()
    assert row.token_at.strftime("%Y-%m-%d %H:%M:%S") in shown


def test_a_colleague_states_what_the_events_of_an_endpoint_show(integrator, account):
    integrator.post(NEW, new(account, scopes=["users:read", "attributes:read"]))
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.shown_scopes(), endpoint.granted_by) == (["users:read", "attributes:read"], None)
    assert "attributes:read" in integrator.get(page(endpoint)).content.decode()
    changed = {"url": URL, "description": "", "scopes": ["users:read"], **SENT}
    assert said(integrator.post(page(endpoint, "edit"), changed)) == ["The endpoint is changed."]
    assert WebhookEndpoint.objects.get().shown_scopes() == ["users:read"]


def test_who_may_not_give_scopes_to_clients_gives_none_to_endpoints(account):
    staff = make_colleague("wendy", None, account)
    names = ["view_webhookendpoint", "add_webhookendpoint", "change_webhookendpoint", "view_account"]
    staff.user_permissions.set(Permission.objects.filter(codename__in=names))
    wendy = browser_of(staff)
    wendy.post(NEW, new(account, scopes=["users:read"]))
    mine = WebhookEndpoint.objects.get()
    assert mine.shown_scopes() == []
    elsewhere = {"url": "https://93.184.216.34/mine", "description": "", **SENT}
    assert said(wendy.post(page(mine, "edit"), elsewhere)) == ["The endpoint is changed."]
    theirs = endpoints.create(account, url=URL, actor=SYSTEM, scopes=["users:read"])
    (message,) = said(wendy.post(page(theirs, "edit"), elsewhere))[-1:]
    assert "Only who has users:read" in message
    theirs.refresh_from_db()
    assert theirs.url == URL
