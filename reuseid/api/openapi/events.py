"""What an event's ``data`` is, by the noun of its type, for the OpenAPI document. Each app registers its own."""

from collections.abc import Callable

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from reuseid.api.fields import JSONValue

_known: dict[str, tuple[type, Callable[[str], dict]]] = {}


def register(noun: str, serializer: type, example: Callable[[str], dict]):
    """``data`` of each event ``noun.…`` is as this serializer says; ``example`` gives one by the verb."""
    _known[noun] = serializer, example


def shape_of(event_type: str) -> tuple[type, dict]:
    """The serializer of an event type's ``data``, and an example."""
    noun, _, verb = event_type.partition(".")
    serializer, example = _known[noun]
    return serializer, example(verb)


class EventIds(serializers.Serializer):
    """All that an event shows whose reader has no scope to read the thing itself."""

    userId = serializers.UUIDField(required=False, help_text="In events of users.")
    deviceId = serializers.UUIDField(required=False, help_text="In events of devices.")
    operationId = serializers.UUIDField(required=False, help_text="In events of operations.")
    type = serializers.CharField(required=False, help_text="The operation's type.")


class EventData(JSONValue):
    """`data` of an event of whatever type."""


class EventDataSchema(OpenApiSerializerFieldExtension):
    """`EventData`: one of those that are registered, or ids alone."""

    target_class = EventData

    def map_serializer_field(self, auto_schema, direction):
        """In the order of their names, so that the document does not depend on what was loaded first."""
        shapes = {serializer.__name__: serializer for serializer, _ in _known.values()}
        ordered = [*(shapes[name] for name in sorted(shapes)), EventIds]
        refs = [auto_schema.resolve_serializer(serializer, direction).ref for serializer in ordered]
        return {"anyOf": refs}
