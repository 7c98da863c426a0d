"""Rate limits of API clients, told with draft-ietf-httpapi-ratelimit-headers-10."""

from django.conf import settings

from reuseid.errors import TooMany
from reuseid.limits import hit


class ClientThrottle:
    """Calls a minute of one client (setting API_RATE_LIMIT); keeps ``view.spent`` for the answer's headers."""

    def allow_request(self, request, view):
        """True, or raises TooMany (429)."""
        view.spent = hit("client", str(request.user.pk), quota=settings.API_RATE_LIMIT, window=60)
        if view.spent.left < 0:
            raise TooMany(f"At most {settings.API_RATE_LIMIT} calls a minute.", retry_after=view.spent.reset)
        return True
