"""A reference without an index of its own is found by another one that begins with it, or nothing searches by it."""

import pytest
from django.apps import apps
from django.db.models import ForeignKey, UniqueConstraint

NOT_SEARCHED = {
    "mobileid.Nonce.device": "`nonce_live` has it behind the operation, by which each search goes too",
    "mobileid.Nonce.operation": "each search wants live ones: `nonce_live`",
    "mobileid.StoredResponse.account": "for the seal; a message is found by its application",
    "reuseid.IdempotencyKey.account": "for the seal; a key is found by its client",
}


def without_index():
    for model in apps.get_models():
        if model.__module__.split(".")[0] in {"reuseid", "mobileid"}:
            for field in model._meta.concrete_fields:
                if isinstance(field, ForeignKey) and not field.db_index and not field.unique:
                    yield field


def first_columns(model):
    """What the indexes of all rows begin with."""
    unique = [one for one in model._meta.constraints if isinstance(one, UniqueConstraint)]
    return {one.fields[0] for one in [*model._meta.indexes, *unique] if one.condition is None and one.fields}


@pytest.mark.parametrize("field", list(without_index()), ids=str)
def test_another_index_begins_with_it(field):
    assert (field.name in first_columns(field.model)) is (str(field) not in NOT_SEARCHED)


def test_what_nothing_searches_by_is_there():
    assert set(NOT_SEARCHED) <= {str(field) for field in without_index()}
