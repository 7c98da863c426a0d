"""What the middleware tells a view about one poll of an operation, and what the view says back."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from rest_framework.request import Request

from reuseid.models import Client

KEY = "mobileid.poll"


@dataclass(slots=True)
class PollContext:
    """One poll. Travels in the ASGI scope, so nothing of it can come from, or get to, a caller.

    ``again`` marks a poll after the first, which is not counted; ``frames`` asks for that many QR frames ahead. The
    view sets ``client`` (whose call it is) and ``status`` (the operation's, as stored), and while the operation is open
    ``wait`` (seconds that the caller asked for) and ``expires_in`` (seconds).
    """

    again: bool = False
    frames: int = 0
    client: str = ""
    status: str = ""
    wait: int = 0
    expires_in: float = 0.0

    @classmethod
    def of(cls, request: Request) -> Self:
        """The one in the request's scope; where the middleware does not run, a new one that nobody reads."""
        return getattr(request, "scope", {}).get(KEY) or cls()

    def seen(self, client: Client, status: str) -> None:
        """Note whose call it is, and the operation's status as stored."""
        self.client, self.status = str(client.pk), str(status)

    def not_yet(self, wait: int, expires_at: datetime) -> None:
        """Note that the operation is open until ``expires_at``, and that the caller waits for ``wait`` seconds."""
        self.wait, self.expires_in = wait, (expires_at - datetime.now(UTC)).total_seconds()
