"""The base of every body: unknown members are refused, never ignored."""

from collections.abc import Mapping
from typing import ClassVar

from rest_framework import serializers


class StrictSerializer(serializers.Serializer):
    """Fields are named as on the wire (camelCase) and say their ``source`` where the service's word differs.

    ``rules`` are JSON Schema's keywords about several members together, for the OpenAPI document: the services judge.
    ``may_be_empty`` is False where no member is required and one must be there.
    """

    rules: ClassVar[dict] = {}
    may_be_empty: ClassVar[bool] = True

    def to_internal_value(self, data):
        if isinstance(data, Mapping):
            unknown = {name: ["This field is not known."] for name in data if name not in self.fields}
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


class ProblemParam(serializers.Serializer):
    name = serializers.CharField(help_text="Dotted path of the member, or the query parameter.")
    reason = serializers.CharField(help_text="What is wrong with it; never its value.")


class Problem(serializers.Serializer):
    """Problem details, RFC 9457."""

    type = serializers.URLField(help_text="Address of the description of `code`.")
    title = serializers.CharField(help_text="The same for each problem of this code.")
    status = serializers.IntegerField(help_text="The HTTP status.")
    code = serializers.CharField(help_text="Stable; branch on this. More may come: else on `status`.")
    traceId = serializers.CharField(help_text="As in X-Trace-Id; quote it to support.")
    detail = serializers.CharField(required=False, help_text="About this occurrence.")
    invalidParams = ProblemParam(many=True, required=False, help_text="The members that were refused.")
    state = serializers.CharField(required=False, help_text="With `wrong_state`: the present state.")
