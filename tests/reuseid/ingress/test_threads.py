"""Lasting threads: how many, for whom, and the connections that they keep."""

import asyncio
import threading
from contextlib import closing
from contextvars import ContextVar

import pytest
from django.db import connection

from reuseid.api.errors import Busy

word = ContextVar("word", default="nothing")


def all_of(calls):
    async def gather():
        return await asyncio.gather(*(call() for call in calls))

    return asyncio.run(gather())


def test_at_most_so_many_are_inside_and_all_are_served(settings, threads):
    settings.REQUESTS_AT_ONCE = 3
    # Each waits for two others to be inside with it; a fourth would be a thread of its own.
    together = threading.Barrier(3)

    def meet():
        together.wait(timeout=30)
        return threading.get_ident()

    met = all_of([lambda: threads.run(meet)] * 21)
    assert (len(met), len(set(met))) == (21, 3)


def test_a_thread_that_is_free_is_used_again(threads):
    async def three_in_turn():
        return [await threads.run(threading.get_ident) for _ in range(3)]

    assert len(set(asyncio.run(three_in_turn()))) == 1


def test_what_a_call_raises_is_raised_and_its_thread_goes_on(settings, threads):
    settings.REQUESTS_AT_ONCE = 1

    async def one_then_another():
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 / 0)
        return await threads.run(lambda: 1)

    assert asyncio.run(one_then_another()) == 1


def test_who_finds_no_thread_in_time_is_asked_to_come_again(threads, all_taken):
    async def both():
        async with all_taken():
            with pytest.raises(Busy):
                await threads.run(threading.get_ident)

    asyncio.run(both())


def test_who_leaves_frees_no_thread_that_still_works(threads, all_taken, monkeypatch):
    async def leave():
        async with all_taken() as first:
            first.cancel()
            with pytest.raises(Busy):
                await threads.run(threading.get_ident)
        monkeypatch.setattr("reuseid.ingress.threads.PATIENCE", 30)
        return await threads.run(lambda: "free again")

    assert asyncio.run(leave()) == "free again"


def test_context_variables_go_along_and_do_not_stay(settings, threads):
    settings.REQUESTS_AT_ONCE = 1

    def say_and_change():
        heard = word.get()
        word.set("the one before")
        return heard

    async def twice():
        word.set("mine")
        return [await threads.run(say_and_change), await threads.run(say_and_change), word.get()]

    assert asyncio.run(twice()) == ["mine"] * 3


def backend():
    """The process of the server that serves this thread."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_a_thread_keeps_its_connection_and_replaces_one_that_the_server_ended(settings, threads):
    settings.REQUESTS_AT_ONCE = 1

    def end(pid):
        with closing(connection.copy()) as own, own.cursor() as cursor:
            # Waits until it is gone (milliseconds).
            cursor.execute("SELECT pg_terminate_backend(%s, 30000)", [pid])

    async def before_and_after():
        before = [await threads.run(backend) for _ in range(3)]
        await asyncio.to_thread(end, before[0])
        return before, [await threads.run(backend) for _ in range(3)]

    before, after = asyncio.run(before_and_after())
    assert (len(set(before)), len(set(after))) == (1, 1)
    assert before[0] != after[0]
