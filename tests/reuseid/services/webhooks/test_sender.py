import base64
import json
import time
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db.models import F
from django.db.models.functions import Now
from standardwebhooks import Webhook

from reuseid.actors import SYSTEM
from reuseid.event_scopes import READING
from reuseid.models import Delivery, User
from reuseid.services.webhooks import attempts, deliveries, endpoints, outbox, sender
from tests.receiver import Receiver

pytestmark = pytest.mark.django_db


def due_now():
    Delivery.objects.filter(status="PENDING").update(next_attempt_at=Now() - timedelta(seconds=1))


def test_an_event_arrives_signed_so_that_the_published_library_verifies_it(endpoint, receiver, owe, send):
    event = owe(externalRef="Çelik")
    assert send()
    (got,) = receiver.got
    payload = Webhook(endpoints.secret_of(endpoint)).verify(got.body, got.headers)
    assert payload["type"] == "user.updated"
    assert payload["data"] == {"externalRef": "Çelik"}
    assert got.id == str(event.id)
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == ("SENT", 1)
    assert delivery.attempt_log.get().http_status == 200


def test_the_asymmetric_signature_verifies_with_the_published_key(endpoint, receiver, owe, send):
    owe()
    send()
    (got,) = receiver.got
    signature = next(s for s in got.headers["webhook-signature"].split() if s.startswith("v1a,"))
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(endpoint.public_key.removeprefix("whpk_")))
    signed = f"{got.id}.{got.headers['webhook-timestamp']}.".encode() + got.body
    public.verify(base64.b64decode(signature.removeprefix("v1a,")), signed)


def test_a_failed_attempt_is_made_again_with_the_same_id_and_body(endpoint, receiver, owe, send):
    receiver.answers(lambda got, number: 500 if number == 1 else 204)
    owe()
    send()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == ("PENDING", 1)
    due_now()
    send()
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)
    assert [a.http_status for a in delivery.attempt_log.all()] == [500, 204]


def numbers(receiver):
    return [json.loads(got.body)["data"]["n"] for got in receiver.got]


def test_events_of_one_object_arrive_in_order_though_the_first_fails(endpoint, receiver, owe, send, account):
    other = User.objects.create(account=account)
    receiver.answers(lambda got, number: 500 if b'"n":0' in got.body and number < 3 else 200)
    for number in range(5):
        owe(n=number)
    owe(obj=other, n="other")
    send()
    assert sorted(numbers(receiver), key=str) == [0, "other"]
    due_now()
    send()
    assert [n for n in numbers(receiver) if n != "other"] == [0, 0, 1, 2, 3, 4]


def test_a_receiver_that_hangs_does_not_delay_another(account, owe, send, settings):
    settings.CALLBACK_TIMEOUT = 2
    settings.CALLBACK_BREAKER_AFTER = 3
    with Receiver(lambda got, number: time.sleep(5) or 200) as slow, Receiver() as fast:
        endpoints.create(account, url=slow.url, actor=SYSTEM, scopes=READING)
        endpoints.create(account, url=fast.url, actor=SYSTEM, scopes=READING)
        users = [User.objects.create(account=account) for _ in range(30)]
        for user in users:
            owe(obj=user)
        started = time.time()
        send()
        assert len(fast.got) == 30
        assert max(got.at for got in fast.got) - started < 1.5
        assert len(slow.got) <= settings.CALLBACK_BREAKER_AFTER


def test_the_retry_table_spans_three_days_and_then_gives_up(endpoint, receiver, owe, send, settings):
    receiver.answers(500)
    settings.CALLBACK_BREAKER_AFTER = 100
    owe()
    delays = []
    for _ in range(10):
        due_now()
        send()
        delivery = Delivery.objects.annotate(wait=F("next_attempt_at") - Now()).get()
        delays.append(delivery.wait.total_seconds())
    for delay, planned in zip(delays, [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400], strict=False):
        assert planned * 0.89 - 1 <= delay <= planned * 1.1
    assert (delivery.status, delivery.attempts) == ("FAILED", 10)
    assert sum(settings.CALLBACK_RETRIES) / 3600 > 75
    assert len(receiver.got) == 10


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("120", 120), ("0", 0), ("Wed, 01 Jan 2020 00:00:00 GMT", 0), ("soon", None), ("", None), ("-5", None)],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(text, seconds):
    assert attempts.retry_after(text) == seconds


def test_retry_after_puts_off_the_event_and_rests_the_endpoint(endpoint, receiver, owe, send, account):
    receiver.answers((429, {"retry-after": "120"}, b""))
    owe()
    send()
    owe(obj=User.objects.create(account=account))
    send()
    assert len(receiver.got) == 1
    delivery = Delivery.objects.annotate(wait=F("next_attempt_at") - Now()).order_by("event_id").first()
    assert 115 < delivery.wait.total_seconds() < 121


