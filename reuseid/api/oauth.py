"""OAuth 2.0 (RFC 6749, 7009, 7662, 8414) by django-oauth-toolkit: client credentials only."""

import base64
import hashlib
import json
from urllib.parse import unquote_plus

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
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
from oauthlib.oauth2 import BackendApplicationServer

from reuseid.client_address import client_network
from reuseid.limits import hit
from reuseid.services import clients

# RFC 6749, 5.2, and RFC 7617.
CHALLENGE = 'Basic realm="oauth", charset="UTF-8"'
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Refused(Exception):
    """What RFC 6749, 5.2, calls ``invalid_request``, ``invalid_target`` …, and a sentence for who debugs it."""

    def __init__(self, error, description):
        super().__init__(error)
        self.answer = JsonResponse({"error": error, "error_description": description}, status=400)


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


class Server(BackendApplicationServer):
    """Knows the grant ``client_credentials``; every other is unsupported before anything is looked up.

    The toolkit's own would try the passwords of colleagues for any client.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # A wrong hint is no error (RFC 7009, 2.1).
        self.supported_token_types = self.valid_token_types


class ClientCredentialsValidator(OAuth2Validator):
    """Only confidential clients with their secret; `Client.is_usable` refuses blocked ones."""

    def validate_user(self, username, password, client, request, *args, **kwargs):
        """Nobody's password is looked at here."""
        return False

    def authenticate_client_id(self, client_id, request, *args, **kwargs):
        """No public clients here."""
        return False

    def save_bearer_token(self, token, request, *args, **kwargs):
        """And remember that the client is in use."""
        super().save_bearer_token(token, request, *args, **kwargs)
        clients.note_token(request.client)

    def _extract_basic_auth(self, request):
        # The toolkit wants the scheme's capital, and fails on letters that no base64 has.
        return _basic(request.headers.get("HTTP_AUTHORIZATION"))

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


class Endpoint:
    """What the three endpoints share: limits by address, and one way of asking and refusing."""

    http_method_names = ["post"]

    # An overridden dispatch loses the toolkit's exemption; no cookie counts here.
    @method_decorator(csrf_exempt)
    @method_decorator(never_cache)
    def dispatch(self, request, *args, **kwargs):
        """429 with Retry-After over the setting OAUTH_RATE_LIMIT (calls a minute and address).

        Counted before the secret is hashed: guesses are slow and cheap to refuse.
        """
        spent = hit("oauth", client_network(request), quota=settings.OAUTH_RATE_LIMIT, window=60)
        if spent.left < 0:
            headers = {"Retry-After": str(spent.reset)} | spent.headers()
            return JsonResponse({"error": "temporarily_unavailable"}, status=429, headers=headers)
        if request.method != "POST":
            return self.http_method_not_allowed(request)
        try:
            self.check(request)
            response = super().dispatch(request, *args, **kwargs)
        except Refused as refusal:
            return refusal.answer
        if response.content:
            response["Content-Type"] = "application/json"
        if response.status_code == 401:
            response["WWW-Authenticate"] = CHALLENGE
        return response

    def http_method_not_allowed(self, request, *args, **kwargs):
        """405 in the shape of RFC 6749, 5.2."""
        return JsonResponse({"error": "invalid_request"}, status=405, headers={"Allow": "POST"})

    def check(self, request):
        """Raise Refused unless it is a form with each parameter once (RFC 6749, 3.2) and one credential (2.3)."""
        if request.META.get("QUERY_STRING"):
            raise Refused("invalid_request", "Parameters go into the body, not into the address.")
        if request.content_type not in FORMS and request.META.get("CONTENT_LENGTH") not in (None, "", "0"):
            raise Refused("invalid_request", f"The body must be {FORMS[0]}.")
        try:
            form = request.POST
        except (BadRequest, SuspiciousOperation, MultiPartParserError, UnreadablePostError):
            raise Refused("invalid_request", "The body can't be read.") from None
        if any(len(values) > 1 for _, values in form.lists()):
            raise Refused("invalid_request", "A parameter stands twice.")
        scheme = request.META.get("HTTP_AUTHORIZATION")
        sent = [scheme, form.get("client_secret"), form.get("client_assertion")]
        if sum(map(bool, sent)) > 1:
            raise Refused("invalid_request", "Send one credential: by Basic or in the body.")
        if scheme and form.get("client_id") and form["client_id"] != _basic_id(scheme):
            raise Refused("invalid_request", "client_id is not the one that authenticates.")


