"""Scopes: each method of a view names the one that it needs."""

from rest_framework.exceptions import MethodNotAllowed, NotAuthenticated
from rest_framework.permissions import BasePermission

from reuseid.errors import ServiceError


class InsufficientScope(ServiceError):
    """The token lacks a scope (RFC 6750, 3.1); ``scope`` names it."""

    status = 403
    code = "insufficient_scope"
    title = "The token lacks the scope that this call needs."


class HasScope(BasePermission):
    """``view.scopes`` maps each method to its scope; a method without one does not exist."""

    def has_permission(self, request, view):
        """True, or raises NotAuthenticated, MethodNotAllowed or InsufficientScope."""
        if request.auth is None:
            raise NotAuthenticated("Send `Authorization: Bearer <token>`.")
        method = "GET" if request.method == "HEAD" else request.method
        if method not in view.scopes:
            raise MethodNotAllowed(request.method)
        require_scope(request, view.scopes[method])
        return True


def has_scope(request, scope: str) -> bool:
    """Whether both the token and, still, its client have the scope."""
    return scope in request.auth.scope.split() and scope in request.user.scopes


def require_scope(request, scope: str):
    """Raise InsufficientScope without it."""
    if not has_scope(request, scope):
        raise InsufficientScope(f"The token needs the scope {scope}.", scope=scope)
