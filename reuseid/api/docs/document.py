"""The OpenAPI document as it is served."""

import hashlib
import threading
from functools import cache

from django.http import HttpResponse, JsonResponse
from django.utils import translation
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer

from reuseid.api.errors import MEDIA_TYPE, problem

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
