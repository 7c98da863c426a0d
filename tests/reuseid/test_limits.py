"""Limits: one sliding window for all doors, in Redis or in the process."""

import logging
import math
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.conf import settings
from hypothesis import HealthCheck, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from reuseid import limits
from reuseid.limits import SLOTS, Limit, hit, hit_each, known_refusal
from tests.redis_trips import sent_to_redis

QUOTA, WINDOW = 5, 60


def ask(who="sam", quota=QUOTA, window=WINDOW):
    return hit("test", who, quota=quota, window=window)


def test_a_quota_is_spent_call_by_call():
    assert [ask().left for _ in range(QUOTA + 2)] == [4, 3, 2, 1, 0, -1, -1]
    assert ask("pia").left == QUOTA - 1
    assert hit("other", "sam", quota=QUOTA, window=WINDOW).left == QUOTA - 1


@pytest.mark.parametrize("before", [0.001, 1, 4, 54])
def test_the_edge_of_a_window_frees_nothing(limit_clock, before):
    limit_clock.forward(WINDOW - limit_clock.now % WINDOW - before)
    for _ in range(QUOTA):
        assert ask().left >= 0
    limit_clock.forward(before)
    assert ask().left < 0


def test_after_a_whole_window_everything_is_free_again(limit_clock):
    for _ in range(QUOTA):
        ask()
    limit_clock.forward(WINDOW)
    assert ask().left == QUOTA - 1


def test_who_is_refused_is_told_when_and_then_let_through(limit_clock):
    ask()
    limit_clock.forward(20)
    for _ in range(QUOTA - 1):
        ask()
    refused = ask()
    assert refused.reset == 40
    assert refused.headers()["RateLimit"] == '"test";r=0;t=40'
    limit_clock.forward(refused.reset - 1)
    assert ask().left < 0
    limit_clock.forward(1)
    assert ask().left == 0


@pytest.mark.parametrize("window", [1, 7, 50, 60, 900])
def test_a_twelfth_begins_when_it_is_said_to(window):
    """Else one who comes back to the second may be refused once more, and told to wait for 0 s."""
    limit = Limit("test", "sam", QUOTA, window)
    for slot in range(10**9, 10**9 + 1000):
        assert limit.newest(limit.begin(slot)) == slot
        assert limit.newest(math.nextafter(limit.begin(slot), 0)) == slot - 1


def test_refused_calls_do_not_count(limit_clock):
    """Else one who does not wait would wait for ever."""
    for _ in range(QUOTA * 10):
        refused = ask()
    limit_clock.forward(refused.reset)
    assert ask().left >= 0


def test_a_quota_of_nothing_lets_nobody_through():
    assert (ask(quota=0).left, ask(quota=0).reset) == (-1, WINDOW)


@given(
    steps=st.lists(st.floats(0, 40), max_size=60),
    quota=st.integers(1, 6),
    window=st.sampled_from([1, 7, 60, 900]),
    start=st.integers(0, 10**9),
)
def test_no_stretch_of_time_holds_more_than_the_quota(steps, quota, window, start):
    """In any eleven twelfths of a window, wherever they begin; and Retry-After is kept to the second."""
    with pytest.MonkeyPatch.context() as patch:
        now = [float(start)]
        patch.setattr(limits, "clock", lambda: now[0])
        patch.setattr(limits, "_shared", limits.Shared())
        patch.setattr(settings, "LIMITS_REDIS_URL", None)
        taken = []
        for step in steps:
            now[0] += step * window / 60
            spent = ask(quota=quota, window=window)
            if spent.left < 0:
                now[0] += spent.reset
                assert 0 < spent.reset <= window
                assert ask(quota=quota, window=window).left >= 0
            taken.append(now[0])
        for end, moment in enumerate(taken):
            stretch = [one for one in taken[: end + 1] if one > moment - window * (SLOTS - 1) / SLOTS]
            assert len(stretch) <= quota


def test_rivals_share_a_quota():
    with ThreadPoolExecutor(16) as pool:
        left = list(pool.map(lambda _: ask(quota=50).left, range(200)))
    assert sorted(one for one in left if one >= 0) == list(range(50))


def test_one_flood_of_callers_pushes_no_other_policy_out(monkeypatch, settings):
    settings.LIMITS_REDIS_URL = None
    monkeypatch.setattr(limits, "MOST", 100)
    hit("login-name", "sam", quota=1, window=WINDOW)
    for number in range(1000):
        ask(f"address-{number}")
    assert len(limits._shared.process._callers["test"]) == 100
    assert hit("login-name", "sam", quota=1, window=WINDOW).left < 0


@pytest.mark.redis
def test_redis_is_asked_once_a_call(limit_clock):
    ask()
    client = redis.Redis.from_url(settings.LIMITS_REDIS_URL)
    with sent_to_redis() as trips:
        ask()
    assert trips == [1]
    names = [key.decode() for key in client.keys("limit:*")]
    assert len(names) == 1
    assert 0 < client.ttl(names[0]) <= 2 * WINDOW


