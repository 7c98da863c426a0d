"""Keyset pagination: each page is one walk along an index, and nothing is counted."""

import base64
import binascii
import json
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db.models import Q
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from reuseid.api.errors import InvalidQuery

DEFAULT_LIMIT, MAX_LIMIT = 25, 100


class CursorPagination(BasePagination):
    """``limit`` (1 to 100, 25 unless said), ``cursor`` (opaque, from ``next``), ``ordering``.

    The view's ``orderings`` maps the words of ``ordering`` to a column; the first, descending, is the default. Ties are
    broken by the primary key, so a page neither repeats nor loses a row that was there before the first page was read.
    """

    def paginate_queryset(self, queryset, request, view=None):
        """One row more than asked for tells whether there is a next page. Raises InvalidQuery (400) for the cursor.

        The others are judged before, by `faults`.
        """
        self.limit = int(request.query_params.get("limit", DEFAULT_LIMIT))
        word = request.query_params.get("ordering") or f"-{next(iter(view.orderings))}"
        self.word, self.column = word, view.orderings[word.removeprefix("-")]
        descending = word.startswith("-")
        cursor = request.query_params.get("cursor")
        if cursor is not None:
            queryset = queryset.filter(self._after(cursor, queryset.model, descending))
        order = [self.column] if self.column == "pk" else [self.column, "pk"]
        rows = list(queryset.order_by(*(f"-{name}" if descending else name for name in order))[: self.limit + 1])
        self.more = len(rows) > self.limit
        return rows[: self.limit]

    def faults(self, query, view):
        """(name, reason) for ``limit`` and ``ordering`` where they are wrong."""
        limit, word = query.get("limit"), query.get("ordering")
        if limit is not None and not _is_limit(limit):
            yield "limit", f"A whole number from 1 to {MAX_LIMIT}."
        if word is not None and word.removeprefix("-") not in view.orderings:
            yield "ordering", f"One of {', '.join(view.orderings)}, with - for descending."

    def get_paginated_response(self, data, rows=()):
        """``{results, next}``; ``next`` is null on the last page."""
        return Response({"results": data, "next": self._cursor(rows[-1]) if self.more else None})

    def _cursor(self, row):
        value = getattr(row, self.column)
        value = value.isoformat() if isinstance(value, datetime) else str(value)
        raw = json.dumps([self.word, value, str(row.pk)], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    def _after(self, cursor, model, descending):
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            word, value, pk = json.loads(raw)
            pk = model._meta.pk.to_python(pk)
            value = model._meta.get_field(self.column).to_python(value) if self.column != "pk" else pk
            if word != self.word or value is None or pk is None:
                raise ValueError
        except (ValueError, TypeError, binascii.Error, RecursionError, ValidationError) as error:
            raise InvalidQuery.field("cursor", "Not a cursor of this list.") from error
        way = "lt" if descending else "gt"
        if self.column == "pk":
            return Q(**{f"pk__{way}": pk})
        # The first condition bounds the index walk, which the OR alone would not.
        return Q(**{f"{self.column}__{way}e": value}) & (
            Q(**{f"{self.column}__{way}": value}) | Q(**{self.column: value, f"pk__{way}": pk})
        )

    def get_schema_operation_parameters(self, view):
        """For the OpenAPI document."""
        words = [sign + word for word in view.orderings for sign in ("-", "")]
        return [
            _parameter("limit", "Rows on a page.", type="integer", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT),
            _parameter("cursor", "`next` of the page before.", type="string", pattern="^[A-Za-z0-9_-]+$"),
            _parameter("ordering", "Order; `-` is descending.", type="string", enum=words, default=words[0]),
        ]

    def get_paginated_response_schema(self, schema):
        """For the OpenAPI document."""
        return {
            "type": "object",
            "required": ["results", "next"],
            "properties": {
                "results": {"type": "array", "items": schema["items"], "maxItems": MAX_LIMIT},
                "next": {"type": ["string", "null"], "description": "Send it as `cursor`; null on the last page."},
            },
        }


def _is_limit(text):
    return text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= MAX_LIMIT


def _parameter(name, description, **schema):
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
