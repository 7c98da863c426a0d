import uuid
from datetime import timedelta

import pytest
from django.db.models.functions import Now
from standardwebhooks import Webhook

from reuseid.models import Delivery, StaffNotice, TrailEntry, WebhookEndpoint
from reuseid.services.webhooks import endpoints
from tests import factories

URL = "/mobileid/core/webhooks"


@pytest.fixture
def user(account):
    """A person of whom nothing was told."""
    return factories.make_untold_user(account)


@pytest.fixture
def made(api, receiver):
    answer = api.post(URL, {"url": receiver.url, "description": "orders"})
    assert answer.status_code == 201, answer.json()
    return answer.json()


@pytest.fixture
def at(made):
    return f"{URL}/{made['id']}"


def test_a_webhook_is_made_listed_read_changed_and_deleted(api, made, at):
    assert made["secret"].startswith("whsec_")
    assert made["publicKey"].startswith("whpk_")
    assert (made["state"], made["eventTypes"], made["description"]) == ("ACTIVE", [], "orders")
    shown = {name: value for name, value in made.items() if name != "secret"}
    assert api.get(at).json() == shown
    assert api.get(URL).json() == {"results": [shown], "next": None}
    changed = api.patch(at, {"eventTypes": ["user.locked", "device.locked", "user.locked"]}).json()
    assert changed == shown | {"eventTypes": ["device.locked", "user.locked"]}
    assert api.delete(at).status_code == 204
    assert api.get(at).status_code == 404
    assert api.get(URL).json()["results"] == []
    assert [entry.action for entry in TrailEntry.objects.filter(object_type="webhookendpoint").order_by("id")] == [
        "webhook.created",
        "webhook.updated",
        "webhook.deleted",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://10.0.0.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://[fd00:ec2::254]/",
        "https://[::ffff:192.168.0.1]/",
        "https://[64:ff9b::a00:1]/",
        "https://100.100.100.200/",
        "https://168.63.129.16/",
        "https://0x7f.1/",
        "https://2130706433/",
        "http://example.com/hook",
        "ftp://example.com/",
        "https://user:secret@example.com/",
        "https://example.com/#part",
        "https:///hook",
        "https://exämple.com/",
        "/hook",
        "https://example.com/a b",
        "https://" + "a" * 500,
    ],
)
def test_an_address_that_is_never_called_is_refused(api, settings, url):
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    answer = api.post(URL, {"url": url})
    assert answer.status_code == 422
    assert [param["name"] for param in answer.json()["invalidParams"]] == ["url"]


def test_loopback_is_refused_outside_of_development(api, settings):
    assert api.post(URL, {"url": "http://127.0.0.1:9/hook"}).status_code == 201
    settings.OUTBOUND_ALLOW_LOOPBACK = False
    for url in ("http://127.0.0.1:9/", "https://127.0.0.1:9/", "https://localhost/", "https://[::1]/"):
        assert api.post(URL, {"url": url}).status_code == 422, url


def test_unknown_event_types_and_members_are_refused(api, made, at):
    answer = api.post(URL, {"url": made["url"], "eventTypes": ["user.loked"]})
    assert answer.json()["invalidParams"] == [{"name": "eventTypes", "reason": "Not known: user.loked."}]
    assert api.patch(at, {"state": "PAUSED"}).status_code == 422
    assert api.post(f"{at}/pause", {"why": "x"}).status_code == 422


def test_an_account_has_a_limited_number_of_webhooks(api, made, settings):
    settings.WEBHOOK_ENDPOINTS = 1
    answer = api.post(URL, {"url": made["url"]})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


