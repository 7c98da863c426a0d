"""Keyset pagination: each page is one walk along an index, and nothing is counted."""

import re
import uuid
from datetime import UTC, datetime, timedelta

from django.db import models
from django.db.models import Q
from rest_framework.pagination import BasePagination
from rest_framework.response import Response

from reuseid.api.errors import InvalidQuery

DEFAULT_LIMIT, MAX_LIMIT = 25, 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class CursorPagination(BasePagination):
    """``limit`` (1 to 100, 25 unless said), ``cursor`` (from ``next``), ``ordering``.

    The view's ``orderings`` maps the words of ``ordering`` to a column; the first, descending, is the default. Ties are
    broken by the primary key, so a page neither repeats nor loses a row that was there before the first page was read.

    A cursor is a place and a way to go on from it: the word as ``ordering`` has it, microseconds since 1970 where the
    column is a time, and the primary key. Each of that form is taken, so the document can say which are valid, and a
    walk keeps the order in which it began.
    """

    def paginate_queryset(self, queryset, request, view=None):
        """One row more than asked for tells whether there is a next page. Raises InvalidQuery (400) for the cursor.

        The others are judged before, by `faults`.
        """
        self.limit = int(request.query_params.get("limit", DEFAULT_LIMIT))
        self.word = request.query_params.get("ordering") or f"-{next(iter(view.orderings))}"
        cursor = request.query_params.get("cursor")
        if cursor is not None and not re.fullmatch(_form(view, queryset.model), cursor):
            raise InvalidQuery.field("cursor", "Not a cursor of this list: send what `next` said.")
        if cursor is not None:
            self.word = cursor.partition(".")[0]
        self.column = view.orderings[self.word.removeprefix("-")]
        descending = self.word.startswith("-")
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
        place = [] if self.column == "pk" else [f"{(getattr(row, self.column) - _EPOCH) // _MICROSECOND:016d}"]
        return ".".join([self.word, *place, row.pk.hex if isinstance(row.pk, uuid.UUID) else str(row.pk)])

    def _after(self, cursor, model, descending):
        _, *place, key = cursor.split(".")
        pk = model._meta.pk.to_python(key)
        way = "lt" if descending else "gt"
        if not place:
            return Q(**{f"pk__{way}": pk})
        time = _EPOCH + int(place[0]) * _MICROSECOND
        # The first condition bounds the index walk, which the OR alone would not.
        return Q(**{f"{self.column}__{way}e": time}) & (
            Q(**{f"{self.column}__{way}": time}) | Q(**{self.column: time, f"pk__{way}": pk})
        )

    def get_schema_operation_parameters(self, view):
        """For the OpenAPI document."""
        words = [sign + word for word in view.orderings for sign in ("-", "")]
        form = f"^{_form(view, view.get_queryset().model)}$"
        return [
            _parameter("limit", "Rows on a page.", type="integer", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT),
            _parameter(
                "cursor",
                "`next` of the page before; it goes on in the order of that page.",
                type="string",
                pattern=form,
            ),
            _parameter("ordering", "Order; `-` is descending.", type="string", enum=words, default=words[0]),
        ]

    def get_paginated_response_schema(self, schema):
        """For the OpenAPI document; drf-spectacular asks with no dict where the rows of an example stand."""
        if not isinstance(schema, dict):
            return {"properties": {"results": schema, "next": {"example": None}}}
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


def _form(view, model):
    """The regular expression that a cursor of this list matches as a whole."""
    key = "[0-9a-f]{32}" if isinstance(model._meta.pk, models.UUIDField) else "[0-9]{1,18}"
    forms = []
    for word, column in view.orderings.items():
        forms.append(rf"-?{word}\.{key}" if column == "pk" else rf"-?{word}\.[0-9]{{16}}\.{key}")
    return f"({'|'.join(forms)})"


def _parameter(name, description, **schema):
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
