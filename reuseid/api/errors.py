"""Every error of the API as problem details (RFC 9457)."""

import logging

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.http import Http404, HttpResponse, JsonResponse
from django.urls import Resolver404, is_valid_path
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from reuseid import tracing
from reuseid.errors import Invalid, ServiceError, Unknown

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
API_PATHS = ("/reuseid/", "/mobileid/core/", "/mobileid/device/", "/oauth/", "/api/", "/.well-known/")
# Under /api/, but for people.
PAGES = "/api/docs/"

# Stands in for an id; no address of the API has more parts.
NO_ID, MOST_PARTS = "00000000-0000-0000-0000-000000000000", 10

# What the framework raises, in our words: (code, title).
FRAMEWORK = {
    400: ("invalid_request", "The request is not valid."),
    401: ("unauthorized", "The call is not authenticated."),
    403: ("forbidden", "The call is not allowed."),
    404: ("not_found", "There is nothing with this id."),
    405: ("method_not_allowed", "This address does not know the method."),
    406: ("not_acceptable", "The answer is JSON, which Accept does not allow."),
    408: ("body_too_slow", "The body came too slowly."),
    413: ("body_too_large", "The body is larger than this call takes."),
    415: ("unsupported_media_type", "The body must be application/json."),
    429: ("rate_limited", "Too many requests."),
    503: ("busy", "The service is busy. Try again in a moment."),
    500: ("internal_error", "Something failed here. The trace id finds it in the logs."),
}


class InvalidBody(ServiceError):
    """The body is not the JSON that this API reads."""

    status = 400
    code = "invalid_json"
    title = "The body is not valid JSON."


class BodyTooLarge(ServiceError):
    """Over the call's limit in bytes."""

    status = 413
    code, title = FRAMEWORK[413]


class BodyTooSlow(ServiceError):
    """The body did not begin or did not go on in time; it was not looked at, so the call can be sent again."""

    status = 408
    code, title = FRAMEWORK[408]


class Busy(ServiceError):
    """More at once than the service takes; nothing was done. Send it again after ``Retry-After`` seconds."""

    status = 503
    code, title = FRAMEWORK[503]
    retry_after = 2


class LengthRequired(ServiceError):
    """A body without Content-Length (RFC 9110, 15.5.12)."""

    status = 411
    code = "length_required"
    title = "A body needs a Content-Length."


class InvalidQuery(ServiceError):
    """A query parameter is unknown or not valid."""

    status = 400
    code = "invalid_query"
    title = "A query parameter is not valid."

    @classmethod
    def field(cls, name: str, reason: str):
        """Names the parameter."""
        return cls(invalid_params=[{"name": name, "reason": reason}])


class UnknownPath(ServiceError):
    """The API has no such address; nothing was looked up."""

    status = 404
    code = "unknown_path"
    title = "The API has no such address."


def problem(status: int, code: str, title: str, *, detail: str = "", invalid_params=None, **members) -> dict:
    """The members of one problem; ``detail`` and ``invalidParams`` only where there is something to say."""
    body = {
        "type": f"{settings.PUBLIC_URL}/api/docs/problems#{code}",
        "title": title,
        "status": status,
        "code": code,
        "traceId": tracing.current(),
    }
    if detail:
        body["detail"] = detail
    if invalid_params:
        body["invalidParams"] = invalid_params
    return body | members


def handle(error, context):
    """DRF's exception handler: one shape for all; None (so a 500) for what nobody expected."""
    if isinstance(error, exceptions.ValidationError):
        error = Invalid(invalid_params=flatten(error.detail))
    elif isinstance(error, Http404):
        error = Unknown()
    elif isinstance(error, RequestDataTooBig):
        error = BodyTooLarge()
    if isinstance(error, ServiceError):
        body = problem(
            error.status,
            error.code,
            error.title,
            detail=error.detail,
            invalid_params=error.invalid_params,
            **error.members,
        )
        headers = {"Retry-After": str(error.retry_after)} if hasattr(error, "retry_after") else {}
        if error.code == "insufficient_scope":
            headers["WWW-Authenticate"] = f'Bearer realm="api", error="insufficient_scope", scope="{body["scope"]}"'
        return _response(body, headers)
    if isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    log.error("Unexpected failure of %s.", type(context["view"]).__name__, exc_info=error)
    return _response(problem(500, *FRAMEWORK[500]))


def _of_framework(error):
    code, title = FRAMEWORK.get(error.status_code, FRAMEWORK[400])
    if error.get_codes() == "client_blocked":
        code = "client_blocked"
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    return _response(problem(error.status_code, code, title, detail=str(error.detail)), headers)


def _response(body, headers=None):
    return Response(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)


def flatten(detail, path="") -> list[dict]:
    """A serializer's nested errors as ``[{name, reason}]``; names are dotted paths, list items by number."""
    if isinstance(detail, dict):
        return [
            entry
            for name, inner in detail.items()
            for entry in flatten(inner, path if name == "non_field_errors" else f"{path}.{name}".lstrip("."))
        ]
    if isinstance(detail, list):
        if all(not isinstance(item, (dict, list)) for item in detail):
            return [{"name": path or "body", "reason": str(item)} for item in detail]
        return [
            entry
            for number, item in enumerate(detail)
            if item
            for entry in flatten(item, f"{path}.{number}".lstrip("."))
        ]
    return [{"name": path or "body", "reason": str(detail)}]


def _is_api(request):
    return request.path.startswith(API_PATHS) and not request.path.startswith(PAGES)


def _plain(request, status, body=None):
    if request.method == "HEAD":
        return HttpResponse(status=status, content_type=MEDIA_TYPE)
    return JsonResponse(body or problem(status, *FRAMEWORK[status]), status=status, content_type=MEDIA_TYPE)


def _lacks_only_an_id(path):
    """Whether some call has this address but for one part, which is no UUID."""
    parts = path.split("/")
    return len(parts) <= MOST_PARTS and any(
        part and is_valid_path("/".join([*parts[:place], NO_ID, *parts[place + 1 :]]))
        for place, part in enumerate(parts)
    )


def handler400(request, exception):
    """What Django refuses before a view sees it."""
    return _plain(request, 400) if _is_api(request) else defaults.bad_request(request, exception)


def handler403(request, exception):
    """A refusal outside of DRF."""
    return _plain(request, 403) if _is_api(request) else defaults.permission_denied(request, exception)


def handler404(request, exception):
    """No such address, or nothing behind it: what is no UUID is nobody's id."""
    if not _is_api(request):
        return defaults.page_not_found(request, exception)
    if not isinstance(exception, Resolver404) or _lacks_only_an_id(request.path_info):
        return _plain(request, 404)
    detail = "Paths end without a slash. /api/docs/ lists them all."
    return _plain(request, 404, problem(404, UnknownPath.code, UnknownPath.title, detail=detail))


def handler500(request):
    """A failure outside of DRF's views."""
    return _plain(request, 500) if _is_api(request) else defaults.server_error(request)
