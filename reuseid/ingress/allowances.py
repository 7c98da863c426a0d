"""How many bytes a caller may send to an address.

Whoever nobody knows sends EVERYBODY at most: what phones, tokens and signing in need. More is for a view that says so
(``max_body``) and for the back office, and only after the caller's token or session was found to be a live one.
"""

import io

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore
from django.core.handlers.asgi import ASGIRequest
from django.urls import Resolver404, resolve
from rest_framework.exceptions import NotAuthenticated

from reuseid.api.authentication import BearerAuthentication

EVERYBODY = 64 * 1024
BACK_OFFICE = "/admin/"


def most(path: str) -> int:
    """Bytes that the best-known caller may send to this address. Asks no database."""
    if path.startswith(BACK_OFFICE):
        return max(EVERYBODY, settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
    try:
        view = resolve(path).func
    except Resolver404:
        return EVERYBODY
    return max(EVERYBODY, getattr(getattr(view, "cls", None), "max_body", EVERYBODY))


def prove_known(scope):
    """Raise NotAuthenticated or AuthenticationFailed unless the caller has a live session or token. One or two queries.

    It settles who may send much and nothing else: the view authenticates and authorises as ever.
    """
    request = ASGIRequest(scope, io.BytesIO())
    if scope["path"].startswith(BACK_OFFICE):
        known = _is_colleague(request)
    else:
        known = BearerAuthentication().authenticate(request)
    if not known:
        raise NotAuthenticated


def _is_colleague(request):
    request.session = SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    user = get_user(request)
    return user.is_authenticated and user.is_active and user.is_staff
