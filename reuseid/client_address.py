"""Who calls, as seen by the doors: the address that limits count by and sign-ins are kept with."""

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The caller's IP address; X-Forwarded-For is believed for as many hops as TRUSTED_PROXIES says."""
    remote = request.META.get("REMOTE_ADDR", "")
    if not settings.TRUSTED_PROXIES:
        return remote
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    return hops[-min(settings.TRUSTED_PROXIES, len(hops))] if hops else remote


def client_network(request: HttpRequest) -> str:
    """What limits count by: the caller's IPv4 address, or the /64 of an IPv6 one: one household or host."""
    text = client_address(request)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return text
    if address.version == 4:
        return text
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address.packed[:8] + bytes(8), 64)))
