"""Answers that are given without asking Django, in the form that each door's own have."""

import json
from dataclasses import dataclass, field

from reuseid import tracing
from reuseid.api.errors import API_PATHS, MEDIA_TYPE, problem
from reuseid.metrics import REQUESTS
from reuseid.middleware.browsers import DATA

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
_own_codes: dict[str, dict[int, str]] = {}


@dataclass(slots=True)
class Answer:
    """A buffered HTTP answer."""

    status: int = 500
    headers: list = field(default_factory=list)
    body: bytes = b""

    async def pass_on(self, send):
        """Send it to the caller."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})

    def uncounted(self):
        """The same for a call that was counted long ago: without the rate limit as it was then."""
        kept = [pair for pair in self.headers if not bytes(pair[0]).lower().startswith(b"ratelimit")]
        return Answer(self.status, kept, self.body)


def use_codes(prefix: str, codes: dict[int, str]):
    """Below ``prefix`` problems have codes of a protocol of its own, by their status, and no detail."""
    _own_codes[prefix] = codes


def header(scope, name: bytes) -> bytes | None:
    """The value of a header, of the first where it stands twice; None where there is none."""
    return next((value for key, value in scope["headers"] if key == name), None)


def plain(scope, status: int, body: bytes, content_type: str, **more: str) -> Answer:
    """An answer with what every one of ours carries: trace id, no caching, no scripts. Counted as a request is."""
    trace_id = tracing.begin((header(scope, b"x-trace-id") or b"").decode("latin-1"))
    headers = {
        "content-type": content_type,
        "content-length": str(len(body)),
        "cache-control": "no-store",
        "content-security-policy": DATA,
        "x-content-type-options": "nosniff",
        "x-trace-id": trace_id,
        **more,
    }
    method = scope["method"]
    REQUESTS.labels(method if method in _METHODS else "other", "ingress", status).inc()
    body = b"" if method == "HEAD" else body
    return Answer(status, [(name.encode(), value.encode("latin-1")) for name, value in headers.items()], body)


def refusal(scope, error, **more: str) -> Answer:
    """The answer that tells an error (`reuseid.errors.ServiceError`) and ends the connection, since its body is unread.

    Problem details where an API is called, a sentence elsewhere.
    """
    tracing.begin((header(scope, b"x-trace-id") or b"").decode("latin-1"))
    headers = {"connection": "close"} | more
    if hasattr(error, "retry_after"):
        headers["retry-after"] = str(error.retry_after)
    codes = next((codes for prefix, codes in _own_codes.items() if scope["path"].startswith(prefix)), None)
    if codes is not None:
        told = problem(error.status, codes.get(error.status, error.code), error.title)
    elif scope["path"].startswith((*API_PATHS, "/mobileid/")):
        told = problem(error.status, error.code, error.title, detail=error.detail)
    else:
        sentence = f"{error.title} {error.detail}".strip()
        return plain(scope, error.status, sentence.encode(), "text/plain; charset=utf-8", **headers)
    headers["x-trace-id"] = told["traceId"]
    return plain(scope, error.status, json.dumps(told).encode(), MEDIA_TYPE, **headers)
