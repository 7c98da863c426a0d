"""The statements that are written by hand do what the querysets do that they stand for."""

import json
import random
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from reuseid.actors import SYSTEM, Actor
from reuseid.event_scopes import READING
from reuseid.models import Client, Delivery, DeliveryAttempt, User, WebhookEndpoint
from reuseid.services.webhooks import claims, deliveries, endpoints, outbox, statements
from tests import factories

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


@pytest.fixture
def dataset():
    """Endpoints in every state, owed events of few objects in every state."""
    dice = random.Random(11)
    for number in range(8):
        account = factories.make_account(f"Account {number}")
        client = Actor.client(factories.make_client(account)) if number % 2 else SYSTEM
        for path in "ab":
            endpoints.create(account, url=f"https://93.184.216.34/{path}", actor=client, scopes=READING)
        people = [User.objects.create(account=account) for _ in range(5)]
        for turn in range(30):
            outbox.owe(dice.choice(people), "user.updated", {"n": turn})
    for row in Delivery.objects.all():
        late = timedelta(seconds=dice.choice([-300, -200, -100, -1, 60, 300]))
        attempts = dice.randrange(3)
        Delivery.objects.filter(pk=row.pk).update(
            status=dice.choice(["PENDING", "PENDING", "PENDING", "SENT", "FAILED", "CANCELED"]),
            attempts=attempts,
            attempts_before=dice.randrange(attempts + 1),
            next_attempt_at=Now() + late,
        )
    first, *rest = WebhookEndpoint.objects.order_by("id")
    for endpoint, state in zip(rest, ["PAUSED", "DISABLED", "DELETED"], strict=False):
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(status=state)
    rested, rests, rotated, ended, failing = rest[3:8]
    WebhookEndpoint.objects.filter(pk=rested.pk).update(open_until=Now() - timedelta(seconds=1))
    WebhookEndpoint.objects.filter(pk=rests.pk).update(open_until=Now() + timedelta(seconds=60))
    WebhookEndpoint.objects.filter(pk=failing.pk).update(consecutive_failures=3)
    endpoints.rotate_secret(rotated, actor=SYSTEM)
    endpoints.rotate_secret(ended, actor=SYSTEM)
    WebhookEndpoint.objects.filter(pk=ended.pk).update(previous_secret_expires_at=Now() - timedelta(seconds=1))
    Delivery.objects.filter(endpoint=first).update(next_attempt_at=Now() + timedelta(hours=1))


def claim_all(slots):
    return deliveries.claim_due(lambda found: dict.fromkeys(found, slots))


def as_orm(without=()):
    return list(WebhookEndpoint.objects.with_work().exclude(pk__in=without))


def rolled_back(act):
    """What ``act`` gives and what it leaves in the rows; nothing stays of it."""
    before = dict(Delivery.objects.values_list("pk", "next_attempt_at"))
    with transaction.atomic():
        given = act()
        rows = [
            (row.pk, row.status, row.attempts, bool(row.settled_at), row.next_attempt_at == before[row.pk], row.later)
            for row in Delivery.objects.order_by("pk").annotate(later=Q(next_attempt_at__gt=Now()))
        ]
        log = DeliveryAttempt.objects.order_by("delivery", "number").values_list(
            "delivery", "number", "duration_ms", "http_status", "error", "answer"
        )
        left = [*rows, *log]
        transaction.set_rollback(True)
    return given, left


def test_the_same_endpoints_have_work_and_say_the_same(dataset):
    some = as_orm()[0].pk
    for without in ([], [some]):
        expected = {endpoint.pk: endpoint for endpoint in as_orm(without)}
        found = {endpoint.pk: endpoint for endpoint in statements.candidates(without, 500)}
        assert found.keys() == expected.keys()
        for pk, endpoint in found.items():
            whole = expected[pk]
            assert claims.signing_keys(endpoint) == claims.signing_keys(WebhookEndpoint.objects.get(pk=pk))
            assert endpoint.shown_scopes() == whole.shown_scopes()
            for name in ("url", "account_id", "consecutive_failures", "open_until"):
                assert getattr(endpoint, name) == getattr(whole, name)
    assert len(found) > 5
    assert len(statements.candidates([], 2)) == 2


@pytest.mark.parametrize("slots", [1, 3, 100])
def test_the_same_deliveries_are_claimed(dataset, slots):
    def by_orm():
        return [claim for endpoint in as_orm() for claim in deliveries.claim(endpoint, slots)]

    found, left = rolled_back(lambda: claim_all(slots))
    expected, left_by_orm = rolled_back(by_orm)
    assert sorted(found, key=lambda claim: claim.delivery_id) == sorted(expected, key=lambda claim: claim.delivery_id)
    assert left == left_by_orm
    assert len(found) > 5


def test_where_the_first_page_has_to_wait_its_turn_the_rest_is_looked_at(endpoint, owe, account, monkeypatch):
    monkeypatch.setattr(deliveries, "PAGES", (4, 64))
    Delivery.objects.filter(event=owe(n="blocked")).update(next_attempt_at=Now() + timedelta(seconds=20))
    for number in range(10):
        owe(n=number)
    event = owe(obj=User.objects.create(account=account))
    (claim,) = claim_all(3)
    assert claim.message_id == str(event.id)


