"""Redis away, restarted, emptied."""

import re

import pytest

from reuseid.models import Delivery, Event
from tests.faults.processes import until
from tests.receiver import Receiver

pytestmark = [
    pytest.mark.faults,
    pytest.mark.postgres,
    pytest.mark.redis,
    pytest.mark.django_db(transaction=True),
]


def all_sent(count):
    return lambda: Delivery.objects.filter(status="SENT").count() == count


def test_changes_go_on_without_the_broker_and_are_told_when_it_is_back(account, webhook, stage):
    with Receiver() as receiver:
        webhook(receiver.url)
        stage.beat()
        stage.worker()
        first = stage.writer(account.pk, 2, 1)
        first.communicate(timeout=60)
        until(all_sent(4), 30, "what happened before")
        stage.redis.kill()
        second = stage.writer(account.pk, 5, 4)
        slowest, _ = second.communicate(timeout=60)
        assert second.returncode == 0
        assert int(slowest) < 3000
        assert Delivery.objects.count() == 4 + 25
        stage.redis.start()
        until(all_sent(29), 60, "what happened meanwhile")
        assert len({got.id for got in receiver.got}) == len(receiver.got) == 29
    assert not re.search("Traceback.*KeyError", stage.log("worker"))


def test_an_emptied_broker_loses_no_callback(account, webhook, stage):
    with Receiver() as receiver:
        webhook(receiver.url)
        writer = stage.writer(account.pk, 3, 3)
        writer.communicate(timeout=60)
        assert stage.redis.client.llen("callbacks") > 0
        stage.redis.client.flushall()
        stage.worker()
        stage.beat()
        until(all_sent(12), 30, "the callbacks")
        assert len(receiver.got) == 12


def test_redis_killed_while_a_sender_stands_by_loses_no_callback(account, webhook, stage):
    with Receiver() as receiver:
        webhook(receiver.url)
        stage.beat()
        stage.worker(concurrency=2)
        with stage.writer(account.pk, 10, 9) as writer:
            for count in (10, 40):
                receiver.wait(count, 60)
                stage.redis.kill()
                stage.redis.start()
            writer.communicate(timeout=60)
        until(all_sent(100), 60, "the callbacks")
        assert {got.id for got in receiver.got} == {str(pk) for pk in Event.objects.values_list("id", flat=True)}
