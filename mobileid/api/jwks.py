"""``/.well-known/jwks.json``."""

from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from mobileid.services.keys.signing import published_keys


@require_safe
@cache_control(public=True, max_age=300)
def jwks(request):
    """Public halves of all signing keys, old and announced ones included (RFC 7517)."""
    response = JsonResponse({"keys": published_keys()}, content_type="application/jwk-set+json")
    response["Access-Control-Allow-Origin"] = "*"
    return response
