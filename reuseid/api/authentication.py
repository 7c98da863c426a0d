"""Bearer tokens (RFC 6750) of an account's API clients."""

import hashlib

from django.conf import settings
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from oauth2_provider.models import get_access_token_model
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from reuseid.actors import Actor
from reuseid.models import Account, Client
from reuseid.prepared import Param, Select

# A token is one row at most, so there is nothing to order.
_LIVE = Select(
    lambda: (
        get_access_token_model()
        .objects.select_related("application__account")
        .filter(token_checksum=Param("checksum"), expires__gt=Param("now"))
    )
)


class BearerAuthentication(BaseAuthentication):
    """Sets ``request.user`` (the client), ``request.auth`` (the token), ``request.account`` and ``request.actor``.

    One query reads token, client and account, so blocking either of the two takes effect with the next call.
    """

    def authenticate(self, request):
        """None without an Authorization header; AuthenticationFailed (401) for anything but a live token."""
        scheme, _, value = get_authorization_header(request).partition(b" ")
        if not scheme:
            return None
        if scheme.lower() != b"bearer" or not value.strip():
            raise AuthenticationFailed("Send `Authorization: Bearer <token>`.")
        token = self._live_token(value.strip())
        client = token.application
        if client.status != Client.Status.ACTIVE or client.account.status != Account.Status.ACTIVE:
            raise AuthenticationFailed("The client or its account is blocked.", code="client_blocked")
        request.account = client.account
        request.actor = Actor.client(client)
        return client, token

    def authenticate_header(self, request):
        """The challenge of a 401 (RFC 6750, 3)."""
        return 'Bearer realm="api"'

    @staticmethod
    def _live_token(value):
        token = _LIVE.one(checksum=hashlib.sha256(value).hexdigest(), now=timezone.now())
        if token is None or token.application is None:
            raise AuthenticationFailed("The token is unknown or expired.")
        return token


class BearerScheme(OpenApiAuthenticationExtension):
    """Describes the above in the OpenAPI document."""

    target_class = BearerAuthentication
    name = "oauth2"

    def get_security_definition(self, auto_schema):
        """OAuth 2.0 client credentials with every scope."""
        return {
            "type": "oauth2",
            "description": "RFC 6749 client credentials; a token lives for one hour.",
            "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": settings.SCOPES}},
        }

    def get_security_requirement(self, auto_schema):
        """The scope that this method of the view asks for."""
        scope = auto_schema.view.scopes.get(auto_schema.method)
        return {self.name: [scope] if scope else []}
