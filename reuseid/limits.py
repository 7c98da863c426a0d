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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import redis
from django.conf import settings

from reuseid.redis_connections import Script, connections_to

log = logging.getLogger(__name__)
SLOTS = 12
# Seconds that a Redis which failed is left alone.
REST = 5
# Callers that one process remembers for each policy, and refusals in all.
MOST = 20_000


@dataclass(frozen=True, slots=True)
class Limit:
    """``quota`` calls of ``who`` in a window of seconds."""

    policy: str
    who: str
    quota: int
    window: int

    def newest(self, now: float) -> int:
        """The present twelfth's number: the last that has begun, as `begin` rounds."""
        slot = int(now * SLOTS // self.window)
        return slot + (self.begin(slot + 1) <= now) - (self.begin(slot) > now)

    def begin(self, slot: int) -> float:
        """When a twelfth begins."""
        return slot * self.window / SLOTS


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
    return hit_each(Limit(policy, who, quota, window))[-1]


def hit_each(*limits: Limit) -> list[Spent]:
    """Count one call against each limit, in this order, until one refuses it, which is the last that is told.

    So what one limit refuses does not use up the next. One round trip for all.
    """
    now = clock()
    for store in _shared.stores(now):
        try:
            return _hit_each(limits, store, now)
        except (redis.RedisError, OSError) as error:
            _shared.failed(error, now)
    raise AssertionError("The process itself always counts.")


def known_refusal(limit: Limit) -> Spent | None:
    """The refusal of the next call where this process knows of it; counts nothing and asks nobody."""
    now = clock()
    until = next(_shared.stores(now)).refusals.until(limit, now)
    return _refused(limit, until, now) if until else None


def clock() -> float:
    """Seconds since 1970."""
    return time.time()


class Refusals:
    """Who is refused anyway, since nothing that is counted meanwhile lets a call through before: nobody is asked.

    Those that were made first are forgotten.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[Limit, float] = {}

    def until(self, limit: Limit, now: float) -> float:
        """Until when each call is refused, as far as is known; 0 when the call has to be counted."""
        until = self._until.get(limit, 0.0)
        return until if now < until <= now + limit.window else 0.0

    def keep(self, limit: Limit, until: float) -> None:
        """Each call before is refused."""
        with self._lock:
            self._until.pop(limit, None)
            self._until[limit] = until
            if len(self._until) > MOST:
                del self._until[next(iter(self._until))]


class InProcess:
    """Counts of this process: without Redis, and while it is away. The callers unheard of for longest are forgotten."""

    def __init__(self) -> None:
        self.refusals = Refusals()
        self._lock = threading.Lock()
        self._callers: dict[str, OrderedDict[str, dict[int, int]]] = defaultdict(OrderedDict)

    def count(self, limits: Sequence[Limit], now: float) -> list[int]:
        """As `InRedis.count`."""
        answers = []
        for limit in limits:
            with self._lock:
                answers.append(self._count(limit, limit.newest(now)))
            if answers[-1] < 0:
                break
        return answers

    def _count(self, limit: Limit, newest: int) -> int:
        callers = self._callers[limit.policy]
        slots = range(newest - SLOTS + 1, newest + 1)
        counts = {slot: number for slot, number in callers.pop(limit.who, {}).items() if slot in slots}
        used = sum(counts.values()) + 1
        if used <= limit.quota:
            counts[newest] = counts.get(newest, 0) + 1
        callers[limit.who] = counts
        while len(callers) > MOST:
            callers.popitem(last=False)
        if used <= limit.quota:
            return used
        for slot in slots:
            used -= counts.get(slot, 0)
            if used <= limit.quota:
                return newest - SLOTS - slot
        return -SLOTS


class InRedis:
    """The same, shared by all processes: a caller is a hash, its fields are twelfths. Raises redis.RedisError."""

    # KEYS are callers; ARGV has for each: the newest twelfth's number, the quota, how many seconds it is kept.
    # The hash keeps one twelfth too many, for a web server whose clock is behind.
    SCRIPT = Script("""
local answers = {}
for caller, key in ipairs(KEYS) do
  local number, quota, kept = unpack(ARGV, caller * 3 - 2, caller * 3)
  local newest, counts, used = tonumber(number), {}, 1
  local found = redis.call('HGETALL', key)
  for i = 1, #found, 2 do
    local place, count = tonumber(found[i]) - newest + 12, tonumber(found[i + 1])
    if place >= 1 and place <= 12 then
      counts[place] = count
      used = used + count
    end
  end
  if used <= tonumber(quota) then
    answers[caller] = used
    if redis.call('HINCRBY', key, number, 1) == 1 then
      redis.call('EXPIRE', key, kept)
      for i = 1, #found, 2 do
        if tonumber(found[i]) < newest - 12 then redis.call('HDEL', key, found[i]) end
      end
    end
  else
    local place = 0
    repeat
      place = place + 1
      used = used - (counts[place] or 0)
    until used <= tonumber(quota) or place == 12
    answers[caller] = -place
    return answers
  end
end
return answers
""")

    def __init__(self, url: str) -> None:
        self.refusals = Refusals()
        self._connections = connections_to(url)

    def count(self, limits: Sequence[Limit], now: float) -> list[int]:
        """Count one call against each until one refuses it; an answer for each that was asked.

        Of a call that is let through how many it makes in its window; of one that is refused how many twelfths have to
        pass, counted from the present one's beginning, as a negative number.
        """
        keys = [f"limit:{limit.policy}:{limit.who}" for limit in limits]
        numbers = [number for one in limits for number in (one.newest(now), one.quota, 2 * one.window)]
        return self.SCRIPT.run(self._connections, keys, numbers)


class Shared:
    """Which of the two counts: Redis, unless there is none or it failed a moment ago."""

    def __init__(self) -> None:
        self.process = InProcess()
        self._away_until = 0.0
        self._in_redis = cache(InRedis)

    def stores(self, now: float) -> Iterator[InProcess | InRedis]:
        """Those to ask, in this order."""
        url = settings.LIMITS_REDIS_URL
        if url and not 0 < self._away_until - now <= REST:
            yield self._in_redis(url)
        yield self.process

    def failed(self, error: Exception, now: float) -> None:
        """Redis is left alone for a while: each call would wait for it."""
        log.error("Redis is away (%s): each process counts its limits by itself.", type(error).__name__)
        self._away_until = now + REST


_shared = Shared()


def _hit_each(limits: Sequence[Limit], store: InProcess | InRedis, now: float) -> list[Spent]:
    known = [store.refusals.until(limit, now) for limit in limits]
    asked = list(limits[: next((place for place, until in enumerate(known) if until), len(limits))])
    answers = store.count(asked, now) if asked else []
    spent = []
    for limit, answer in zip(asked, answers, strict=False):
        newest = limit.newest(now)
        if answer > 0:
            reset = math.ceil(limit.begin(newest + SLOTS) - now)
            spent.append(Spent(limit.policy, limit.quota, limit.window, limit.quota - answer, reset))
            continue
        until = limit.begin(newest - answer)
        store.refusals.keep(limit, until)
        return [*spent, _refused(limit, until, now)]
    if len(asked) < len(limits):
        spent.append(_refused(limits[len(asked)], known[len(asked)], now))
    return spent


def _refused(limit: Limit, until: float, now: float) -> Spent:
    return Spent(limit.policy, limit.quota, limit.window, -1, math.ceil(until - now))
