"""Rate limits in the shared cache, told with draft-ietf-httpapi-ratelimit-headers-10."""

import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache

from reuseid.errors import TooMany

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


class ClientThrottle:
    """Calls a minute of one client (setting API_RATE_LIMIT); keeps ``view.spent`` for the answer's headers."""

    def allow_request(self, request, view):
        """True, or raises TooMany (429)."""
        view.spent = spend("client", str(request.user.pk), quota=settings.API_RATE_LIMIT, window=60)
        if view.spent.left < 0:
            raise TooMany(f"At most {settings.API_RATE_LIMIT} calls a minute.", retry_after=view.spent.reset)
        return True
