"""References that the database does not check (decision 0038): which they are, and whether each leads somewhere."""

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.db.models import Exists, ForeignKey, Model, OuterRef, QuerySet

STEP = 20_000
"""Rows that one statement looks at."""


def unchecked() -> Iterator[ForeignKey]:
    """The foreign keys without a constraint, of every model."""
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, ForeignKey) and not field.db_constraint:
                yield field


def dangling(field: ForeignKey) -> Iterator[Any]:
    """The keys of rows whose ``field`` names a row that is not there; walks the table by its key, STEP at a time."""
    model: type[Model] = field.model
    there = field.related_model._base_manager.filter(**{field.target_field.name: OuterRef(field.attname)})
    for rows in _steps(model._base_manager.order_by("pk")):
        lost = rows.filter(~Exists(there), **{f"{field.name}__isnull": False})
        yield from lost.values_list("pk", flat=True)


def _steps(rows: QuerySet) -> Iterator[QuerySet]:
    while True:
        last = rows.values_list("pk", flat=True)[STEP - 1 : STEP]
        if not (edge := list(last)):
            yield rows
            return
        yield rows.filter(pk__lte=edge[0])
        rows = rows.filter(pk__gt=edge[0])
