"""The types of answers, as the OpenAPI document has them."""

import re
from enum import StrEnum
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from rest_framework import serializers

from reuseid.api.openapi.shapes import serializer_of, take
from reuseid.shapes import Id, Natural, Time


class Colour(StrEnum):
    RED = "RED"
    BLUE = "BLUE"


class Sent(TypedDict):
    """As it was sent."""


class Leaf(TypedDict):
    size: int


class Tree(TypedDict):
    """A tree."""

    id: Annotated[Id, "Its id."]
    planted: Annotated[Time | None, "When."]
    colour: Annotated[str, Colour]
    age: Annotated[str, ("YOUNG", "OLD")]
    season: Annotated[str, lambda: ["SPRING"]]
    kind: Literal["OAK"]
    mark: Annotated[str, re.compile("^[a-z]$")]
    height: Natural
    names: list[str]
    leaves: Annotated[list[Leaf], "All."]
    first: NotRequired[Leaf | None]
    rings: NotRequired[Annotated[dict[str, Any], "By year."]]
    sent: Sent


class SentBody(serializers.Serializer):
    text = serializers.CharField()


def test_a_member_becomes_the_field_of_its_type_with_what_is_said_of_it():
    take(Sent, SentBody)
    made = serializer_of(Tree)
    fields = made().fields
    assert (made.__name__, made.__doc__) == ("Tree", "A tree.")
    assert list(fields) == list(Tree.__annotations__)
    assert isinstance(fields["id"], serializers.UUIDField)
    assert fields["id"].help_text == "Its id."
    assert isinstance(fields["planted"], serializers.DateTimeField)
    assert (fields["planted"].allow_null, fields["planted"].required) == (True, True)
    assert [list(fields[name].choices) for name in ("colour", "age", "season", "kind")] == [
        *(["RED", "BLUE"], ["YOUNG", "OLD"], ["SPRING"], ["OAK"])
    ]
    assert isinstance(fields["mark"], serializers.RegexField)
    assert fields["height"].min_value == 0
    assert isinstance(fields["names"].child, serializers.CharField)
    assert isinstance(fields["leaves"].child, serializer_of(Leaf))
    assert (fields["first"].allow_null, fields["first"].required) == (True, False)
    assert isinstance(fields["rings"].child, serializers.JSONField)
    assert isinstance(fields["sent"], SentBody)


def test_one_type_has_one_serializer():
    assert serializer_of(Leaf) is serializer_of(Leaf)
