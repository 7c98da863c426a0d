"""Who stands by for work is told of it through Redis: one round trip after a commit, and no task.

Of each kind of work one runner *attends*: it holds a key with a short life, which it prolongs only while it gets on.
Who owes something leaves a note and, in the same step, looks whether somebody attends; only where nobody does, and no
task is under way already, a task is to be sent. The runner takes the note away before it looks at the rows, so that
what is committed later leaves another. At its end it gives up its place *first* and looks for a note *then*: of one
who owes and one who ends, at least one sees the other.

Rows are the memory. A note that is lost (Redis restarted, a runner killed with it in its hands) costs a sweep; a
runner that is killed or hangs is taken to attend for ATTENDS seconds at most. Without Redis everybody sends tasks.
"""

import logging
import time
import uuid
from functools import cache

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from reuseid.redis_connections import TIMEOUT, Script, connections_to

log = logging.getLogger(__name__)

WORK = frozenset({"reuseid.tasks.send_owed_callbacks"})
"""Tasks whose runner stands by."""
ATTENDS = 3.0
"""Seconds that a runner is taken to be there after it last got on."""
CALLED = 5
"""Seconds for which a task that was sent is taken to be under way, and no second one is."""
REST = 5
"""Seconds for which a Redis that failed is left alone."""

_TELL = Script("""
if redis.call('LLEN', KEYS[1]) == 0 then redis.call('RPUSH', KEYS[1], 1) end
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
return redis.call('SET', KEYS[3], 1, 'NX', 'EX', ARGV[1]) and 1 or 0
""")
_BEGIN = Script("""
redis.call('DEL', KEYS[3])
if not redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {0, 0} end
return {1, redis.call('DEL', KEYS[1])}
""")
_KEEP = Script("""
local holder = redis.call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return 1
""")
_END = Script("""
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
local left = redis.call('EXISTS', KEYS[2]) == 0 and redis.call('EXISTS', KEYS[1]) == 1
if ARGV[2] == '0' and not left then return 0 end
return redis.call('SET', KEYS[3], 1, 'NX', 'EX', ARGV[3]) and 1 or 0
""")

_away = {"until": 0.0}
_slots = {"count": 2}


def has_slots(count: int) -> None:
    """How many tasks this worker runs at once: where it is one, nobody waits in it for work to come."""
    _slots["count"] = count


@cache
def _patient(url):
    """For who waits there: one more try, for a connection that Redis closed meanwhile."""
    retry = Retry(NoBackoff(), 1)
    return redis.Redis.from_url(url, socket_timeout=ATTENDS, socket_connect_timeout=TIMEOUT, retry=retry)


def _keys(work):
    return [f"standby:{work}:{name}" for name in ("note", "attends", "called")]


def _run(script, work, *values):
    """What the script answers; None where there is no Redis, or it failed a moment ago."""
    if not settings.REDIS_URL or time.monotonic() < _away["until"]:
        return None
    try:
        return script.run(connections_to(settings.REDIS_URL), _keys(work), values)
    except (redis.RedisError, OSError) as error:
        _failed(error)
        return None


def _failed(error):
    _away["until"] = time.monotonic() + REST
    log.warning("Redis is away (%s): tasks are sent.", type(error).__name__)


def tell(work: str) -> bool:
    """Say that something is owed, after its commit; True where the caller is to send the task."""
    return _run(_TELL, work, CALLED) != 0


class Runner:
    """One run of the work: `begin`, then `take_note` before each look at the rows, `wait` when there are none, `end`.

    ``attends`` says whether this run is the one that is told; ``noted`` whether it began with a note. Another run looks
    by itself, and takes the place over when it is free; one that never began does without all this.
    """

    def __init__(self, work: str) -> None:
        self.attends = self.noted = False
        self._work, self._token = work, uuid.uuid4().hex
        self._kept: float | None = None

    def begin(self) -> None:
        """Take the place, if it is free."""
        attends, noted = _run(_BEGIN, self._work, self._token, _ms(ATTENDS)) or (0, 0)
        self.attends, self.noted, self._kept = bool(attends), bool(noted), time.monotonic()

    def keep(self) -> None:
        """Say that this run gets on: asked often, it says so a few times in ATTENDS seconds."""
        if self._kept is not None and time.monotonic() - self._kept > ATTENDS / 4:
            self._kept = time.monotonic()
            self.attends = bool(_run(_KEEP, self._work, self._token, _ms(ATTENDS)))

    def take_note(self) -> bool:
        """Whether there is a note, which is gone then. True, too, for one that is not told: it has to look."""
        return not self.attends or self._pop(0) or not self.attends

    def wait(self, seconds: int) -> bool:
        """Until there is a note, at most ``seconds``, which are less than ATTENDS; False where none came."""
        self.keep()
        return _slots["count"] > 1 and self._pop(seconds)

    def _pop(self, seconds):
        if not self.attends:
            return False
        note, *_ = _keys(self._work)
        try:
            if seconds:
                return bool(_patient(settings.REDIS_URL).blpop([note], seconds))
            return bool(connections_to(settings.REDIS_URL).ask(("LPOP", note))[0])
        except (redis.RedisError, OSError) as error:
            _failed(error)
            self.attends = False
            return False

    def end(self, more: bool) -> bool:
        """Give up the place; True where the caller is to send the task: there is ``more``, or a note came late."""
        self.attends, self._kept = False, None
        answer = _run(_END, self._work, self._token, int(more), CALLED)
        return more if answer is None else bool(answer)


def _ms(seconds):
    return int(seconds * 1000)
