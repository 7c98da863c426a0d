"""UPDATE and INSERT that were compiled once."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import Expression, Field, Model, QuerySet
from django.db.models.expressions import DatabaseDefault
from django.db.models.sql import Query, UpdateQuery

from reuseid.prepared.parameters import Param, Text, Values, execute, finished

_LENGTH = re.compile(r"\(.*\)")
Written = tuple[Any, ...]
"""What came back: True, and the columns that were asked for."""


class _Writing(ABC):
    """A statement that writes at most one row; without that of the part ``after`` of a `Together` it does not run."""

    def __init__(self, returning: Sequence[str], after: str | None) -> None:
        self.returning, self.after = tuple(returning), after
        self._texts: dict[str, Text] = {}

    def text(self) -> Text:
        """Compiled for the database that is used, once."""
        text = self._texts.get(connection.vendor)
        if text is None:
            text = self._texts[connection.vendor] = self._compile()
        return text

    @abstractmethod
    def _compile(self) -> Text:
        """As `text`."""

    @staticmethod
    @abstractmethod
    def values(given: Any) -> Values:
        """Where the values of one run come from."""

    def run(self, given: Any, done: Mapping[str, Any]) -> Written | None:
        """Write; None when no row was written."""
        with execute(self.text(), self.values(given)) as cursor:
            return self.written(given, cursor.fetchone())

    def written(self, given: Any, found: Written | None) -> Written | None:
        """What a run gives, of what came back."""
        return found

    def _ending(self, model: type[Model]) -> str:
        columns = [connection.ops.quote_name(model._meta.get_field(name).column) for name in self.returning]
        return " RETURNING " + ", ".join(["1 AS done", *columns])

    def _condition(self) -> str:
        """A scalar subquery, which PostgreSQL looks at once and before anything waits for a row's lock."""
        name = connection.ops.quote_name(self.after)
        return f"(SELECT COUNT(*) FROM {name}) > 0"  # noqa: S608 - a part's name


class Update(_Writing):
    """``build()`` says which row, ``changes`` what becomes of it: values, expressions and `Param`s."""

    def __init__(
        self,
        build: Callable[[], QuerySet[Any]],
        *,
        returning: Sequence[str] = (),
        after: str | None = None,
        **changes: Any,
    ) -> None:
        super().__init__(returning, after)
        self._build, self._changes = build, changes

    def __call__(self, **values: Any) -> Written | None:
        """Change it; None when no row was as the queryset says."""
        return self.run(values, {})

    @staticmethod
    def values(given: Mapping[str, Any]) -> Values:
        return given.__getitem__

    def _compile(self) -> Text:
        queryset = self._build()
        query = queryset.query.chain(UpdateQuery)
        query.add_update_values({name: self._open(queryset.model, name) for name in self._changes})
        query.annotations = {}
        sql, places = query.get_compiler(connection=connection).as_sql()
        if self.after and connection.vendor == "postgresql":
            sql = f"{sql} AND {self._condition()}"
        return finished(sql + self._ending(queryset.model), places)

    def _open(self, model, name):
        value = self._changes[name]
        return Param(value.name, model._meta.get_field(name)) if isinstance(value, Param) else value


class Insert(_Writing):
    """A row of ``model``, with the values of an instance; a column with a `db_default` has that where it has none.

    ``without`` names columns in which a new row has nothing: NULL, or their default. ``expressions`` stand
    in the place of a column's value; their `Param`s are attributes of the instance.
    ``or_nothing``: a row that a unique constraint refuses is not written, and none comes back.
    """

    def __init__(
        self,
        model: type[Model],
        *,
        without: Sequence[str] = (),
        returning: Sequence[str] = (),
        after: str | None = None,
        or_nothing: bool = False,
        **expressions: Expression,
    ) -> None:
        super().__init__(returning, after)
        self._model, self._or_nothing, self._expressions = model, or_nothing, expressions
        self._without = frozenset(without)

    def __call__(self, row: Model) -> Written | None:
        """Write it, and set on it what comes back."""
        return self.run(row, {})

    def written(self, given: Model, found: Written | None) -> Written | None:
        """It is on the instance, too."""
        if found is not None:
            given._state.adding, given._state.db = False, connection.alias
            for name, value in zip(self.returning, found[1:], strict=True):
                setattr(given, name, _read(given._meta.get_field(name), value))
        return found

    @staticmethod
    def values(given: Model) -> Values:
        return lambda name: getattr(given, name)

    def _compile(self) -> Text:
        compiler = Query(self._model).get_compiler(connection=connection)
        columns, values, places = [], [], []
        for field in self._model._meta.concrete_fields:
            if field.primary_key and field.get_internal_type() == "BigAutoField":
                continue
            sql, found = self._value(field, compiler)
            columns.append(connection.ops.quote_name(field.column))
            values.append(sql)
            places += found
        table = connection.ops.quote_name(self._model._meta.db_table)
        source = f"SELECT {', '.join(values)}"
        if self.after and connection.vendor == "postgresql":
            source += f" WHERE {self._condition()}"
        elif self._or_nothing:
            # SQLite reads ON CONFLICT after a bare SELECT as a join's ON.
            source += " WHERE TRUE"
        ending = " ON CONFLICT DO NOTHING" if self._or_nothing else ""
        sql = f"INSERT INTO {table} ({', '.join(columns)}) {source}{ending}"
        return finished(sql + self._ending(self._model), places)

    def _value(self, field, compiler):
        if field.name in self._expressions:
            expression = self._expressions[field.name].resolve_expression(compiler.query, for_save=True)
            sql, places = compiler.compile(expression)
            return sql, list(places)
        if field.name in self._without:
            return "%s", [field.get_db_prep_save(field.get_default(), connection)]
        place = f"%s::{_LENGTH.sub('', field.db_type(connection))}" if connection.vendor == "postgresql" else "%s"
        if field.has_db_default():
            sql, places = compiler.compile(field.db_default.resolve_expression(compiler.query, for_save=True))
            return f"COALESCE({place}, {sql})", [_Column(field), *places]
        return place, [_Column(field)]


class _Column(Param):
    """The value of an instance's column, as `save` writes it."""

    def __init__(self, field: Field) -> None:
        super().__init__(field.attname, field)

    def bind(self, value: Any, connection: Any) -> Any:
        if isinstance(value, DatabaseDefault):
            return None
        return super().bind(value, connection)


def _read(field, value):
    for convert in connection.ops.get_db_converters(field.cached_col) + field.get_db_converters(connection):
        value = convert(value, field.cached_col, connection)
    return value
