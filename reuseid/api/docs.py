"""The rendered documentation: the OpenAPI document, and every problem code with its meaning."""

import hashlib
import inspect
import threading
from functools import cache

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from reuseid.api.errors import FRAMEWORK, MEDIA_TYPE, problem
from reuseid.errors import BACK_ENDS, PHONES, STAFF, ServiceError

# In the order of the page.
AUDIENCES = {
    BACK_ENDS: ("Back ends", "What the REST API answers, as application/problem+json."),
    PHONES: (
        "Phones",
        "What the device protocol answers: inside the sealed answer, or outside where no envelope was opened.",
    ),
    STAFF: ("Colleagues", "What the back office says to who works in it; no API answers so."),
}

_building = threading.Lock()


@require_safe
def document(request):
    """``/api/openapi.json``: made once a process. It takes no query, so that no caller can have a second one made."""
    if request.META.get("QUERY_STRING"):
        body = problem(400, "invalid_query", "A query parameter is not valid.", detail="This address takes none.")
        return JsonResponse(body, status=400, content_type=MEDIA_TYPE)
    with _building:
        text, etag = _document()
    response = HttpResponse(text, content_type=OpenApiJsonRenderer.media_type)
    response["ETag"], response["Cache-Control"] = etag, "public, max-age=600"
    return get_conditional_response(request, etag=etag, response=response)


@cache
def _document():
    with translation.override("en"):
        text = OpenApiJsonRenderer().render(SchemaGenerator().get_schema(request=None, public=True))
    return text, f'"{hashlib.sha256(text).hexdigest()[:32]}"'


def problem_codes() -> list[dict]:
    """``{code, status, title, meaning, audience}`` of every error that is told, by code."""
    found = {
        code: {"code": code, "status": status, "title": title, "audience": BACK_ENDS}
        for status, (code, title) in [*FRAMEWORK.items(), (401, ("client_blocked", FRAMEWORK[401][1]))]
    }
    todo = [ServiceError]
    while todo:
        error = todo.pop()
        todo += error.__subclasses__()
        meaning = inspect.cleandoc(error.__doc__ or "").splitlines()[0]
        entry = {"code": error.code, "status": error.status, "title": error.title, "audience": error.audience}
        found.setdefault(error.code, entry).setdefault("meaning", meaning)
    return sorted(found.values(), key=lambda entry: entry["code"])


@require_safe
def problems(request):
    """``/api/docs/problems``: where the ``type`` of every problem leads, grouped by whom it is told."""
    problems = problem_codes()
    groups = [
        {
            "id": audience,
            "name": name,
            "about": about,
            "problems": [one for one in problems if one["audience"] == audience],
        }
        for audience, (name, about) in AUDIENCES.items()
    ]
    return render(request, "reuseid/problems.html", {"groups": groups})
