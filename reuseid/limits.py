"""How often something may happen in a window of time, counted in one place for every door.

A window slides in twelfths: what counts is the present twelfth and the eleven before it. So nobody gets more than the
quota in any eleven twelfths of a window, wherever they begin, and what was spent is free again after a whole one.
A call that is refused is not counted. Why no library does it: docs/decisions/0013-limits-slide.md.
"""

import logging
import math
import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

log = logging.getLogger(__name__)
SLOTS = 12
# Seconds that a Redis which failed is left alone, and that one call may wait for it.
REST, TIMEOUT = 5, 0.5
# Callers that one process remembers for each policy.
MOST = 20_000


@dataclass(frozen=True, slots=True)
class Spent:
    """One call counted: what is left of the quota, below 0 when the call is refused.

    ``reset`` is in whole seconds: until the next call is let through when this one is refused, else until the quota is
    whole again.
    """

    policy: str
    quota: int
    window: int
    left: int
    reset: int

    def headers(self) -> dict[str, str]:
        """``RateLimit-Policy`` and ``RateLimit``."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={self.window}',
            "RateLimit": f'"{self.policy}";r={max(self.left, 0)};t={self.reset}',
        }


def hit(policy: str, who: str, *, quota: int, window: int) -> Spent:
    """Count one call of ``who`` in a window of seconds: one round trip to Redis, or in the process while it is away."""
    now, length = clock(), window / SLOTS
    newest = int(now // length)
    slots = range(newest - SLOTS + 1, newest + 1)
    store, counts = _counted(policy, who, slots, window, now)
    used = sum(counts)
    if used <= quota:
        return Spent(policy, quota, window, quota - used, math.ceil((newest + SLOTS) * length - now))
    _give_back(store, policy, who, newest, now)
    too_many = used - quota
    for slot, count in zip(slots, counts, strict=True):
        too_many -= count
        if too_many <= 0:
            return Spent(policy, quota, window, -1, math.ceil((slot + SLOTS) * length - now))
    return Spent(policy, quota, window, -1, window)


def clock() -> float:
    """Seconds since 1970."""
    return time.time()


class InProcess:
    """Counts of this process: without Redis, and while it is away. The callers unheard of for longest are forgotten."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callers: dict[str, OrderedDict[str, dict[int, int]]] = defaultdict(OrderedDict)

    def count(self, policy: str, who: str, slots: range, window: int) -> list[int]:
        """Count one call; the number of calls in each of the slots."""
        with self._lock:
            callers = self._callers[policy]
            known = callers.pop(who, {})
            counts = callers[who] = {slot: number for slot, number in known.items() if slot in slots}
            counts[slots[-1]] = counts.get(slots[-1], 0) + 1
            while len(callers) > MOST:
                callers.popitem(last=False)
            return [counts.get(slot, 0) for slot in slots]

    def give_back(self, policy: str, who: str, slot: int) -> None:
        """The call was refused."""
        with self._lock:
            counts = self._callers[policy].get(who, {})
            if counts.get(slot):
                counts[slot] -= 1


class InRedis:
    """The same, shared by all processes; raises redis.RedisError."""

    def __init__(self, url: str) -> None:
        # One more try, for a connection that Redis closed meanwhile; one connection for each thread that counts.
        options = {"retry": Retry(NoBackoff(), 1), "max_connections": 1024}
        self._client = redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT, **options)

    def count(self, policy: str, who: str, slots: range, window: int) -> list[int]:
        """Count one call; the number of calls in each of the slots."""
        *earlier, newest = (_key(policy, who, slot) for slot in slots)
        pipe = self._client.pipeline()
        pipe.mget(earlier)
        pipe.incr(newest)
        pipe.expire(newest, 2 * window)
        found, present, _ = pipe.execute()
        return [*(int(number or 0) for number in found), present]

    def give_back(self, policy: str, who: str, slot: int) -> None:
        """The call was refused."""
        self._client.decr(_key(policy, who, slot))


class Shared:
    """Which of the two counts: Redis, unless there is none or it failed a moment ago."""

    def __init__(self) -> None:
        self.process = InProcess()
        self._away_until = 0.0

    def stores(self, now: float) -> Iterator[InProcess | InRedis]:
        """Those to ask, in this order."""
        url = settings.LIMITS_REDIS_URL
        if url and not 0 < self._away_until - now <= REST:
            yield _in_redis(url)
        yield self.process

    def failed(self, error: Exception, now: float) -> None:
        """Redis is left alone for a while: each call would wait for it."""
        log.error("Redis is away (%s): each process counts its limits by itself.", type(error).__name__)
        self._away_until = now + REST


_shared = Shared()
_in_redis = cache(InRedis)


def _counted(policy, who, slots, window, now):
    for store in _shared.stores(now):
        try:
            return store, store.count(policy, who, slots, window)
        except (redis.RedisError, OSError) as error:
            _shared.failed(error, now)
    raise AssertionError("The process itself always counts.")


def _give_back(store, policy, who, slot, now):
    try:
        store.give_back(policy, who, slot)
    except (redis.RedisError, OSError) as error:
        _shared.failed(error, now)


def _key(policy, who, slot):
    return f"limit:{policy}:{who}:{slot}"