def test_failures_in_a_row_open_the_breaker_and_one_receipt_closes_it(endpoint, receiver, owe, send, account):
    receiver.answers(500)
    for _ in range(8):
        owe(obj=User.objects.create(account=account))
    send()
    endpoint.refresh_from_db()
    assert endpoint.consecutive_failures == 5
    assert endpoint.open_until is not None
    tried = len(receiver.got)
    due_now()
    send()
    assert len(receiver.got) == tried
    type(endpoint).objects.update(open_until=Now() - timedelta(seconds=1))
    send()
    assert len(receiver.got) == tried + 1
    receiver.answers(200)
    type(endpoint).objects.update(open_until=Now() - timedelta(seconds=1))
    due_now()
    send()
    endpoint.refresh_from_db()
    assert (endpoint.consecutive_failures, endpoint.failing_since, endpoint.open_until) == (0, None, None)
    assert not Delivery.objects.exclude(status="SENT").exists()


def test_an_event_that_does_not_open_fails_alone(endpoint, receiver, owe, send, account):
    broken = owe()
    type(broken).objects.filter(pk=broken.pk).update(payload=b"\x01\x03dev" + b"x" * 40)
    owe(obj=User.objects.create(account=account))
    send()
    assert len(receiver.got) == 1
    assert Delivery.objects.get(event=broken).attempt_log.get().error.startswith("not sent")


def test_followers_of_an_event_that_fails_for_hours_do_not_hide_other_objects(
    endpoint, receiver, owe, send, account, monkeypatch
):
    monkeypatch.setattr(deliveries, "PAGES", (4, 8))
    first = owe(n="blocked")
    Delivery.objects.filter(event=first).update(attempts=5, next_attempt_at=Now() + timedelta(hours=2))
    for number in range(20):
        owe(n=number)
    owe(obj=User.objects.create(account=account), n="other")
    for _ in range(4):
        send()
    assert numbers(receiver) == ["other"]
    Delivery.objects.filter(event=first).update(next_attempt_at=Now() - timedelta(seconds=1))
    send()
    assert numbers(receiver)[1:] == ["blocked", *range(20)]


def test_slots_are_dealt_in_turn_to_accounts_and_then_to_endpoints():
    wants = {("big", number): 10 for number in range(6)} | {("small", "a"): 10, ("tiny", "b"): 1}
    dealt = sender.share(9, wants)
    assert sum(dealt.values()) == 9
    assert dealt["b"] == 1
    assert dealt["a"] == 4
    assert all(dealt[number] <= 1 for number in range(6))
    assert sender.share(100, {("one", "x"): 3, ("one", "y"): 2}) == {"x": 3, "y": 2}
    assert sender.share(0, wants) == {}


def test_what_is_under_way_when_the_time_is_over_settles_itself(transactional_db, account, receiver):
    endpoints.create(account, url=receiver.url, actor=SYSTEM, scopes=READING)
    receiver.answers(lambda got, number: time.sleep(0.5) or 200)
    user = User.objects.create(account=account)
    outbox.owe(user, "user.updated", {})
    assert not sender.Sender().run(0.2)
    assert Delivery.objects.get().status == "PENDING"
    until = time.monotonic() + 5
    while Delivery.objects.get().status == "PENDING":
        assert time.monotonic() < until
        time.sleep(0.05)
    assert Delivery.objects.get().attempt_log.count() == 1


def test_the_last_slots_are_for_endpoints_with_nothing_under_way():
    wants = {("a", "busy"): 100, ("b", "new"): 5, ("c", "newer"): 5}
    assert sender.deal(8, 2, wants, idle={"new", "newer"}).total() == 6
    assert sender.deal(2, 2, wants, idle={"new", "newer"}) == {"new": 1, "newer": 1}
    assert sender.deal(2, 2, wants, idle=set()) == {}
    assert sender.deal(1, 2, {("a", "busy"): 100}, idle={"busy"}) == {"busy": 1}


def test_receivers_that_hang_after_a_good_past_leave_slots_for_the_rest(account, owe, settings):
    settings.CALLBACK_TIMEOUT, settings.CALLBACK_SLOTS = 2, 8
    with Receiver() as slow, Receiver() as fast:
        slow.answers(lambda got, number: slow.server.stopping.wait(3) or 200)
        hanging = [
            endpoints.create(account, url=f"{slow.url}?{number}", actor=SYSTEM, scopes=READING) for number in range(3)
        ]
        for _ in range(20):
            owe(obj=User.objects.create(account=account))
        endpoints.create(account, url=fast.url, actor=SYSTEM, scopes=READING)
        owe()
        started = time.time()
        sender.Sender({endpoint.pk: 16 for endpoint in hanging}).run(20)
        assert fast.got[0].at - started < 1
        assert max(got.at for got in slow.got[:6]) - started < 1
