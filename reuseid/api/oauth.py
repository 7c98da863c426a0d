"""OAuth 2.0 (RFC 6749, 7009, 7662, 8414) by django-oauth-toolkit: client credentials only."""

import hashlib
import json

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.http import JsonResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from oauth2_provider.models import get_access_token_model
from oauth2_provider.oauth2_backends import OAuthLibCore
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.scopes import SettingsScopes
from oauth2_provider.views import IntrospectTokenView, OAuthServerMetadataView, RevokeTokenView, TokenView
from oauthlib.common import Request as OAuthRequest

from reuseid.callers import client_network
from reuseid.limits import spend
from reuseid.services import clients


class ClientSecretHasher(PBKDF2PasswordHasher):
    """Secrets are 128 random characters, so a short hash is enough and a token costs no 300 ms."""

    algorithm = "pbkdf2_sha256_client"
    iterations = 1000


class ClientScopes(SettingsScopes):
    """A client gets its own scopes and no others; all of them when it names none."""

    def get_available_scopes(self, application=None, request=None, *args, **kwargs):
        """Of the client; of the service where no client is given (metadata)."""
        known = super().get_available_scopes()
        return known if application is None else [scope for scope in known if scope in application.scopes]

    def get_default_scopes(self, application=None, request=None, *args, **kwargs):
        """What a token request without ``scope`` gets."""
        return self.get_available_scopes(application=application)


class ClientCredentialsValidator(OAuth2Validator):
    """Only confidential clients with their secret; `Client.is_usable` refuses blocked ones."""

    def authenticate_client_id(self, client_id, request, *args, **kwargs):
        """No public clients here."""
        return False

    def save_bearer_token(self, token, request, *args, **kwargs):
        """And remember that the client is in use."""
        super().save_bearer_token(token, request, *args, **kwargs)
        clients.note_token(request.client)

    def _load_application(self, client_id, request):
        # PostgreSQL has no NUL in a text, and the toolkit would ask it.
        return None if "\0" in (client_id or "") else super()._load_application(client_id, request)


class Core(OAuthLibCore):
    """Remembers which client authenticated, as ``request.oauth_client``."""

    def authenticate_client(self, request):
        """Whether the credentials are those of a usable client (RFC 6749, 2.3.1)."""
        oauth_request = OAuthRequest(*self._extract_params(request))
        if not self.server.request_validator.authenticate_client(oauth_request):
            return False
        request.oauth_client = oauth_request.client
        return True


class Limited:
    """Counts calls by address before the secret is hashed: guesses are slow and cheap to refuse."""

    http_method_names = ["post"]

    # An overridden dispatch loses the toolkit's exemption; no cookie counts here.
    @method_decorator(csrf_exempt)
    @method_decorator(never_cache)
    def dispatch(self, request, *args, **kwargs):
        """429 with Retry-After over the setting OAUTH_RATE_LIMIT (calls a minute and address)."""
        spent = spend("oauth", client_network(request), quota=settings.OAUTH_RATE_LIMIT, window=60)
        if spent.left < 0:
            headers = {"Retry-After": str(spent.reset)} | spent.headers()
            return JsonResponse({"error": "temporarily_unavailable"}, status=429, headers=headers)
        return super().dispatch(request, *args, **kwargs)

    def http_method_not_allowed(self, request, *args, **kwargs):
        """405 in the shape of RFC 6749, 5.2."""
        return JsonResponse({"error": "invalid_request"}, status=405, headers={"Allow": "POST"})


class Token(Limited, TokenView):
    """``POST /oauth/token``."""


class Revoke(Limited, RevokeTokenView):
    """``POST /oauth/revoke``: only the client's own tokens; 200 for any other."""


class Introspect(Limited, IntrospectTokenView):
    """``POST /oauth/introspect``: tokens of the caller's own account; any other is inactive."""

    def post(self, request, *args, **kwargs):
        """RFC 7662; a token of a blocked client is inactive."""
        value = request.POST.get("token")
        if value is not None and not self._visible(request, value):
            return JsonResponse({"active": False})
        response = self.get_token_response(value)
        told = json.loads(response.content)
        if told.get("scope"):
            # As a call with it is judged: what the client has lost since counts no more.
            told["scope"] = " ".join(self._present_scopes(value, told["scope"].split()))
        return JsonResponse(told, status=response.status_code)

    @staticmethod
    def _present_scopes(value, scopes):
        checksum = hashlib.sha256(value.encode()).hexdigest()
        token = get_access_token_model().objects.select_related("application").get(token_checksum=checksum)
        return [scope for scope in scopes if scope in token.application.scopes]

    def unauthenticated_response(self, request, oauthlib_request=None):
        """401 where the toolkit says 403 (RFC 7662, 2.3)."""
        return JsonResponse({"error": "invalid_client"}, status=401, headers={"WWW-Authenticate": "Basic"})

    @staticmethod
    def _visible(request, value):
        token = (
            get_access_token_model()
            .objects.select_related("application__account")
            .filter(token_checksum=hashlib.sha256(value.encode()).hexdigest())
            .first()
        )
        caller = getattr(request, "oauth_client", None)
        return bool(
            token
            and token.application
            and caller
            and token.application.account_id == caller.account_id
            and token.application.is_usable(None)
        )


class Metadata(OAuthServerMetadataView):
    """``GET /.well-known/oauth-authorization-server`` (RFC 8414)."""


# The toolkit finds its own endpoints by these names; its other views are not mounted.
urlpatterns = [
    path("oauth/token", Token.as_view(), name="token"),
    path("oauth/revoke", Revoke.as_view(), name="revoke-token"),
    path("oauth/introspect", Introspect.as_view(), name="introspect"),
    path(".well-known/oauth-authorization-server", Metadata.as_view(), name="oauth-server-metadata"),
]
