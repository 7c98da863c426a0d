"""Where a call came from."""

from django.conf import settings


def client_address(request) -> str:
    """The caller's IP address; X-Forwarded-For is believed for as many hops as TRUSTED_PROXIES says."""
    remote = request.META.get("REMOTE_ADDR", "")
    if not settings.TRUSTED_PROXIES:
        return remote
    hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if hop.strip()]
    return hops[-min(settings.TRUSTED_PROXIES, len(hops))] if hops else remote
