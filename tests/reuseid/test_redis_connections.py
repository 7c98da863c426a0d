"""Connections to Redis are kept, belong to one process, and are replaced when they break."""

import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.conf import settings

from reuseid.redis_connections import Connections, connections_to
from tests.redis_trips import sent_to_redis

pytestmark = pytest.mark.redis
WHO = ("CLIENT", "ID")


@pytest.fixture
def connections():
    return Connections(settings.REDIS_URL)


def test_a_connection_is_kept():
    connections = connections_to(settings.REDIS_URL)
    assert connections is connections_to(settings.REDIS_URL)
    assert connections.ask(WHO) == connections.ask(WHO)


def test_commands_share_a_packet(connections):
    connections.ask(("PING",))
    with sent_to_redis() as trips:
        assert connections.ask(("ECHO", "a"), ("ECHO", 2)) == [b"a", b"2"]
    assert trips == [1]


def test_there_are_no_more_than_threads_that_ask_at_once(connections):
    barrier = threading.Barrier(4)

    def ask(_):
        barrier.wait()
        return {connections.ask(WHO)[0] for _ in range(50)}

    with ThreadPoolExecutor(4) as pool:
        used = set().union(*pool.map(ask, range(4)))
    assert len(used) <= 4
    assert connections.ask(WHO)[0] in used


def test_one_that_was_closed_meanwhile_is_replaced(connections):
    (old,) = connections.ask(WHO)
    redis.Redis.from_url(settings.REDIS_URL).client_kill_filter(_id=old)
    (new,) = connections.ask(WHO)
    assert new != old


def test_after_a_refusal_no_answer_is_taken_for_another(connections):
    connections.ask(("PING",))
    with pytest.raises(redis.ResponseError):
        connections.ask(("NO-SUCH-COMMAND",), ("ECHO", "late"))
    assert connections.ask(("ECHO", "mine")) == [b"mine"]


def test_a_redis_that_is_away_is_an_error():
    with pytest.raises(redis.ConnectionError):
        Connections("redis://127.0.0.1:1").ask(("PING",))


def test_a_child_has_connections_of_its_own(connections):
    (parents,) = connections.ask(WHO)
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        # What Python says of threads is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        try:
            os.write(writer, str(connections.ask(WHO)[0]).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        childs = pipe.read()
    os.waitpid(child, 0)
    assert childs.isdigit()
    assert int(childs) != parents
    assert connections.ask(WHO) == [parents]
