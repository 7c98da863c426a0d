"""What may grow is marked: a client that was generated yesterday must live with tomorrow's words."""

import pytest

from reuseid import event_types
from reuseid.api.openapi.growing import MARK, SENTENCE, SETTLED, mark_growing

pytestmark = pytest.mark.django_db


def test_every_enum_of_an_answer_says_that_it_may_grow(client):
    schemas = client.get("/api/openapi.json").json()["components"]["schemas"]
    marked = {name for name, schema in schemas.items() if MARK in schema}
    assert {"OperationState", "DeviceState", "UserState", "AuthMethod", "DeliveryState"} <= marked
    assert not marked & SETTLED
    for name in marked:
        assert schemas[name][MARK] == schemas[name]["enum"]
        assert SENTENCE in schemas[name]["description"]
    events = [schemas[name][MARK] for name in marked if "user.created" in schemas[name]["enum"]]
    assert [sorted(names) for names in events] == [sorted(event_types.known())]
    assert "More may come" in schemas["Problem"]["properties"]["code"]["description"]


def test_what_is_only_sent_is_left_as_it_is():
    def document():
        sent = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Sent"}}}}
        answer = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Answer"}}}}
        told = {"enum": ["a"], "type": "string"}
        return {
            "paths": {"/x": {"post": {"requestBody": sent, "responses": {"200": answer}}}},
            "webhooks": {"y": {"post": {"requestBody": {"schema": {"$ref": "#/components/schemas/Told"}}}}},
            "components": {
                "schemas": {
                    "Sent": {"enum": ["a"], "type": "string"},
                    "Answer": {"properties": {"x": {"items": {"$ref": "#/components/schemas/Inner"}}}},
                    "Inner": {"enum": ["b"], "description": "Words."},
                    "Told": told,
                }
            },
        }

    schemas = mark_growing(document(), None, None, True)["components"]["schemas"]
    assert [name for name, schema in schemas.items() if MARK in schema] == ["Inner", "Told"]
    assert schemas["Inner"]["description"] == f"Words.\n\n{SENTENCE}"