def test_another_account_sees_nothing_of_it(other_api, at, owe, made):
    owe()
    delivery = Delivery.objects.get()
    assert other_api.get(URL).json()["results"] == []
    assert other_api.get("/mobileid/core/events").json()["results"] == []
    for method, path in [
        ("get", at),
        ("patch", at),
        ("delete", at),
        ("post", f"{at}/rotate-secret"),
        ("post", f"{at}/test"),
        ("post", f"{at}/pause"),
        ("post", f"{at}/resume"),
        ("get", f"{at}/deliveries"),
        ("get", f"{at}/deliveries/{delivery.pk}"),
        ("post", f"{at}/deliveries/{delivery.pk}/resend"),
        ("get", f"/mobileid/core/events/{delivery.event.id}"),
    ]:
        assert getattr(other_api, method)(path, {} if method != "get" else None).status_code == 404, path


def test_the_scope_is_asked_for(api_for, api_client, at):
    caller = api_for(api_client, ["users:read"])
    for path in (URL, at, f"{at}/deliveries", "/mobileid/core/events"):
        assert caller.get(path).json()["code"] == "insufficient_scope"


def test_after_a_rotation_both_secrets_verify_until_the_overlap_ends(api, made, at, receiver, owe, send):
    rotated = api.post(f"{at}/rotate-secret", {"overlapHours": 1}).json()
    assert rotated["secret"] != made["secret"]
    assert rotated["publicKey"] != made["publicKey"]
    assert rotated["previousKeysUntil"]
    owe()
    send()
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers)
    signatures = receiver.got[0].headers["webhook-signature"].split()
    assert [signature.split(",")[0] for signature in signatures] == ["v1", "v1", "v1a", "v1a"]
    WebhookEndpoint.objects.update(previous_secret_expires_at=Now() - timedelta(seconds=1))
    owe()
    send()
    assert len(receiver.got[1].headers["webhook-signature"].split()) == 2
    Webhook(rotated["secret"]).verify(receiver.got[1].body, receiver.got[1].headers)


def test_a_rotation_without_overlap_stops_the_old_secret_at_once(api, made, at, receiver, owe, send):
    api.post(f"{at}/rotate-secret", {"overlapHours": 0})
    owe()
    send()
    with pytest.raises(Exception, match="No matching signature"):
        Webhook(made["secret"]).verify(receiver.got[0].body, receiver.got[0].headers)


def test_a_test_event_reaches_this_webhook_alone_whatever_its_filter(api, made, at, receiver, send):
    api.patch(at, {"eventTypes": ["device.locked"]})
    api.post(URL, {"url": receiver.url})
    event = api.post(f"{at}/test", {})
    assert event.status_code == 202
    send()
    (got,) = receiver.got
    assert got.id == event.json()["id"]
    assert Webhook(made["secret"]).verify(got.body, got.headers)["type"] == "webhook.test"


def test_only_asked_for_types_are_owed(api, at, owe):
    api.patch(at, {"eventTypes": ["user.locked"]})
    owe("user.updated")
    owe("user.locked")
    assert [delivery.event.type for delivery in Delivery.objects.all()] == ["user.locked"]


def test_while_paused_nothing_is_sent_and_all_stays_owed(api, at, receiver, owe, send):
    assert api.post(f"{at}/pause", {}).json()["state"] == "PAUSED"
    assert api.post(f"{at}/pause", {}).json()["code"] == "wrong_state"
    assert api.post(f"{at}/test", {}).status_code == 409
    owe()
    send()
    assert receiver.got == []
    assert api.post(f"{at}/resume", {}).json()["state"] == "ACTIVE"
    send()
    assert len(receiver.got) == 1


def test_deliveries_show_their_attempts_and_what_came_back(api, at, receiver, owe, send):
    receiver.answers((503, {"retry-after": "7"}, b"come back later \0 " + b"x" * 5000))
    event = owe()
    send()
    (row,) = api.get(f"{at}/deliveries", {"state": "PENDING", "eventType": "user.updated"}).json()["results"]
    assert (row["eventId"], row["attempts"]) == (str(event.id), 1)
    whole = api.get(f"{at}/deliveries/{row['id']}").json()
    (attempt,) = whole["attemptLog"]
    assert (attempt["number"], attempt["httpStatus"], attempt["error"]) == (1, 503, "answered 503")
    assert attempt["answer"].startswith("come back later")
    assert len(attempt["answer"]) == 2048
    assert api.get(f"{at}/deliveries", {"state": "SENT"}).json()["results"] == []
    assert api.get(f"{at}/deliveries/{uuid.uuid4()}").status_code == 404


