"""Which addresses the service may call: the public internet, and what the operator names.

Guards against server-side request forgery: an integrator chooses the URL of a callback, so it must never lead to the
operator's own network, this host, or a cloud's metadata service.
"""

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

# Beside what `is_global` knows: addresses that are public by number but not by use, and the forms that embed another.
_NEVER = [
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # RFC 6598; metadata of one cloud lives here
        "168.63.129.16/32",  # another cloud's host agent
        "192.0.0.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "240.0.0.0/4",
        "::/96",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",  # Teredo, ORCHID, benchmarking
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Refused(Exception):
    """The address is not one that this service calls; the text says why, for the person who set it."""


def check_address(text: str) -> None:
    """Raise Refused unless the service may connect to this IP address."""
    address = _unwrap(ipaddress.ip_address(text.partition("%")[0]))
    if address.is_loopback and settings.OUTBOUND_ALLOW_LOOPBACK:
        return
    if any(address in ipaddress.ip_network(network) for network in settings.OUTBOUND_ALLOWED_NETWORKS):
        return
    if not address.is_global or address.is_multicast or any(address in network for network in _NEVER):
        raise Refused("The host's address is private, local or reserved.")


def _unwrap(address):
    """The IPv4 address inside a mapped, 6to4 or NAT64 one: that is where the connection would end."""
    if address.version == 6:
        if inner := address.ipv4_mapped or address.sixtofour:
            return inner
        if address in _NAT64:
            return ipaddress.ip_address(int(address) & 0xFFFFFFFF)
    return address


def check_url(url: str) -> SplitResult:
    """Raise Refused unless ``url`` is absolute HTTPS without credentials or fragment; give its parts.

    Plain HTTP is allowed to this host's loopback while OUTBOUND_ALLOW_LOOPBACK holds (development). An IP address is
    checked, in whatever form; a name is resolved and checked at each connect only: who sets it learns nothing of it.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Refused("It is not a URL.") from None
    if not url.isascii() or any(character <= " " or character in '\\"<>^`{|}\x7f' for character in url) or not host:
        raise Refused("It is not an absolute URL; write international names in their xn-- form.")
    if parts.username is not None or parts.password is not None or parts.fragment or "#" in url:
        raise Refused("It must have no credentials and no fragment.")
    if is_literal(host):
        check_address(host)
    elif number := _as_number(host):
        check_address(number)
    elif host.rstrip(".").rpartition(".")[2] == "localhost" and not settings.OUTBOUND_ALLOW_LOOPBACK:
        raise Refused("The host's address is private, local or reserved.")
    if parts.scheme == "http" and settings.OUTBOUND_ALLOW_LOOPBACK:
        if not is_loopback(host):
            raise Refused("Plain HTTP is for loopback addresses only.")
    elif parts.scheme != "https":
        raise Refused("It must begin with https://.")
    return parts


def _as_number(host: str) -> str:
    """The IPv4 address that C libraries read in ``0x7f.1`` or ``2130706433``; empty for a name."""
    try:
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return ""


def is_literal(host: str) -> bool:
    """Whether the host is an IP address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether the host is this one, by its usual name or by address."""
    return host == "localhost" or (is_literal(host) and ipaddress.ip_address(host).is_loopback)


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, in the resolver's order; raises OSError when it has none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def allowed(addresses: list[str]) -> list[str]:
    """Those that the service may call; raises Refused when none is left."""
    kept, refusal = [], None
    for address in addresses:
        try:
            check_address(address)
            kept.append(address)
        except Refused as error:
            refusal = error
    if not kept:
        raise refusal or Refused("The host has no address.")
    return kept
