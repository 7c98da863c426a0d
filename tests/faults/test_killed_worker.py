"""kill -9 of the worker at the three moments that matter."""

import socket
import threading

import psycopg
import pytest

from reuseid.models import Delivery, User
from reuseid.services.webhooks import outbox
from tests import certificates
from tests.faults.processes import Stage, database_url, until
from tests.receiver import Receiver

pytestmark = [
    pytest.mark.faults,
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
]


def owe(account):
    return outbox.owe(User.objects.create(account=account), "user.updated", {})


def claimed():
    return Delivery.objects.filter(attempts=1, status="PENDING").exists()


def sent():
    return Delivery.objects.get().status == "SENT"


def settled(count):
    """What was received and not settled would arrive again."""
    return Delivery.objects.filter(status="SENT").count() == count


def test_killed_between_claim_and_send_the_event_arrives_once(account, webhook, tmp_path):
    _, authority = certificates.make(tmp_path, host="authority")
    certificate, _ = certificates.make(tmp_path, host="localhost", issuer=authority)
    silent = socket.create_server(("127.0.0.1", 0))
    port = silent.getsockname()[1]
    webhook(f"https://localhost:{port}/hook")
    event = owe(account)
    environment = {
        "OUTBOUND_CA_FILE": str(tmp_path / "authority-1.pem"),
        "CALLBACK_TIMEOUT": "5",
        "CALLBACK_LEASE": "10",
    }
    with Stage(tmp_path, **environment) as stage:
        stage.beat()
        stage.worker()
        until(claimed, 30, "a claim")  # It waits for the receiver's half of the TLS handshake: nothing is sent yet.
        stage.kill("worker")
        silent.close()
        with Receiver(certificate=certificate, port=port) as receiver:
            stage.worker()
            until(sent, 40, "the delivery")
            assert [got.id for got in receiver.got] == [str(event.id)]
    assert Delivery.objects.get().attempts == 2


def test_killed_during_the_request_the_event_arrives_again_with_its_id(account, webhook, stage):
    held = threading.Event()
    with Receiver(lambda got, number: 200 if number > 1 else (held.wait(5) and 200) or 200) as receiver:
        webhook(receiver.url)
        event = owe(account)
        stage.beat()
        stage.worker()
        until(lambda: receiver.got, 30, "the request")
        stage.kill("worker")
        held.set()
        stage.worker()
        until(sent, 30, "the delivery")
        assert [got.id for got in receiver.got] == [str(event.id)] * 2


def test_killed_after_the_answer_and_before_the_settlement_the_event_arrives_again(account, webhook, stage):
    with psycopg.connect(database_url()) as rival, Receiver() as receiver:

        def answer(got, number):
            if number == 1:
                rival.execute("SELECT 1 FROM reuseid_delivery FOR UPDATE")  # The settlement has to wait for this.
            return 200

        receiver.answers(answer)
        webhook(receiver.url)
        event = owe(account)
        stage.beat()
        stage.worker()
        until(lambda: _waits_for_lock(), 30, "a settlement that waits")
        stage.kill("worker")
        _end_who_waits()  # A statement under way would be carried out, though nobody waits for its answer any more.
        rival.rollback()
        stage.worker()
        until(sent, 30, "the delivery")
        assert [got.id for got in receiver.got] == [str(event.id)] * 2
    assert Delivery.objects.get().attempts == 2


def test_killed_while_it_stands_by_it_keeps_its_place_and_nobody_waits_for_it(account, webhook, stage):
    place = "standby:reuseid.tasks.send_owed_callbacks:attends"
    with Receiver() as receiver:
        webhook(receiver.url)
        stage.beat()
        stage.worker(concurrency=2)
        stage.writer(account.pk, 1, 1).communicate(timeout=60)
        until(lambda: settled(2) and stage.redis.client.exists(place), 30, "a sender that stands by")
        stage.kill("worker")
        stage.redis.client.set(place, "who was killed", px=3000)
        stage.worker("second", concurrency=2)
        stage.writer(account.pk, 1, 1).communicate(timeout=60)
        until(lambda: settled(4), 30, "the deliveries")
        assert len(receiver.got) == 4


WAITING = (
    "pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
    "AND query LIKE '%UPDATE%reuseid_delivery%'"
)


def _waits_for_lock():
    with psycopg.connect(database_url(), autocommit=True) as own:
        return own.execute(f"SELECT count(*) FROM {WAITING}").fetchone()[0] > 0


def _end_who_waits():
    with psycopg.connect(database_url(), autocommit=True) as own:
        own.execute(f"SELECT pg_terminate_backend(pid) FROM {WAITING}")
