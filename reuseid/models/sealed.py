"""Columns that hold ciphertext."""

from django.apps import apps
from django.db import models

from reuseid import crypto


class SealedField(models.BinaryField):
    """A column encrypted at rest; ``seal_field`` and ``unseal_field`` bind it to its row."""

    def __init__(self, *args, **kwargs):
        kwargs["editable"] = False
        super().__init__(*args, **kwargs)


def _place(obj, name):
    # A row whose key the database chooses is sealed to another column of its own: SEALED_TO names it.
    row = getattr(obj, getattr(obj, "SEALED_TO", "pk"))
    return {"account": obj.account_id, "table": obj._meta.db_table, "row": row, "column": name}


def sealed_columns():
    """Every model of the project that has sealed columns, with their names."""
    for model in apps.get_models():
        if names := [field.name for field in model._meta.concrete_fields if isinstance(field, SealedField)]:
            yield model, names


def seal_field(obj, name: str, value: bytes | None):
    """Set the sealed column ``name`` of ``obj`` (which has its primary key and account already)."""
    setattr(obj, name, None if value is None else crypto.seal(value, **_place(obj, name)))


def unseal_field(obj, name: str) -> bytes | None:
    """The plaintext of the sealed column ``name``; raises crypto.Unreadable."""
    sealed = getattr(obj, name)
    return None if sealed is None else crypto.unseal(sealed, **_place(obj, name))
