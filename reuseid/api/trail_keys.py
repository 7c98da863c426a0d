"""``/.well-known/trail-keys.json``."""

from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from reuseid.services.audit import seals


@require_safe
@cache_control(public=True, max_age=300)
def trail_keys(request):
    """Public halves of the keys that seal the trail (RFC 7517)."""
    response = JsonResponse({"keys": seals.published_keys()}, content_type="application/jwk-set+json")
    response["Access-Control-Allow-Origin"] = "*"
    return response
