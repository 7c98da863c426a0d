"""What every operation of the OpenAPI document says: its name, errors, headers, scope."""

import uuid

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance, get_override
from drf_spectacular.utils import OpenApiExample, OpenApiParameter

from reuseid.api import patterns
from reuseid.api.errors import MEDIA_TYPE
from reuseid.api.examples import PATHS, example
from reuseid.api.fields import Text
from reuseid.api.openapi.problems import problem_response
from reuseid.api.serializers import StrictSerializer
from reuseid.services.people.attributes import MAX_PER_USER

BY_METHOD = {
    "GET": (400, 401, 403, 406, 429),
    "POST": (400, 401, 403, 406, 409, 411, 413, 415, 422, 429),
    "PUT": (400, 401, 403, 406, 409, 411, 412, 413, 415, 422, 429),
    "PATCH": (400, 401, 403, 406, 409, 411, 412, 413, 415, 422, 429),
    "DELETE": (400, 401, 403, 406, 409, 411, 412, 429),
}
HEADERS = {
    "X-Trace-Id": "Finds the call in the logs: yours where you sent a plain one, else ours.",
    "RateLimit-Policy": "The quota and its window in seconds (draft-ietf-httpapi-ratelimit-headers).",
    "RateLimit": "What is left of it, and the seconds until it is whole again.",
}
RETRY_AFTER = {"Retry-After": "Seconds."}


class TextSchema(OpenApiSerializerFieldExtension):
    """`Text` with its form: blanks and NUL are refused unless the field says otherwise."""

    target_class = "reuseid.api.fields.Text"
    match_subclasses = True

    def map_serializer_field(self, auto_schema, direction):
        """The lengths come from the field's validators."""
        pattern = self.target.pattern
        blank = {} if self.target.allow_blank else {"minLength": 1}
        return {"type": "string", "pattern": pattern() if callable(pattern) else pattern} | blank


class JSONValueSchema(OpenApiSerializerFieldExtension):
    """Any JSON but null, which each field adds that takes it."""

    target_class = "reuseid.api.fields.JSONValue"

    def map_serializer_field(self, auto_schema, direction):
        """Of nested texts JSON Schema could say no more without naming every level."""
        return {
            "anyOf": [
                {"type": ["string", "number", "boolean"], "pattern": patterns.NO_NUL},
                {"type": "array", "items": {}},
                {"type": "object", "additionalProperties": {}},
            ]
        }


class AttributesSchema(OpenApiSerializerFieldExtension):
    """`AttributesField`: what names there may be, and how many."""

    target_class = "reuseid.api.request_serializers.AttributesField"

    def map_serializer_field(self, auto_schema, direction):
        """A patch may name more than a user can have, since null deletes."""
        schema = auto_schema._map_serializer_field(self.target, direction, bypass_extensions=True)
        bound = {} if self.target.deletes else {"maxProperties": MAX_PER_USER}
        return schema | {"propertyNames": {"pattern": patterns.ATTRIBUTE_NAME}} | bound


class Schema(AutoSchema):
    """Adds what `APIView` does for every operation."""

    def get_operation_id(self):
        """``listDevices``, ``getDevice``, ``lockDevice``, ``listUserDevices``: from the path, unless the view says."""
        if not self.path.startswith(("/reuseid/", "/mobileid/")):
            return super().get_operation_id()
        words = self.path.strip("/").split("/")[2:]
        fixed = [word for word in words if "{" not in word]
        noun, rest = fixed[0], fixed[1:]
        one = noun.removesuffix("s").title()
        if words[-1].startswith("{"):
            return {"GET": "get", "PATCH": "update", "PUT": "put", "DELETE": "delete"}[self.method] + one
        if not rest:
            return ("list" + noun.title()) if self.method == "GET" else f"start{one}"
        if self.method == "POST":
            return rest[-1] + one
        return f"list{one}{rest[-1].title()}" if rest[-1].endswith("s") else f"get{one}{rest[-1].title()}"

    def get_tags(self):
        """The noun of the path."""
        words = [word for word in self.path.strip("/").split("/")[2:] if "{" not in word]
        nested = len(words) > 1 and words[1] in {"attributes", "proofings"}
        return [words[1 if nested else 0].title()] if words else ["Service"]

    def get_override_parameters(self):
        """Idempotency-Key on every POST, another for each use: who tries all in turn must not reuse one."""
        if self.method != "POST":
            return []
        uses = get_override(self.get_request_serializer(), "examples") or example({})
        keys = [OpenApiExample(use.name, self._key(use.name), summary=use.summary) for use in uses]
        return [
            OpenApiParameter(
                "Idempotency-Key",
                {"type": "string", "pattern": "^[!-~]{1,255}$"},
                OpenApiParameter.HEADER,
                description="1 to 255 visible ASCII characters, new for each call. The same key and body give the "
                "first answer again for 24 hours; the same key with another call or body is a 422.",
                examples=keys,
            )
        ]

    def _key(self, use):
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.get_operation_id()} {use}"))

    def _resolve_path_parameters(self, variables):
        parameters = super()._resolve_path_parameters(variables)
        return [parameter | {"example": PATHS[parameter["name"]]} for parameter in parameters]

    def _get_examples(self, serializer, direction, media_type, status_code=None, extras=None):
        own = self.view.answer_examples(self.method) if direction == "response" and status_code < "300" else []
        return super()._get_examples(serializer, direction, media_type, status_code, [*(extras or []), *own])

    def _map_serializer(self, serializer, direction, bypass_extensions=False):
        schema = super()._map_serializer(serializer, direction, bypass_extensions)
        serializer = force_instance(serializer)
        if isinstance(serializer, StrictSerializer):
            schema |= {"additionalProperties": False} | serializer.rules
        return schema

    def _insert_field_validators(self, field, schema):
        super()._insert_field_validators(field, schema)
        if isinstance(field, Text) and "oneOf" in schema:
            # An alternative for the blank, which these patterns take as they are: a blank would match both.
            schema |= schema.pop("oneOf")[0]

    def _get_request_for_media_type(self, serializer, direction="request"):
        schema, required = super()._get_request_for_media_type(serializer, direction)
        return schema, required or not getattr(serializer, "may_be_empty", True)

    def _get_response_bodies(self, direction="response"):
        bodies = super()._get_response_bodies(direction)
        statuses = set(BY_METHOD[self.method]) | ({404} if "{" in self.path else set())
        for status in sorted(statuses):
            if str(status) not in bodies:
                bodies[str(status)] = self._get_response_for_code(problem_response(status), str(status), [MEDIA_TYPE])
        for status, body in bodies.items():
            named = HEADERS | (RETRY_AFTER if status == "429" else {})
            body["headers"] = {name: header_of(text) for name, text in named.items()} | body.get("headers", {})
        return dict(sorted(bodies.items()))


def header_of(text):
    """A header that is a text."""
    return {"description": text, "schema": {"type": "string"}}
