"""What browsers are told, and how long a colleague stays signed in."""

import time

from django.conf import settings
from django.contrib.auth import logout

# The theme runs on Alpine.js, which makes functions of its attributes ('unsafe-eval'), and sets styles in place.
PAGES = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
DATA = "default-src 'none'; frame-ancestors 'none'"
_SINCE, _SEEN = "signed_in_at", "seen_at"
# Seconds: the last call is written this often, not at each.
_COARSE = 60


class ContentPolicy:
    """Content-Security-Policy (CSP level 3) on every answer that brings none of its own."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        page = response.get("Content-Type", "").startswith("text/html")
        response.setdefault("Content-Security-Policy", PAGES if page else DATA)
        return response


def begin_session(sender, request, user, **kwargs):
    """What happens when somebody signs in: the session's clocks start."""
    request.session[_SINCE] = request.session[_SEEN] = int(time.time())


class SessionEnd:
    """Signs out after SESSION_IDLE seconds without a call, and after SESSION_COOKIE_AGE seconds in any case.

    A page that refreshes itself says so with X-Poll: that keeps nobody signed in.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if settings.SESSION_COOKIE_NAME in request.COOKIES and request.user.is_authenticated:
            self._judge(request)
        return self.get_response(request)

    def _judge(self, request):
        now, session = int(time.time()), request.session
        seen = session.get(_SEEN, 0)
        if now - seen > settings.SESSION_IDLE or now - session.get(_SINCE, 0) > settings.SESSION_COOKIE_AGE:
            logout(request)
        elif now - seen >= _COARSE and "X-Poll" not in request.headers:
            session[_SEEN] = now