class Token(Endpoint, TokenView):
    """``POST /oauth/token``."""

    def check(self, request):
        """A token is for this service alone: none is narrowed to another resource (RFC 8707)."""
        super().check(request)
        if not request.POST.get("grant_type"):
            raise Refused("invalid_request", "grant_type is missing.")
        if request.POST.get("resource"):
            raise Refused("invalid_target", "Tokens are not narrowed to a resource.")

    def post(self, request, *args, **kwargs):
        """Past the toolkit's device flow (RFC 8628), which looks a code up."""
        return self.authorization_flow_token_response(request)


class Revoke(Endpoint, RevokeTokenView):
    """``POST /oauth/revoke``: only the client's own tokens; 200 for any other."""


class Introspect(Endpoint, IntrospectTokenView):
    """``POST /oauth/introspect``: tokens of the caller's own account; any other is inactive."""

    def verify_request(self, request):
        """A token is no credential here: the toolkit would take one."""
        return False, None

    def post(self, request, *args, **kwargs):
        """RFC 7662. A token says what it still may: scopes that its client lost are gone, and with the last of them,
        or when its client or account is blocked, it is inactive.
        """
        if not (value := request.POST.get("token")):
            raise Refused("invalid_request", "token is missing.")
        token = self._live(request.oauth_client, value)
        scopes = [scope for scope in token.scope.split() if scope in token.application.scopes] if token else []
        if not scopes:
            return JsonResponse({"active": False})
        return JsonResponse(
            {
                "active": True,
                "scope": " ".join(scopes),
                "exp": int(token.expires.timestamp()),
                "client_id": token.application.client_id,
            }
        )

    def unauthenticated_response(self, request, oauthlib_request=None):
        """401 where the toolkit says 403 (RFC 7662, 2.3)."""
        return JsonResponse({"error": "invalid_client"}, status=401)

    @staticmethod
    def _live(caller, value):
        token = (
            get_access_token_model()
            .objects.select_related("application__account")
            .filter(token_checksum=hashlib.sha256(value.encode()).hexdigest(), application__account=caller.account_id)
            .first()
        )
        return token if token and token.application.is_usable(None) and not token.is_expired() else None


class Metadata(OAuthServerMetadataView):
    """``GET /.well-known/oauth-authorization-server`` (RFC 8414)."""

    def get(self, request, *args, **kwargs):
        """The toolkit's, and where the keys of consents and receipts are, which it knows of OpenID Connect only."""
        response = super().get(request, *args, **kwargs)
        response.content = json.dumps(json.loads(response.content) | {"jwks_uri": settings.JWKS_URI})
        return response


def _basic(header):
    """What follows ``Basic`` (in any case, RFC 9110, 11.1), or None."""
    scheme, _, value = (header or "").partition(" ")
    value = value.strip()
    return value if scheme.lower() == "basic" and value and value.isascii() else None


def _basic_id(header):
    """The client's id in a Basic header, or None."""
    try:
        text = base64.b64decode(_basic(header) or "").decode()
    except ValueError:
        return None
    return unquote_plus(text.partition(":")[0])


# The toolkit finds its own endpoints by these names; its other views are not mounted.
urlpatterns = [
    path("oauth/token", Token.as_view(), name="token"),
    path("oauth/revoke", Revoke.as_view(), name="revoke-token"),
    path("oauth/introspect", Introspect.as_view(), name="introspect"),
    path(".well-known/oauth-authorization-server", Metadata.as_view(), name="oauth-server-metadata"),
]
