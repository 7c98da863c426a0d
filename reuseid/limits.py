"""How often something may happen in a window of time, counted in the shared cache."""

import logging
import time
from dataclasses import dataclass

from django.core.cache import cache

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Spent:
    """One call counted: what is left of a quota in this window, and the seconds until the next one."""

    policy: str
    quota: int
    window: int
    left: int
    reset: int

    def headers(self):
        """``RateLimit-Policy`` and ``RateLimit``."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.quota};w={self.window}',
            "RateLimit": f'"{self.policy}";r={max(self.left, 0)};t={self.reset}',
        }


def spend(policy: str, who: str, *, quota: int, window: int) -> Spent:
    """Count one call of ``who`` in a fixed window of seconds. A cache that is down limits nobody."""
    now = int(time.time())
    start = now - now % window
    key = f"rate:{policy}:{who}:{start}"
    try:
        cache.add(key, 0, timeout=window + 5)
        used = cache.incr(key)
    except ValueError:  # The key expired between the two.
        used = 1
    except Exception:
        log.exception("The cache is not reached, so no rate limit holds.")
        used = 1
    return Spent(policy, quota, window, quota - used, start + window - now)
