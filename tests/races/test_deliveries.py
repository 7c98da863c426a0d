"""Rivals: real threads, real commits, real row locks."""

from collections import Counter
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from reuseid.actors import SYSTEM
from reuseid.errors import WrongState
from reuseid.event_scopes import READING
from reuseid.models import Delivery, DeliveryAttempt, StaffNotice, TrailEntry, User, WebhookEndpoint
from reuseid.services import heartbeats, purging
from reuseid.services.webhooks import deliveries, endpoints, outbox, sender
from reuseid.services.webhooks.claims import signing_keys
from tests import factories
from tests.receiver import Receiver
from tests.rivals import race

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def user(account):
    """A person of whom nothing was told."""
    return factories.make_untold_user(account)


@pytest.fixture
def endpoint(receiver):
    account = factories.make_account()
    return endpoints.create(account, url=receiver.url, actor=SYSTEM, scopes=READING)


def owe(endpoint, count, each=1):
    users = [User.objects.create(account_id=endpoint.account_id) for _ in range(count)]
    for number in range(each):
        for user in users:
            outbox.owe(user, "user.updated", {"n": number})


def outcome(claim, status=200):
    return deliveries.Outcome(claim, status)


def test_two_senders_never_claim_the_same_delivery(endpoint):
    owe(endpoint, 60)
    taken = []
    for _ in range(15):
        for claims in race(*[lambda: deliveries.claim(endpoint, 5)] * 4):
            taken += claims
    assert Counter(Counter(claim.delivery_id for claim in taken).values()) == {1: 60}


def test_four_senders_send_each_event_once_and_in_order(endpoint, receiver):
    owe(endpoint, 20, each=5)
    race(*[lambda: sender.Sender().run(20)] * 4)
    assert Counter(Counter(got.id for got in receiver.got).values()) == {1: 100}
    assert not Delivery.objects.exclude(status="SENT").exists()
    order = {}
    for sequence, attempt in (
        Delivery.objects.order_by("attempt_log__at").values_list("event_id", "object_id").iterator()
    ):
        order.setdefault(attempt, []).append(sequence)
    assert all(sequences == sorted(sequences) for sequences in order.values())


def test_after_a_lease_only_the_second_sender_settles(endpoint):
    owe(endpoint, 1)
    (first,) = deliveries.claim(endpoint, 1)
    assert deliveries.claim(endpoint, 1) == []
    Delivery.objects.update(next_attempt_at=Now() - timedelta(seconds=1))
    (second,) = deliveries.claim(endpoint, 1)
    assert (first.attempt, second.attempt) == (1, 2)
    leased = Delivery.objects.get()
    deliveries.settle([outcome(first, 500)])
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts) == ("PENDING", 2)
    assert delivery.next_attempt_at == leased.next_attempt_at
    assert deliveries.claim(endpoint, 1) == []
    race(lambda: deliveries.settle([outcome(second)]), lambda: deliveries.settle([outcome(first, 500)]))
    assert Delivery.objects.get().status == "SENT"
    assert list(DeliveryAttempt.objects.order_by("number").values_list("number", "http_status")) == [
        (1, 500),
        (2, 200),
    ]


def test_a_settlement_that_is_repeated_writes_nothing_twice(endpoint):
    owe(endpoint, 8)
    claims = deliveries.claim(endpoint, 8)
    results = race(*[lambda: deliveries.settle([outcome(claim) for claim in claims])] * 3)
    assert results == [None] * 3
    assert DeliveryAttempt.objects.count() == 8


def test_pausing_while_an_attempt_is_under_way_settles_it_and_sends_no_other(endpoint, receiver):
    owe(endpoint, 1, each=2)
    (claim,) = deliveries.claim(endpoint, 5)
    endpoints.pause(endpoint, actor=SYSTEM)
    deliveries.settle([outcome(claim)])
    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["PENDING", "SENT"]
    sender.Sender().run(5)
    assert receiver.got == []


def test_deleting_against_senders_ends_without_deadlock_and_sends_nothing_later(endpoint, receiver):
    owe(endpoint, 200)
    results = race(
        lambda: sender.Sender().run(20),
        lambda: sender.Sender().run(20),
        lambda: endpoints.delete(endpoint, actor=SYSTEM),
    )
    assert [result for result in results if isinstance(result, Exception)] == []
    assert set(Delivery.objects.values_list("status", flat=True)) <= {"SENT", "CANCELED"}
    sent = len(receiver.got)
    sender.Sender().run(5)
    assert len(receiver.got) == sent


