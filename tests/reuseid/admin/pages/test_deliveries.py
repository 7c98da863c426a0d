"""Callbacks: every attempt is seen, bodies without personal values, sent again and paused by who may."""

import pytest

from reuseid.actors import SYSTEM
from reuseid.models import Delivery, DeliveryAttempt, Event, TrailEntry, WebhookEndpoint
from reuseid.services.webhooks import endpoints
from tests import factories
from tests.staff_factories import REASON, page, rows_of, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def endpoint(account):
    return endpoints.create(account, url="https://93.184.216.34/hook", actor=SYSTEM)


@pytest.fixture
def delivery(endpoint, account):
    factories.make_user(account, external_ref="told")
    found = Delivery.objects.get()
    DeliveryAttempt.objects.create(
        delivery=found, number=1, duration_ms=120, http_status=503, error="", answer="<script>alert(1)</script>"
    )
    Delivery.objects.filter(pk=found.pk).update(status="FAILED", attempts=1)
    return Delivery.objects.get()


def test_a_delivery_shows_each_attempt_with_time_status_and_answer(support, delivery):
    shown = support.get(page(delivery)).content.decode()
    assert "503" in shown
    assert "120 ms" in shown
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script>alert(1)" not in shown
    assert str(delivery.event.id) in shown


def test_the_body_is_shown_without_personal_values(senior, account, delivery):
    from reuseid.services.webhooks import outbox

    data = {"externalRef": "told", "attributes": {"email": "a@example.com"}, "deep": [{"title": "Pay Bo"}]}
    event = outbox.owe(delivery.endpoint, "user.updated", data, user_id=delivery.event.user_id)
    shown = senior.get(page(event)).content.decode()
    assert "told" in shown
    assert "email" in shown
    assert "a@example.com" not in shown
    assert "Pay Bo" not in shown


def test_sending_again_owes_it_once_with_a_line(senior, delivery):
    assert "Send again" in str(senior.get(page(delivery)).context["actions_detail"])
    response = senior.post(page(delivery, "resend"), REASON, follow=True)
    assert said(response) == ["It is owed again, due now."]
    assert Delivery.objects.get(pk=delivery.pk).status == "PENDING"
    assert TrailEntry.objects.get(action="delivery.resent").actor_label == "kim"


def test_support_and_auditor_do_not_send_again(support, auditor, delivery):
    for browser in (support, auditor):
        assert browser.get(page(delivery)).context["actions_detail"] == []
        assert browser.post(page(delivery, "resend"), REASON).status_code == 403
    assert Delivery.objects.get(pk=delivery.pk).status == "FAILED"


def test_an_endpoint_is_paused_and_resumed(integrator, endpoint):
    assert said(integrator.post(page(endpoint, "pause"), REASON, follow=True)) == ["The endpoint is paused."]
    assert WebhookEndpoint.objects.get().status == "PAUSED"
    (message,) = said(integrator.post(page(endpoint, "pause"), REASON, follow=True))
    assert message.startswith("Nothing was changed: the endpoint is paused already")
    integrator.post(page(endpoint, "resume"), REASON)
    assert WebhookEndpoint.objects.get().status == "ACTIVE"


def test_secrets_of_an_endpoint_are_nowhere(integrator, endpoint):
    secret = endpoints.secret_of(endpoint)
    for address in (page(endpoint), rows_of(WebhookEndpoint)):
        shown = integrator.get(address).content.decode()
        assert secret not in shown
        assert secret.removeprefix("whsec_") not in shown


def test_the_list_finds_by_endpoint_and_the_event_list_by_person(support, delivery):
    response = support.get(rows_of(Delivery, q=str(delivery.endpoint_id)))
    assert [row.pk for row in response.context["cl"].result_list] == [delivery.pk]
    response = support.get(rows_of(Event, q=str(delivery.event.user_id)))
    assert [row.pk for row in response.context["cl"].result_list] == [delivery.event_id]


def test_a_failing_endpoint_and_what_is_owed_are_on_the_first_page(support, stranger, endpoint, account):
    factories.make_user(account)
    WebhookEndpoint.objects.update(failing_since="2026-01-01T00:00:00Z", consecutive_failures=7)
    shown = support.get("/admin/")
    assert endpoint.url in shown.content.decode()
    numbers = {card.title: card.number for card in shown.context["cards"]}
    assert numbers["Callbacks owed"] == "1"
    elsewhere = stranger.get("/admin/")
    assert endpoint.url not in elsewhere.content.decode()
    assert {card.title: card.number for card in elsewhere.context["cards"]}["Callbacks owed"] == "0"


def test_a_stranger_sees_neither_endpoint_nor_delivery(stranger, delivery):
    for row in (delivery, delivery.endpoint, delivery.event):
        assert stranger.get(page(row)).status_code == 302
    assert stranger.post(page(delivery, "resend"), REASON).status_code == 403


def test_every_attempt_leads_to_its_whole_answer(support, delivery):
    attempt = DeliveryAttempt.objects.get()
    assert page(attempt) in support.get(page(delivery)).content.decode()
    assert "&lt;script&gt;alert(1)" in support.get(page(attempt)).content.decode()


def test_a_page_shows_the_next_outcome_by_itself_while_a_try_is_near(senior, delivery):
    assert "data-refreshes" not in senior.get(page(delivery)).content.decode()
    senior.post(page(delivery, "resend"), REASON)
    shown = senior.get(page(delivery)).content.decode()
    assert 'hx-trigger="every 3s [document.visibilityState' in shown


def test_what_was_given_up_is_a_saved_view_on_the_first_page(support, delivery):
    card = next(card for card in support.get("/admin/").context["cards"] if card.title == "Callbacks failing")
    assert card.number == "1"
    assert [row.pk for row in support.get(card.href).context["cl"].result_list] == [delivery.pk]
