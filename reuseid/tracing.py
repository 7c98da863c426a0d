"""One trace id a request, in the answer, the logs, the trail and the problem details."""

import logging
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

_trace_id: ContextVar[str] = ContextVar("trace_id", default="")
# What PostgreSQL quotes of a row, up to the next exception of a chain; escaped where an exception's repr is logged.
_QUOTED = re.compile(
    r"(\n|\\n)(DETAIL|CONTEXT|QUERY):.*?(?=\n\n(The above|During handling)|\nTraceback |\Z)", re.DOTALL
)
_ACCEPTED = re.compile(r"[0-9A-Za-z_-]{8,64}")


def current() -> str:
    """The trace id of the running request or task; empty outside of one."""
    return _trace_id.get()


def begin(trace_id: str = "") -> str:
    """Start a trace, with the caller's id where it is a plain one of 8 to 64 characters."""
    chosen = trace_id if _ACCEPTED.fullmatch(trace_id) else secrets.token_hex(16)
    _trace_id.set(chosen)
    return chosen


@contextmanager
def within(trace_id: str) -> Iterator[None]:
    """Everything inside belongs to this trace; afterwards the one before goes on."""
    token = _trace_id.set(trace_id)
    try:
        yield
    finally:
        _trace_id.reset(token)


class TraceMiddleware:
    """Takes ``X-Trace-Id`` from the caller or makes one, and returns it with every answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.trace_id = begin(request.META.get("HTTP_X_TRACE_ID", ""))
        response = self.get_response(request)
        response["X-Trace-Id"] = request.trace_id
        return response


class TraceFilter(logging.Filter):
    """Gives each log line the trace id."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.trace_id = current() or "-"
        return True


class LineFormatter(logging.Formatter):
    """Lines of the log, tracebacks included, without the values of rows that the database's errors quote."""

    def format(self, record: logging.LogRecord) -> str:
        """As always, but for what may be personal."""
        return _QUOTED.sub("", super().format(record))
