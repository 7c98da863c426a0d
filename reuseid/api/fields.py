"""Serializer fields that take exactly their JSON type: no number for a text, no "yes" for a true."""

import re
import uuid

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from reuseid.api import patterns
from reuseid.times import parse_rfc3339, rfc3339

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


class Text(serializers.CharField):
    """A JSON string, kept as it is (no trimming); ``pattern`` is for the OpenAPI document (`patterns`)."""

    def __init__(self, *, pattern=patterns.NO_NUL, **kwargs):
        self.pattern = pattern
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Flag(serializers.BooleanField):
    """``true`` or ``false``."""

    def to_internal_value(self, data):
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Whole(serializers.IntegerField):
    """A JSON number without a fraction: 60 and 60.0 are one (JSON Schema 2020-12 core, 4.2.2)."""

    def to_internal_value(self, data):
        if isinstance(data, bool) or not isinstance(data, (int, float)) or data != int(data):
            self.fail("invalid")
        return super().to_internal_value(int(data))


class Choice(serializers.ChoiceField):
    """One of a few words, which a refusal names."""

    default_error_messages = {"invalid_choice": "One of {choices}."}

    def fail(self, key, **values):
        """Never with what was sent."""
        super().fail(key, choices=", ".join(map(str, self.choices)))

    def to_internal_value(self, data):
        if not isinstance(data, str):
            self.fail("invalid_choice", input=type(data).__name__)
        return super().to_internal_value(data)


@extend_schema_field(OpenApiTypes.UUID)
class Identifier(serializers.Field):
    """A UUID in its usual form, 8-4-4-4-12."""

    default_error_messages = {"invalid": "Must be a UUID."}

    def to_internal_value(self, data):
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid")
        return uuid.UUID(data)

    def to_representation(self, value):
        return str(value)


@extend_schema_field(OpenApiTypes.DATETIME)
class Moment(serializers.Field):
    """An RFC 3339 time with its offset; written in UTC with milliseconds."""

    default_error_messages = {"invalid": "Must be an RFC 3339 time with an offset, as 2026-01-31T12:00:00.000Z."}

    def to_internal_value(self, data):
        try:
            return parse_rfc3339(data)
        except ValueError:
            self.fail("invalid")

    def to_representation(self, value):
        return rfc3339(value)


class JSONValue(serializers.JSONField):
    """Any JSON value; null means null, and is refused unless ``allow_null``."""
