"""An answer that is held back for a moment: the view says until when, and the ASGI layer waits, holding nothing."""

import time
from dataclasses import dataclass

from django.http import HttpRequest

KEY = "reuseid.held"


@dataclass(slots=True)
class Held:
    """Travels in the ASGI scope. ``until`` is a time of the monotonic clock (seconds)."""

    until: float = 0.0

    @property
    def seconds(self) -> float:
        """What is left of it; 0 when it is over."""
        return max(self.until - time.monotonic(), 0.0)


def hold(request: HttpRequest, until: float) -> None:
    """Hold the answer to this request back until then; where no ASGI layer does, sleep."""
    held = getattr(request, "scope", {}).get(KEY)
    if held is not None:
        held.until = until
    else:
        time.sleep(max(until - time.monotonic(), 0.0))
