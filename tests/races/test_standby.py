"""Who owes and who sends, told through a Redis of the test's own: real threads, real commits."""

import threading

import pytest
from django.db import connection, transaction

from config.demo.supervisor import free_port
from reuseid.actors import SYSTEM
from reuseid.event_scopes import READING
from reuseid.models import Delivery, User
from reuseid.services import standby, wake
from reuseid.services.webhooks import endpoints, outbox, sender
from tests import factories
from tests.faults.processes import Redis, until
from tests.rivals import race

pytestmark = [pytest.mark.postgres, pytest.mark.redis, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def server(tmp_path, settings, monkeypatch):
    """The Redis of this test alone: others empty theirs."""
    server = Redis(tmp_path, free_port())
    server.start()
    settings.REDIS_URL = f"redis://127.0.0.1:{server.port}/0"
    monkeypatch.setattr(standby, "_away", {"until": 0.0})
    yield server
    server.kill()


@pytest.fixture
def tasks(monkeypatch):
    """What was sent to the broker, which is nobody's here."""
    sent = []
    monkeypatch.setattr(wake.current_app, "send_task", lambda name, **options: sent.append(name))
    monkeypatch.setattr(wake, "_resting", {"until": 0.0})
    return sent


@pytest.fixture
def endpoint(receiver):
    return endpoints.create(factories.make_account(), url=receiver.url, actor=SYSTEM, scopes=READING)


def owe(endpoint, count=1):
    for _ in range(count):
        with transaction.atomic():
            outbox.owe(User.objects.create(account_id=endpoint.account_id), "user.updated", {})


def settled():
    return not Delivery.objects.exclude(status="SENT").exists()


def in_a_thread(call):
    def run():
        try:
            call()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_the_events_of_one_transaction_are_one_wake(endpoint, server, tasks, settings):
    settings.REDIS_URL = None
    with transaction.atomic():
        owe(endpoint, 5)
    assert tasks == [outbox.SEND]
    owe(endpoint, 2)
    assert tasks == [outbox.SEND] * 3


def owe_and_roll_back(endpoint):
    with transaction.atomic():
        owe(endpoint)
        transaction.set_rollback(True)


def test_a_part_that_is_rolled_back_takes_no_wake_with_it(endpoint, server, tasks, settings):
    settings.REDIS_URL = None
    with transaction.atomic():
        owe(endpoint)
        owe_and_roll_back(endpoint)
    with transaction.atomic():
        owe_and_roll_back(endpoint)
        owe(endpoint)
    assert tasks == [outbox.SEND] * 2
    owe_and_roll_back(endpoint)
    assert tasks == [outbox.SEND] * 2
    owe(endpoint)
    assert tasks == [outbox.SEND] * 3


def test_while_nobody_sends_one_task_is_sent_for_many_transactions(endpoint, server, tasks):
    owe(endpoint, 20)
    assert tasks == [outbox.SEND]


def test_a_sender_that_stands_by_is_told_and_no_task_is_sent(endpoint, server, tasks, receiver):
    owe(endpoint)
    thread = in_a_thread(sender.send_owed)
    until(lambda: len(receiver.got) == 1, 10, "the first callback")
    tasks.clear()
    for number in range(2, 30):
        owe(endpoint)
        until(lambda number=number: len(receiver.got) == number, 10, "a callback")
    thread.join()
    assert tasks == []
    until(settled, 10, "the settlement")


def test_of_one_who_owes_and_one_who_ends_one_sees_the_other(endpoint, server, tasks, receiver, monkeypatch):
    """A runner that waits for nobody has looked for the last time and is about to end: in every other round somebody
    commits before it does, in the others both go on at once."""
    monkeypatch.setattr(standby, "_slots", {"count": 1})
    end, ending, committed, seen_late = standby.Runner.end, threading.Event(), threading.Event(), []

    def owe_at_its_end():
        assert ending.wait(10)
        owe(endpoint)
        committed.set()

    def end_meanwhile(runner, more):
        ending.set()
        if len(seen_late) % 2:
            assert committed.wait(10)
        return end(runner, more)

    monkeypatch.setattr(standby.Runner, "end", end_meanwhile)
    for _ in range(120):
        server.client.flushall()
        ending.clear()
        committed.clear()
        owe(endpoint)
        tasks.clear()
        _, finished = race(owe_at_its_end, sender.send_owed)
        assert not server.client.exists(f"standby:{outbox.SEND}:attends")
        left = Delivery.objects.filter(status="PENDING").update(status="CANCELED")
        assert not left or tasks or not finished
        seen_late.append(not finished)
    assert all(seen_late[1::2])


def test_one_that_hangs_in_its_place_keeps_nobody_from_sending(endpoint, server, tasks, receiver):
    hung = standby.Runner(outbox.SEND)
    hung.begin()
    owe(endpoint, 3)
    assert tasks == []
    assert sender.send_owed()
    assert len(receiver.got) == 3
    # Its place is free when it has not got on for a while.
    assert 0 < server.client.pttl(f"standby:{outbox.SEND}:attends") <= standby.ATTENDS * 1000
    server.client.delete(f"standby:{outbox.SEND}:attends")
    owe(endpoint)
    assert tasks == [outbox.SEND]


def test_redis_away_while_a_sender_stands_by_sends_tasks_again(endpoint, server, tasks, receiver):
    owe(endpoint)
    thread = in_a_thread(sender.send_owed)
    until(lambda: server.client.exists(f"standby:{outbox.SEND}:attends"), 10, "a sender in its place")
    tasks.clear()
    server.kill()
    owe(endpoint)
    assert tasks == [outbox.SEND]
    thread.join()
    assert sender.send_owed()
    assert settled()


def test_a_place_is_given_up_by_its_holder_alone(server):
    first, second = standby.Runner("reuseid.tasks.send_owed_callbacks"), standby.Runner(outbox.SEND)
    first.begin()
    second.begin()
    assert (first.attends, second.attends) == (True, False)
    assert not second.end(more=False)
    assert not standby.tell(outbox.SEND)
    assert first.end(more=False)  # There was a note.
    assert not standby.tell(outbox.SEND)  # Its task is under way.
    third = standby.Runner(outbox.SEND)
    third.begin()
    assert (third.attends, third.noted) == (True, True)
    assert not third.take_note()
    assert not third.end(more=False)
    assert standby.tell(outbox.SEND)
