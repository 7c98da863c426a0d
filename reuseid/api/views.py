"""The base of every view of the REST API, of both apps."""

from functools import cache
from typing import ClassVar

from rest_framework.generics import GenericAPIView

from reuseid.api import idempotency
from reuseid.api.authentication import BearerAuthentication
from reuseid.api.filters import FilterBackend, faults, refuse
from reuseid.api.pagination import CursorPagination
from reuseid.api.parsing import StrictJSONParser, require_length
from reuseid.api.permissions import HasScope
from reuseid.api.throttling import ClientThrottle
from reuseid.errors import Unknown
from reuseid.models import Account


@cache
def _reader(serializer_class):
    """One instance reads every body of its kind: it keeps nothing of them, and to make one copies all its fields."""
    return serializer_class()


class APIView(GenericAPIView):
    """A door: parse, authorise, call one service, answer.

    ``request.account`` and ``request.actor`` say for whom and by whom. ``scopes`` maps each method to the scope that it
    needs. ``max_body`` is in bytes. Lists name a ``filterset_class`` and their ``orderings``.
    """

    authentication_classes = [BearerAuthentication]
    permission_classes = [HasScope]
    throttle_classes = [ClientThrottle]
    parser_classes = [StrictJSONParser]
    pagination_class = CursorPagination
    filter_backends = [FilterBackend]
    http_method_names = ["get", "head", "post", "put", "patch", "delete"]
    scopes: ClassVar[dict[str, str]] = {}
    # Query parameters beside those of the filterset and the pages.
    query_names: ClassVar[tuple[str, ...]] = ()
    orderings: ClassVar[dict[str, str]] = {"created": "created_at"}
    max_body = 64 * 1024
    filterset_class = None
    spent = None

    def initial(self, request, *args, **kwargs):
        """Negotiate, authenticate, authorise, count; then wrap a POST that has an Idempotency-Key.

        Only GET takes query parameters: each view or filter says which.
        """
        require_length(request)
        super().initial(request, *args, **kwargs)
        # PostgreSQL has no NUL in a text: nothing is called so, and asking would fail.
        if any("\0" in value for value in kwargs.values() if isinstance(value, str)):
            raise Unknown
        if request.method not in ("GET", "HEAD"):
            self.only_query()
        key = request.headers.get("Idempotency-Key")
        if request.method == "POST" and key is not None:
            handler = self.post

            def once(request, *args, **kwargs):
                return idempotency.run(self, request, key, lambda: handler(request, *args, **kwargs))

            self.post = once

    def finalize_response(self, request, response, *args, **kwargs):
        """Add the rate limit's headers."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if self.spent:
            for name, value in self.spent.headers().items():
                response[name] = value
        response["Cache-Control"] = "no-store"
        return response

    def get_queryset(self):
        """For the OpenAPI document only: the model that a list has rows of."""
        if self.queryset is not None:
            return self.queryset.all()
        return (self.filterset_class._meta.model if self.filterset_class else Account)._base_manager.none()

    def answer_examples(self, method: str) -> list:
        """For the OpenAPI document: of a successful answer whose serializer also serves other kinds of things."""
        return []

    def shown_again(self, answer: dict) -> dict:
        """A kept answer of this view, without what the caller may not read any more."""
        return answer

    def body(self, serializer_class) -> dict:
        """The validated body; raises a 422 that names every wrong member."""
        return _reader(serializer_class).run_validation(self.request.data)

    def only_query(self, *names):
        """Refuse every query parameter but these; all that are wrong at once."""
        refuse(faults(self.request.query_params, names))

    def page(self, queryset, describe):
        """One filtered page of ``queryset``; ``describe`` takes the list of its rows and gives their answers."""
        rows = self.paginate_queryset(self.filter_queryset(queryset))
        return self.paginator.get_paginated_response(describe(rows), rows)

    def find(self, queryset, **lookup):
        """The one row, or Unknown (404): another account's row looks like none."""
        # Without an order, which a query by key would pay for and not need.
        row = next(iter(queryset.filter(**lookup).order_by()[:1]), None)
        if row is None:
            raise Unknown
        return row
