"""Where a browser stands when it is asked for a passkey, and the challenge that it has to answer.

A passkey belongs to the name of a host, and browsers know them under https and on ``localhost`` alone.
"""

import ipaddress
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.urls import reverse
from django.utils.translation import gettext as _

from reuseid.services.staff import passkeys

ADDING, CHECKING = "passkey_adding", "passkey_checking"
LOCAL = "localhost"


@dataclass(frozen=True)
class WhyNot:
    """Why no passkey is offered here, and the address where one is; empty where none is known."""

    sentence: str
    address: str = ""


def place(request: HttpRequest) -> passkeys.Place | None:
    """Where the browser is, for the services; None where passkeys don't work."""
    if why_not(request):
        return None
    return passkeys.Place(_host(request), f"{request.scheme}://{request.get_host()}")


def why_not(request: HttpRequest) -> WhyNot | None:
    """The reason, where passkeys don't work under this address."""
    host = _host(request)
    if _is_number(host):
        return WhyNot(_("Passkeys need a name in the address: open the back office by its name."), _better(request))
    if request.is_secure() or _is_local(host):
        return None
    return WhyNot(_("Passkeys need an encrypted connection: open the back office by https."), _better(request))


def host_of_passkeys(request: HttpRequest) -> str:
    """The host whose passkeys work here; empty where none do."""
    here = place(request)
    return here.host if here else ""


def keep(request: HttpRequest, purpose: str, state: dict) -> None:
    """The challenge that was handed out lies in the session; a later one takes its place."""
    request.session[purpose] = {"state": state, "at": int(time.time())}


def take(request: HttpRequest, purpose: str) -> dict | None:
    """The challenge, out of the session: it is looked at once. None when there is none or it is too old."""
    kept = request.session.pop(purpose, None)
    return kept["state"] if kept and 0 <= time.time() - kept["at"] <= passkeys.CEREMONY else None


def _host(request: HttpRequest) -> str:
    # Checked against ALLOWED_HOSTS.
    return split_domain_port(request.get_host())[0]


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_local(host: str) -> bool:
    return host == LOCAL or host.endswith(f".{LOCAL}")


def _better(request: HttpRequest) -> str:
    """An address of this service under which passkeys work."""
    host, port = split_domain_port(request.get_host())
    public = urlsplit(settings.PUBLIC_URL)
    if _is_number(host) and ipaddress.ip_address(host.strip("[]")).is_loopback and LOCAL in settings.ALLOWED_HOSTS:
        root = f"http://{LOCAL}:{port}" if port else f"http://{LOCAL}"
    elif public.scheme == "https" and not _is_number(public.hostname or ""):
        root = settings.PUBLIC_URL
    else:
        return ""
    return root + reverse("admin:index")
