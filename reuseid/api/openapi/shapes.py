"""Serializers of answers and events, for the OpenAPI document alone, made from the types that the services write."""

import re
import uuid
from datetime import datetime
from enum import Enum
from functools import cache, partial
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from django.db.models import Choices
from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from reuseid.api.examples import SUCCEEDED

_FIELDS = {
    str: serializers.CharField,
    int: serializers.IntegerField,
    bool: serializers.BooleanField,
    Any: serializers.JSONField,
    uuid.UUID: serializers.UUIDField,
    datetime: serializers.DateTimeField,
    range: partial(serializers.IntegerField, min_value=0),
}
_taken: dict[type, type] = {}


def take(shape: type, serializer: type):
    """What is shown as it was sent is documented by the body that took it."""
    _taken[shape] = serializer


@cache
def serializer_of(shape: type) -> type[serializers.Serializer]:
    """The serializer of a TypedDict: its component in the document, never used to write an answer."""
    if shape in _taken:
        return _taken[shape]
    hints = get_type_hints(shape, include_extras=True)
    optional = {name: {"required": False} for name in shape.__optional_keys__}
    fields = {name: _field(hint, optional.get(name, {})) for name, hint in hints.items()}
    return type(shape.__name__, (serializers.Serializer,), fields | {"__doc__": shape.__doc__})


def documented(shape: type, value: dict, succeeded=SUCCEEDED) -> type[serializers.Serializer]:
    """The serializer of what is answered as a whole, with an example for these statuses."""
    shown = OpenApiExample("Example", value, status_codes=succeeded)
    return extend_schema_serializer(examples=[shown])(serializer_of(shape))


def _field(hint, said):
    """The field of a member, with what is ``said`` around its bare type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (NotRequired, Required):
        return _field(arguments[0], said)
    if origin is Annotated:
        marks = {"help_text" if isinstance(mark, str) else "form": mark for mark in hint.__metadata__}
        return _field(arguments[0], said | marks)
    if origin in (Union, UnionType):
        (inner,) = set(arguments) - {NoneType}
        return _field(inner, said | {"allow_null": True})
    form = said.pop("form", hint)
    if origin is list and is_typeddict(arguments[0]):
        return serializer_of(arguments[0])(many=True, **said)
    if origin is list:
        return serializers.ListField(child=_field(arguments[0], {}), **said)
    if origin is dict:
        return serializers.DictField(child=_field(arguments[1], {}), **said)
    if is_typeddict(hint):
        return serializer_of(hint)(**said)
    if origin is Literal:
        return serializers.ChoiceField(arguments, **said)
    if isinstance(form, re.Pattern):
        return serializers.RegexField(form.pattern, **said)
    if form in _FIELDS:
        return _FIELDS[form](**said)
    return serializers.ChoiceField(_words(form), **said)


def _words(form):
    """The words of a text: choices of a model, members of an enum, a list, or what gives one."""
    if isinstance(form, type) and issubclass(form, Choices):
        return form.choices
    if isinstance(form, type) and issubclass(form, Enum):
        return [member.value for member in form]
    return list(form() if callable(form) else form)
