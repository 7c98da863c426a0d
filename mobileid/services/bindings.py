"""How an operation is tied to the session that started it (docs/protocol.md, chapter 6, ``binding``)."""

import hmac
import secrets
import time
from urllib.parse import quote, urlsplit

from django.conf import settings

from mobileid.models import Application, Operation
from mobileid.protocol import wire
from mobileid.services import codes
from mobileid.services.keys.channel import server_of
from reuseid.errors import Invalid
from reuseid.models.sealed import seal_field, unseal_field

Binding = Operation.Binding
NUMBER_DIGITS = 2
RETURN_URL_LIMIT = 500
# Schemes that a browser runs or reads from instead of opening an app or a site.
_REFUSED_SCHEMES = {"javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem", "content"}
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def bind(operation: Operation, return_url: str = "") -> dict:
    """Give a new, unsaved operation its binding; returns what only the start answer shows.

    NUMBER: ``matchingNumber``. QR: ``claim``, ``qrSecret`` and the first frame, ``qrUri``. SAME_DEVICE: ``claim`` and
    ``appLink``; it needs a return URL, which the others refuse.
    """
    if (operation.binding == Binding.SAME_DEVICE) != bool(return_url):
        needed = operation.binding == Binding.SAME_DEVICE
        raise Invalid.field("operationProperties.returnUrl", "SAME_DEVICE needs it." if needed else "Only SAME_DEVICE.")
    if operation.binding == Binding.NUMBER:
        number = f"{secrets.randbelow(10**NUMBER_DIGITS):0{NUMBER_DIGITS}d}"
        seal_field(operation, "binding_secret", number.encode())
        return {"matchingNumber": number}
    if operation.binding == Binding.QR:
        return _bind_qr(operation)
    if operation.binding == Binding.SAME_DEVICE:
        operation.return_url = check_return_url(return_url)
        claim = wire.b64u(secrets.token_bytes(16))
        operation.code_index = codes.claim_indexes(claim)[0]
        return {"claim": claim, "appLink": f"{_page(operation)}#operation?claim={claim}"}
    return {}


def _bind_qr(operation):
    secret = secrets.token_bytes(32)
    seal_field(operation, "binding_secret", secret)
    claim = _qr_claim(secret)
    operation.code_index = codes.claim_indexes(claim)[0]
    return {"claim": claim, "qrSecret": wire.b64u(secret), "qrUri": qr_frame(operation)}


def _qr_claim(secret):
    # Made from the secret, so that frames can be drawn later though the claim itself is kept only as a hash.
    return wire.b64u(hmac.digest(secret, wire.lp("mobileid/1 qr claim"), "sha256")[:16])


def qr_frame(operation: Operation, t: int | None = None) -> str:
    """The URI of the frame of one second (Unix time; now, unless said)."""
    secret = unseal_field(operation, "binding_secret")
    t = int(time.time()) if t is None else t
    claim = _qr_claim(secret)
    return f"{_page(operation)}#operation?claim={claim}&t={t}&m={wire.b64u(wire.qr_mac(secret, claim, t))}"


def activation_uri(application: Application, code: str) -> str:
    """What the registration's QR code says."""
    return f"{application.server}/mobileid/app#register?code={quote(code)}&app={application.pk}"


def _page(operation):
    return f"{server_of(operation.application)}/mobileid/app"


def check_return_url(url: str) -> str:
    """An https address or an app's own scheme, without fragment or credentials; else Invalid.

    Plain http is for loopback on a development server.
    """
    field = "operationProperties.returnUrl"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise Invalid.field(field, "Not a URL.") from None
    scheme = parts.scheme.lower()
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > RETURN_URL_LIMIT:
        raise Invalid.field(field, f"Up to {RETURN_URL_LIMIT} printable ASCII characters.")
    if not scheme or scheme in _REFUSED_SCHEMES or "#" in url or "@" in parts.netloc or "\\" in url:
        raise Invalid.field(field, "An https:// address or an app's own scheme, without fragment or credentials.")
    if scheme in {"http", "https"} and not host:
        raise Invalid.field(field, "The host is missing.")
    if scheme == "http" and (settings.PRODUCTION or host not in _LOOPBACK):
        raise Invalid.field(field, "Plain http is for loopback in development only.")
    return url
