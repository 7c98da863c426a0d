"""Who waits is told of a change after the commit, once, in one packet."""

from contextlib import suppress
from types import SimpleNamespace

import pytest
import redis
from django.conf import settings
from django.db import transaction

from mobileid.services.wakeups import CHANNEL, operation_changed
from tests.redis_trips import sent_to_redis

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]
A, B, C = (SimpleNamespace(pk=name) for name in "abc")


@pytest.fixture
def told():
    """`told()`: what was told since."""
    with redis.Redis.from_url(settings.REDIS_URL).pubsub(ignore_subscribe_messages=True) as channel:
        # The databases of one server share their channels.
        channel.subscribe(CHANNEL)
        assert channel.get_message(timeout=5) is None

        def told():
            operation_changed(SimpleNamespace(pk="end"))
            names = []
            while (name := channel.get_message(timeout=5)["data"].decode()) != "end":
                names.append(name)
            return sorted(name for name in names if len(name) == 1)

        yield told


def test_a_change_is_told_after_its_transaction(told):
    with sent_to_redis() as trips:
        with transaction.atomic():
            operation_changed(A)
            assert trips == []
        assert trips == [1]
        operation_changed(B)
        assert trips == [1, 1]
    assert told() == ["a", "b"]


def test_changes_of_one_transaction_are_one_packet_and_each_operation_is_told_once(told):
    with sent_to_redis() as trips, transaction.atomic():
        operation_changed(A)
        with transaction.atomic():
            operation_changed(A)
            operation_changed(B)
        operation_changed(A)
    assert trips == [1]
    assert told() == ["a", "b"]


def test_what_was_undone_takes_nothing_else_with_it(told):
    with transaction.atomic():
        with suppress(ZeroDivisionError), transaction.atomic():
            operation_changed(A)
            raise ZeroDivisionError
        operation_changed(B)
        with transaction.atomic():
            with suppress(ZeroDivisionError), transaction.atomic():
                operation_changed(C)
                raise ZeroDivisionError
            operation_changed(A)
    assert set(told()) >= {"a", "b"}
    with suppress(ZeroDivisionError), transaction.atomic():
        operation_changed(A)
        raise ZeroDivisionError
    assert told() == []


def test_a_redis_that_is_away_undoes_nothing(settings, caplog):
    settings.REDIS_URL = "redis://127.0.0.1:1"
    with transaction.atomic():
        operation_changed(A)
    assert "Waiters were not woken: ConnectionError." in caplog.text