@pytest.mark.redis
def test_a_redis_that_does_not_know_the_script_is_told_it(monkeypatch):
    monkeypatch.setattr(limits.InRedis.SCRIPT, "_name", "0" * 40)
    assert [ask().left for _ in range(2)] == [4, 3]


@pytest.mark.redis
def test_a_caller_who_never_rests_takes_no_more_room(limit_clock):
    client = redis.Redis.from_url(settings.LIMITS_REDIS_URL)
    for _ in range(3 * SLOTS):
        ask(quota=100)
        limit_clock.forward(WINDOW / SLOTS)
    assert client.hlen("limit:test:sam") == SLOTS + 1


@pytest.mark.redis
@settings_of_hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    steps=st.lists(st.tuples(st.floats(-3, 40), st.sampled_from(["sam", "pia"])), max_size=30),
    quota=st.integers(0, 6),
    window=st.sampled_from([1, 7, 60, 900]),
)
def test_redis_and_the_process_count_alike(limit_clock, steps, quota, window):
    """And so does a web server whose clock is a little behind."""
    client = redis.Redis.from_url(settings.LIMITS_REDIS_URL)
    client.flushdb()
    process, shared = limits.InProcess(), limits.InRedis(settings.LIMITS_REDIS_URL)
    now, newest = limit_clock.now, 0
    for step, who in steps:
        now += step * window / 60
        several = [Limit("test", who, quota, window), Limit("test", "all", 2 * quota, window)]
        # The process forgets at once what it no longer needs; Redis a twelfth later.
        newest = max(newest, several[0].newest(now))
        if several[0].newest(now) == newest:
            assert process.count(several, now) == shared.count(several, now)


def test_what_one_limit_refuses_does_not_use_up_the_next():
    first, second = Limit("first", "sam", 2, WINDOW), Limit("second", "sam", 3, WINDOW)
    assert [[one.left for one in hit_each(first, second)] for _ in range(4)] == [[1, 2], [0, 1], [-1], [-1]]
    assert [one.left for one in hit_each(second, first)] == [0, -1]
    assert [one.left for one in hit_each(second, first)] == [-1]


@pytest.mark.redis
def test_several_limits_are_one_question(limit_clock):
    several = [Limit("first", "sam", 2, WINDOW), Limit("second", "sam", 1, WINDOW)]
    hit_each(*several)
    with sent_to_redis() as trips:
        assert [one.left for one in hit_each(*several)] == [0, -1]
    assert trips == [1]


@pytest.mark.redis
def test_who_is_refused_is_not_asked_about_until_then(limit_clock):
    for _ in range(QUOTA):
        ask()
    limit_clock.forward(20)
    refused = ask()
    limit_clock.forward(refused.reset - 1)
    with sent_to_redis() as trips:
        assert (ask().left, ask().reset) == (-1, 1)
    assert trips == []
    limit_clock.forward(1)
    assert ask().left >= 0


def test_a_refusal_is_known_without_being_counted(limit_clock):
    limit = Limit("test", "sam", QUOTA, WINDOW)
    for _ in range(QUOTA):
        assert known_refusal(limit) is None
        ask()
    assert known_refusal(limit) is None
    refused = ask()
    assert known_refusal(limit) == refused
    limit_clock.forward(refused.reset)
    assert known_refusal(limit) is None


def test_a_flood_of_refusals_takes_no_more_room(monkeypatch, settings):
    settings.LIMITS_REDIS_URL = None
    monkeypatch.setattr(limits, "MOST", 100)
    for number in range(1000):
        ask(f"address-{number}", quota=0)
    assert len(limits._shared.process.refusals._until) == 100


@pytest.mark.redis
def test_all_processes_count_together(monkeypatch):
    for _ in range(QUOTA):
        ask()
        # As another process would: nothing is remembered here.
        monkeypatch.setattr(limits, "_shared", limits.Shared())
    assert ask().left < 0


def test_a_redis_that_is_away_is_left_alone_for_a_while_and_the_process_counts(settings, limit_clock, caplog):
    settings.LIMITS_REDIS_URL = "redis://127.0.0.1:1"
    with caplog.at_level(logging.ERROR):
        assert [ask().left >= 0 for _ in range(QUOTA + 1)] == [True] * QUOTA + [False]
        assert len(caplog.records) == 1
        limit_clock.forward(limits.REST)
        ask()
        assert len(caplog.records) == 2


@pytest.mark.redis
def test_a_redis_that_comes_back_counts_again(settings, limit_clock):
    there = settings.LIMITS_REDIS_URL
    for _ in range(QUOTA):
        ask()
    settings.LIMITS_REDIS_URL = "redis://127.0.0.1:1"
    assert ask().left == QUOTA - 1
    settings.LIMITS_REDIS_URL = there
    limit_clock.forward(limits.REST)
    assert ask().left < 0