@pytest.mark.parametrize("status", [200, 410, 500])
def test_an_attempt_that_ends_after_the_webhook_was_deleted_changes_nothing(endpoint, status):
    owe(endpoint, 1)
    (claim,) = deliveries.claim(endpoint, 1)
    endpoints.delete(endpoint, actor=SYSTEM)
    deliveries.settle([outcome(claim, status)])
    assert Delivery.objects.get().status == "CANCELED"
    assert WebhookEndpoint.objects.get().status == "DELETED"


def test_of_many_failures_at_once_one_disables_and_one_notice_is_left(endpoint):
    owe(endpoint, 6)
    claims = deliveries.claim(endpoint, 6)
    race(*[lambda claim=claim: deliveries.settle([outcome(claim, 410)]) for claim in claims])
    assert WebhookEndpoint.objects.get().status == "DISABLED"
    assert StaffNotice.objects.count() == 1
    assert TrailEntry.objects.filter(action="webhook.disabled").count() == 1


def test_after_a_rest_one_sender_makes_the_probe(endpoint):
    owe(endpoint, 8)
    WebhookEndpoint.objects.update(open_until=Now() - timedelta(seconds=1), consecutive_failures=9)
    endpoint.refresh_from_db()
    results = race(*[lambda: deliveries.claim(endpoint, 5)] * 4)
    assert sorted(len(claims) for claims in results) == [0, 0, 0, 1]


def test_of_two_that_pause_one_is_told_that_it_was_late(endpoint):
    results = race(*[lambda: endpoints.pause(endpoint, actor=SYSTEM)] * 2)
    assert Counter(type(result) for result in results) == {type(None): 1, WrongState: 1}
    assert TrailEntry.objects.filter(action="webhook.paused").count() == 1


def test_creations_at_the_limit_do_not_both_pass(endpoint, settings):
    settings.WEBHOOK_ENDPOINTS = 2
    results = race(*[lambda: endpoints.create(endpoint.account, url=endpoint.url, actor=SYSTEM, scopes=READING)] * 4)
    assert sum(isinstance(result, endpoints.TooManyEndpoints) for result in results) == 3
    assert WebhookEndpoint.objects.count() == 2


def test_rotations_at_once_leave_one_secret_and_the_one_before(endpoint):
    rotated = race(*[lambda: endpoints.rotate_secret(endpoint, actor=SYSTEM)] * 3)
    secrets, keys = signing_keys(WebhookEndpoint.objects.get())
    shown = {endpoints.secret_of(row) for row in rotated}
    assert len(shown) == 3
    assert len(secrets) == len(keys) == 2


def test_of_many_beats_one_holds_the_lock():
    results = race(*[lambda name=name: heartbeats.hold("beat", f"beat {name}") for name in range(8)])
    assert sum(results) == 1
    holder = heartbeats.Heartbeat.objects.get().holder
    assert [heartbeats.hold("beat", f"beat {name}") for name in range(8)] == [
        holder == f"beat {name}" for name in range(8)
    ]


def test_purges_at_once_take_everything_once(endpoint):
    owe(endpoint, 50)
    endpoints.delete(endpoint, actor=SYSTEM)
    outbox.Event.objects.update(created_at=Now() - timedelta(days=31))
    results = race(*[purging.purge] * 3)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert not outbox.Event.objects.exists()


def test_a_hanging_receiver_and_a_busy_account_leave_a_third_its_share(endpoint, receiver):
    """300 callbacks of one account, a receiver that hangs, and one callback of a third account that comes last."""
    with Receiver() as slow:
        slow.answers(lambda got, number: slow.server.stopping.wait(5) or 200)
        busy = factories.make_account()
        many = [
            endpoints.create(busy, url=f"{receiver.url}?{number}", actor=SYSTEM, scopes=READING) for number in range(3)
        ]
        hanging = endpoints.create(factories.make_account(), url=slow.url, actor=SYSTEM, scopes=READING)
        owe(many[0], 100)
        owe(hanging, 4)
        owe(endpoint, 1)
        sender.Sender().run(20)
    assert len(receiver.got) == 301
    assert next(index for index, got in enumerate(receiver.got) if "?" not in got.path) < 30
    assert receiver.got[-1].at < slow.got[0].at + 5
