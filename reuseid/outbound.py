"""The one HTTP client: everything that the service sends to the outside goes through `request`.

A name is resolved here, its addresses are checked, and the connection is made to a checked address, so that a second
answer of the DNS ("rebinding") changes nothing; TLS still verifies the host's name. No redirect is followed. One
deadline holds for the whole exchange, and no more than ANSWER_LIMIT bytes of an answer are read.

Proxies of the environment (HTTPS_PROXY, NO_PROXY, …) are honoured. Behind one, names that this host can't resolve are
the proxy's to resolve, and so the proxy's to refuse.
"""

import os
import ssl
import threading
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import httpcore
from django.conf import settings

from reuseid.addresses import Refused, allowed, check_url, is_literal, is_loopback
from reuseid.name_service import look_up

ANSWER_LIMIT = 64 * 1024
NO_ADDRESS = "name not resolved to a public address"
USER_AGENT = "ReuseID-MobileID/1"
# Below the 5 s after which common servers close an idle connection: a request must not meet that close.
_KEEP_ALIVE = 4.0


class Failed(Exception):
    """No answer: ``reason`` is a short stable phrase for logs and the integrator's eyes."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``body`` is cut at the limit; headers have lower-case names, the first of each."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


_exchange = threading.local()


def _left(timeout: float | None = None) -> float:
    """Seconds that the running exchange still has, at most ``timeout``; raises when none are left."""
    left = getattr(_exchange, "deadline", time.monotonic() + 60) - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout
    return left if timeout is None else min(left, timeout)


class _Stream(httpcore.NetworkStream):
    """A connection whose every step ends at the exchange's deadline: a dripping peer gains nothing."""

    def __init__(self, stream):
        self._stream = stream

    def read(self, max_bytes, timeout=None):
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer, timeout=None):
        self._stream.write(buffer, _left(timeout))

    def close(self):
        self._stream.close()

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info):
        return self._stream.get_extra_info(info)


def _connect(host, port, timeout):
    return _Stream(httpcore.SyncBackend().connect_tcp(host, port, _left(timeout)))


class _Direct(httpcore.NetworkBackend):
    """Connects to checked addresses only."""

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        failure: Exception = httpcore.ConnectError()
        for address in _addresses(host, port)[:3]:
            try:
                stream = httpcore.SyncBackend().connect_tcp(
                    address, port, _left(timeout), local_address, socket_options
                )
                return _Stream(stream)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


def _addresses(host: str, port: int) -> list[str]:
    """Those that may be called. Of a name that has none it is not said whether it leads inside or nowhere."""
    try:
        return allowed(look_up(host, port, timeout=_left(), account=getattr(_exchange, "account", "")))
    except (OSError, UnicodeError):
        raise Failed(f"not called: {NO_ADDRESS}") from None
    except Refused:
        if is_literal(host):
            raise
        raise Refused(NO_ADDRESS) from None


class _ToProxy(httpcore.NetworkBackend):
    """Connects to the operator's proxy, which may be anywhere."""

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        return _connect(host, port, timeout)


def _context():
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.OUTBOUND_CA_FILE:
        context.load_verify_locations(settings.OUTBOUND_CA_FILE)
    return context


_pools: dict[tuple[int, str | None], httpcore.ConnectionPool] = {}
_making = threading.Lock()


def _pool(proxy):
    """The keep-alive pool of this process (a forked child must not share its parent's sockets), direct or by proxy."""
    key = os.getpid(), proxy
    with _making:
        if key not in _pools:
            _pools[key] = _new_pool(proxy)
        return _pools[key]


def _new_pool(proxy, size=512):
    options = {
        "ssl_context": _context(),
        "max_connections": size,
        "max_keepalive_connections": size // 4,
        "keepalive_expiry": _KEEP_ALIVE,
    }
    if proxy is None:
        return httpcore.ConnectionPool(network_backend=_Direct(), **options)
    parts = urlsplit(proxy)
    if parts.scheme not in {"http", "https"}:
        raise Failed("the proxy is neither http nor https")
    credentials = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    address = f"{parts.scheme}://{parts.hostname}:{parts.port or (443 if parts.scheme == 'https' else 80)}"
    return httpcore.HTTPProxy(address, proxy_auth=credentials, network_backend=_ToProxy(), **options)


def close() -> None:
    """Close the connections of this process: for tests and after a change of certificates."""
    with _making:
        for pid, proxy in list(_pools):
            if pid == os.getpid():
                _pools.pop((pid, proxy)).close()


_PROXIES = [form for name in ("HTTP", "HTTPS", "ALL", "NO") for form in (f"{name}_PROXY", f"{name.lower()}_proxy")]
_PROXIES.append("REQUEST_METHOD")  # Of a CGI's environment the upper-case HTTP_PROXY is not believed.


@lru_cache(maxsize=1024)
def _proxy_of(scheme, netloc, environment):
    """What the environment says, read anew only when it (``environment``) is another: each reading walks all of it."""
    if urllib.request.proxy_bypass(netloc):
        return None
    proxies = urllib.request.getproxies()
    return proxies.get(scheme) or proxies.get("all")


def _proxy_for(parts):
    """The proxy for a URL, or None. Loopback is never behind one."""
    if is_loopback(parts.hostname):
        return None
    proxy = _proxy_of(parts.scheme, parts.netloc, tuple(map(os.environ.get, _PROXIES)))
    if proxy:
        # What does not resolve here may do so at the proxy.
        with suppress(Failed):
            _addresses(parts.hostname, parts.port or 443)
    return proxy


def request(
    method: str, url: str, *, body: bytes = b"", headers: dict[str, str], timeout: float, account: str = ""
) -> Answer:
    """Send one request and give its answer, whatever its status.

    ``timeout`` in seconds is for all of it, the look-up of the name too, of which each ``account`` has its share.

    Raises Refused when the address is not one that the service calls, Failed when no answer came. Never call it inside
    a transaction.
    """
    _exchange.deadline, _exchange.account = time.monotonic() + timeout, account
    steps = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
    headers = {"user-agent": USER_AGENT, "accept-encoding": "identity", **headers}
    try:
        parts = check_url(url)
        pool = _pool(_proxy_for(parts))
        lines = [("host", parts.netloc), *headers.items()]
        with pool.stream(method, url, headers=lines, content=body, extensions={"timeout": steps}) as response:
            return Answer(response.status, _read(response), _headers(response))
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
        raise Failed(_phrase(error)) from error
    except ssl.SSLError as error:
        raise Failed(_phrase(error)) from error
    finally:
        del _exchange.deadline, _exchange.account


def _read(response):
    """The body's beginning. A body that breaks off or never ends does not unsay the status."""
    body = b""
    try:
        for chunk in response.iter_stream():
            body += chunk
            if len(body) >= ANSWER_LIMIT:
                break
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        pass
    return body[:ANSWER_LIMIT]


def _headers(response):
    found: dict[str, str] = {}
    for name, value in response.headers:
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return found


def _phrase(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate not trusted: {cause.verify_message}"[:200]
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed: {cause.reason or 'handshake'}"[:200]
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, ConnectionResetError):
            return "connection reset"
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpcore.TimeoutException):
        return "timeout"
    if isinstance(error, httpcore.ProtocolError):
        return "connection closed without an answer" if "disconnect" in str(error) else "answer is not HTTP"
    if isinstance(error, httpcore.ProxyError):
        return "proxy refused"
    return "connection failed"


__all__ = ["ANSWER_LIMIT", "NO_ADDRESS", "Answer", "Failed", "Refused", "close", "request"]