def test_the_same_is_written_of_what_was_received(dataset):
    taken = claim_all(3)
    outcomes = [
        claims.Outcome(claim, 200 + number % 3, answer="ok" * number, duration_ms=number)
        for number, claim in enumerate(taken)
        if not claim.retry
    ]
    # One was claimed by another meanwhile, one's webhook was deleted.
    lost, gone, *_ = outcomes
    Delivery.objects.filter(pk=lost.claim.delivery_id).update(attempts=F("attempts") + 1)
    Delivery.objects.filter(pk=gone.claim.delivery_id).update(status="CANCELED")
    _, by_hand = rolled_back(lambda: statements.write_received(outcomes))
    _, by_orm = rolled_back(lambda: deliveries._write(outcomes))
    assert by_hand == by_orm
    assert len(outcomes) > 5


def test_pausing_deleting_and_rotating_count_for_the_next_claim(endpoint, owe):
    owe()
    (found,) = statements.candidates([], 500)
    with transaction.atomic():
        endpoints.pause(endpoint, actor=SYSTEM)
        assert statements.candidates([], 500) == []
        assert statements.claim({found.pk: 5}, 64)[0] == {}
        transaction.set_rollback(True)
    before = claims.signing_keys(found)
    endpoints.rotate_secret(endpoint, actor=SYSTEM, overlap_hours=0)
    (rotated,) = statements.candidates([], 500)
    assert not set(claims.signing_keys(rotated)[0]) & set(before[0])
    endpoints.delete(endpoint, actor=SYSTEM)
    assert statements.claim({rotated.pk: 5}, 64)[0] == {}


def test_a_client_that_is_blocked_shows_nothing_any_more(account, api_client, owe):
    endpoints.create(account, url="https://93.184.216.34/", actor=Actor.client(api_client), scopes=READING)
    owe(externalRef="customer-1")
    Client.objects.update(status="BLOCKED")
    (claim,) = claim_all(5)
    assert b"customer-1" not in claim.body


def test_a_claim_and_a_settlement_do_not_wait_for_the_disk(endpoint, owe):
    owe()
    with transaction.atomic():
        taken = claim_all(5)
        with connection.cursor() as cursor:
            cursor.execute("SHOW synchronous_commit")
            assert cursor.fetchone() == ("off",)
    assert taken


def test_each_step_is_a_probe_of_its_index_whatever_the_statistics_say(account, endpoint, user):
    """A rush begins in a table of settled rows: by its statistics nothing is owed."""
    event = outbox.write_event(user, "user.updated", {})
    others = [endpoints.create(account, url="https://93.184.216.34/", actor=SYSTEM, scopes=READING) for _ in range(2)]
    of_all = [one.pk for one in (endpoint, *others)]
    copies = (
        "INSERT INTO reuseid_event (id, account_id, type, object_type, object_id, payload) "
        "SELECT gen_random_uuid(), account_id, type, object_type, gen_random_uuid(), payload "
        "FROM reuseid_event, generate_series(1, 5000)"
    )
    of_each = (
        "INSERT INTO reuseid_delivery (id, account_id, endpoint_id, event_id, object_id, status, attempts, "
        "attempts_before) SELECT gen_random_uuid(), account_id, owed, sequence, object_id, %s, 1, 0 "
        "FROM reuseid_event, unnest(%s::uuid[]) AS owed WHERE sequence BETWEEN %s AND %s ORDER BY sequence"
    )
    with connection.cursor() as cursor:
        cursor.execute(copies)
        cursor.execute(of_each, ["SENT", of_all, event.pk + 1, event.pk + 2500])
        cursor.execute("ANALYZE reuseid_delivery")
        cursor.execute(of_each, ["PENDING", of_all, event.pk + 2501, event.pk + 5000])
    claim = {"endpoints": [], "slots": [], "page": 64, "lease": 60}
    with statements.pinned():
        has_work = plan(statements._CANDIDATES, {"without": [], "limit": 500})
        claimed = plan(statements._CLAIM, claim)
    assert all(node["Index Name"] in {"delivery_due", "delivery_order"} for node in scans(has_work))
    probes = [node for node in scans(claimed) if node["Index Name"] in {"delivery_due", "delivery_order"}]
    assert [node["Index Name"] for node in probes] == ["delivery_due", "delivery_due", "delivery_order"]
    assert all("Index Cond" in node for node in scans(claimed))


def plan(sql, values):
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (FORMAT JSON) " + sql, values)
        (answer,) = cursor.fetchone()
    return (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]


def scans(node):
    """How the deliveries are found, in all of a plan."""
    own = [node] if node.get("Relation Name") == "reuseid_delivery" and node["Node Type"] != "ModifyTable" else []
    return own + [scan for inner in node.get("Plans", []) for scan in scans(inner)]
