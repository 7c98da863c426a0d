"""SELECT: a queryset that was compiled once."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.models import Model, QuerySet
from django.db.models.query import get_related_populators

from reuseid.prepared.parameters import Text, execute, finished

Row = tuple[Any, ...]
M = TypeVar("M", bound=Model)


class Select(Generic[M]):
    """Reads what ``build()`` says, with all that the queryset reads along (`select_related`, annotations)."""

    after: str | None = None

    def __init__(self, build: Callable[[], QuerySet[M]]) -> None:
        self._build = build
        self._plans: dict[str, _Plan] = {}

    def all(self, **values: Any) -> list[M]:
        """Every row."""
        plan = self.plan()
        with execute(plan.text, values.__getitem__) as cursor:
            return [plan.instance(row) for row in cursor.fetchall()]

    def one(self, **values: Any) -> M | None:
        """The first row, or None."""
        plan = self.plan()
        with execute(plan.text, values.__getitem__) as cursor:
            row = cursor.fetchone()
        return None if row is None else plan.instance(row)

    def plan(self) -> "_Plan":
        """Compiled for the database that is used, once."""
        plan = self._plans.get(connection.vendor)
        if plan is None:
            plan = self._plans[connection.vendor] = _Plan(self._build())
        return plan

    def run(self, values: Any, done: Any) -> M | None:
        """As a part of `Together` where the parts run in turn."""
        return self.one(**values)


class _Plan:
    """A queryset's SQL and how its rows become instances: what Django's ModelIterable finds out in each run."""

    def __init__(self, queryset: QuerySet[Any]) -> None:
        compiler = queryset.query.get_compiler(connection=connection)
        # Each column has a name of its own, so that the whole can stand in a FROM.
        sql, places = compiler.as_sql(with_col_aliases=True)
        self.text: Text = finished(sql, places)
        select, known = compiler.select, compiler.klass_info
        self.names = [alias for _column, _sql, alias in select]
        self._model = known["model"]
        first, last = known["select_fields"][0], known["select_fields"][-1] + 1
        self._own = slice(first, last)
        self._columns = [column.target.attname for column, _sql, _alias in select[self._own]]
        self._pk = first + self._columns.index(self._model._meta.pk.attname)
        self._related = get_related_populators(known, select, connection.alias)
        self._annotations = list((compiler.annotation_col_map or {}).items())
        self._converters = list(compiler.get_converters([column for column, _sql, _alias in select]).items())

    def instance(self, row: Row) -> Any:
        """One row as an instance; None for the empty side of an outer join."""
        if row[self._pk] is None:
            return None
        if self._converters:
            read, database = list(row), connections[DEFAULT_DB_ALIAS]
            for place, (converters, expression) in self._converters:
                for convert in converters:
                    read[place] = convert(read[place], expression, database)
            row = tuple(read)
        found = self._model.from_db(DEFAULT_DB_ALIAS, self._columns, row[self._own])
        for populator in self._related:
            populator.populate(row, found)
        for name, place in self._annotations:
            setattr(found, name, row[place])
        return found
