"""Errors in the OpenAPI document: by status, with the commonest of its codes as example."""

from drf_spectacular.utils import OpenApiExample, OpenApiResponse

from reuseid.api.errors import FRAMEWORK, LengthRequired
from reuseid.api.examples import TRACE
from reuseid.api.permissions import InsufficientScope
from reuseid.api.serializers import Problem
from reuseid.errors import Invalid, PreconditionFailed, ServiceError, WrongState

ERRORS = {
    400: "Not valid: the JSON, a query parameter or the Idempotency-Key.",
    401: "No token, or not a live one, or the client is blocked.",
    403: "The token lacks the scope.",
    404: "Nothing of this id in the account.",
    406: "Accept does not allow application/json.",
    409: "It conflicts with the present state.",
    411: "A body without Content-Length.",
    412: "It has changed since you read it (If-Match).",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "A member of the body is unknown or not valid.",
    429: "Too many requests; Retry-After says when to come back.",
}
_CODES = {
    error.status: (error.code, error.title)
    for error in (InsufficientScope, WrongState, LengthRequired, PreconditionFailed, Invalid)
}


def problem_response(status: int, description: str = "", error: type[ServiceError] | None = None) -> OpenApiResponse:
    """The answer of this status; a call that knows more than `ERRORS` says its own ``description`` and ``error``."""
    code, title = (error.code, error.title) if error else _CODES.get(status) or FRAMEWORK[status]
    shown = {"code": code, "type": f"https://id.example.com/api/docs/problems#{code}", "title": title}
    state = {"detail": "It is LOCKED, so it can't become LOCKED.", "state": "LOCKED"} if code == WrongState.code else {}
    example = OpenApiExample(code, shown | {"status": status, "traceId": TRACE} | state)
    return OpenApiResponse(Problem, description=description or ERRORS[status], examples=[example])
