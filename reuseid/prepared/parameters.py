"""What a statement leaves open, the SQL with its open places, and how it is run."""

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, Field, JSONField

_PLAIN = {str, int, bool, uuid.UUID, type(None)}
"""Types that psycopg writes as they are, into any column but one of JSON."""
_PLACES = re.compile(r"%%|%s|%b")
Values = Callable[[str], Any]
"""Gives the value of a parameter by its name; KeyError or AttributeError for one that the call left out."""


class Param(Expression):
    """A value that each run binds, by its name. It stands in a queryset where a value would.

    ``output_field`` says how the value is written; without one it goes as its Python type does. None is no value here:
    `= NULL` is never true.
    """

    def __init__(self, name: str, output_field: Field | None = None) -> None:
        super().__init__(output_field=output_field)
        self.name = name
        self._field = output_field
        self._is_plain = output_field is not None and not isinstance(output_field, JSONField)

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple["Param"]]:
        """One open place."""
        return "%s", (self,)

    def bind(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        """The value as the driver takes it."""
        if self._field is not None:
            if type(value) in _PLAIN and connection.vendor == "postgresql" and self._is_plain:
                return value
            return self._field.get_db_prep_save(value, connection)
        if isinstance(value, uuid.UUID):
            return value if connection.features.has_native_uuid_field else value.hex
        if isinstance(value, datetime):
            return connection.ops.adapt_datetimefield_value(value)
        return value


@dataclass(frozen=True, slots=True)
class Text:
    """SQL with ``%s`` for each of the ``places``: a `Param`, or a value that is always the same."""

    sql: str
    places: tuple[Any, ...]

    def bound(self, values: Values) -> list[Any]:
        """What stands in the places in one run."""
        # Asked of the proxy once: it looks its thread's connection up each time.
        database = connections[DEFAULT_DB_ALIAS]
        return [
            place.bind(values(place.name), database) if isinstance(place, Param) else place for place in self.places
        ]


def finished(sql: str, places: Sequence[Any]) -> Text:
    """The text as it is prepared. On PostgreSQL what is always the same is written into it.

    A prepared plan knows only what the text says: a partial index is used for `status = 'PENDING'`, not for `= $1`.
    """
    if connection.vendor != "postgresql":
        return Text(sql, tuple(places))
    left = iter(places)
    kept: list[Param] = []

    def place(match: re.Match[str]) -> str:
        if match[0] == "%%":
            return "%%"
        value = next(left)
        if isinstance(value, Param):
            kept.append(value)
            return match[0]
        return _literal(value)

    return Text(_PLACES.sub(place, sql), tuple(kept))


def _literal(value: Any) -> str:
    from psycopg.sql import Literal

    connection.ensure_connection()
    return Literal(value).as_string(connection.connection).replace("%", "%%")


def execute(text: Text, values: Values) -> Any:
    """Run the statement with these values; a cursor, to be read and closed by the caller."""
    return execute_bound(text.sql, text.bound(values))


def execute_bound(sql: str, bound: list[Any]) -> Any:
    """The same with the values as the driver takes them."""
    cursor = connection.cursor()
    cursor.execute(sql, bound)
    return cursor