def test_one_delivery_is_resent_with_the_same_id_from_the_start_of_the_table(api, at, receiver, owe, send):
    owe()
    send()
    delivery = Delivery.objects.get()
    answer = api.post(f"{at}/deliveries/{delivery.pk}/resend", {})
    assert (answer.status_code, answer.json()["state"]) == (202, "PENDING")
    receiver.answers(500)
    send()
    delivery.refresh_from_db()
    assert (delivery.attempts, delivery.attempts_before, delivery.status) == (2, 1, "PENDING")
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)


def test_resending_leaves_alone_what_is_being_sent(api, at, owe):
    owe()
    lease = Now() + timedelta(minutes=1)
    Delivery.objects.update(attempts=1, next_attempt_at=lease)
    before = Delivery.objects.get()
    api.post(f"{at}/deliveries/{before.pk}/resend", {})
    assert Delivery.objects.get().next_attempt_at == before.next_attempt_at


def test_what_was_missed_is_resent_since_a_time(api, at, receiver, owe, send):
    sent, failed = owe(n=1), owe(n=2)
    send()
    Delivery.objects.filter(event=failed).update(status="FAILED")
    WebhookEndpoint.objects.update(status="DISABLED")
    never = owe(n=3)
    assert not Delivery.objects.filter(event=never).exists()
    api.post(f"{at}/resume", {})
    receiver.server.got.clear()
    sent.refresh_from_db()
    since = (sent.created_at - timedelta(seconds=1)).isoformat()
    assert api.post(f"{at}/resend", {"since": since}).json() == {"count": 2, "continueFrom": None}
    send()
    assert [got.id for got in receiver.got] == [str(failed.id), str(never.id)]
    assert api.post(f"{at}/resend", {"since": since, "includeDelivered": True}).json()["count"] == 3
    send()
    assert len(receiver.got) == 5


def test_deleting_cancels_what_is_owed_and_forgets_the_keys(api, made, at, receiver, owe, send):
    owe()
    api.delete(at)
    send()
    assert receiver.got == []
    assert Delivery.objects.get().status == "CANCELED"
    assert endpoints.secret_of(WebhookEndpoint.objects.get()) == "whsec_"


def test_gone_disables_the_webhook_and_tells_staff(api, at, receiver, owe, send):
    receiver.answers(410)
    owe()
    owe()
    send()
    shown = api.get(at).json()
    assert (shown["state"], shown["disabledReason"]) == ("DISABLED", "GONE")
    assert len(receiver.got) == 1
    assert StaffNotice.objects.get().code == "webhook.disabled"
    assert TrailEntry.objects.filter(action="webhook.disabled", reason="GONE").count() == 1


def test_days_of_failure_disable_the_webhook(api, at, receiver, owe, send):
    receiver.answers(500)
    WebhookEndpoint.objects.update(failing_since=Now() - timedelta(hours=73), consecutive_failures=1)
    owe()
    send()
    assert api.get(at).json()["disabledReason"] == "FAILING"
    assert StaffNotice.objects.count() == 1


def test_events_are_listed_with_the_body_that_was_sent(api, receiver, at, owe, send, user):
    event = owe(n=1)
    owe("user.locked", n=2)
    send()
    page = api.get("/mobileid/core/events", {"type": "user.updated", "userId": str(user.pk)}).json()
    (row,) = page["results"]
    assert row["id"] == str(event.id)
    assert row["data"] == {"n": 1}
    assert api.get(f"/mobileid/core/events/{event.id}").json() == row
    first = api.get("/mobileid/core/events", {"limit": 1, "ordering": "created"}).json()
    second = api.get("/mobileid/core/events", {"limit": 1, "ordering": "created", "cursor": first["next"]}).json()
    assert [first["results"][0]["data"]["n"], second["results"][0]["data"]["n"]] == [1, 2]
