"""The OpenAPI document: complete, true to itself, and current in docs/."""

import json
import re

import jsonschema
import pytest
import yaml
from drf_spectacular.generators import SchemaGenerator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from reuseid import event_types
from tests.config.test_settings import ROOT

pytestmark = pytest.mark.django_db
DOCUMENT = "/api/openapi.json"


@pytest.fixture
def document(client):
    answer = client.get(DOCUMENT)
    assert answer.status_code == 200
    found = answer.json()
    for methods in found["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if "$ref" in response:
                    operation["responses"][status] = found["components"]["responses"][response["$ref"].split("/")[-1]]
    return found


def operations(document):
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_it_is_openapi_3_1_and_every_operation_is_named_told_and_guarded(document):
    assert document["openapi"].startswith("3.1")
    named = [operation["operationId"] for _, operation in operations(document)]
    assert len(named) == len(set(named)) > 50
    for call, operation in operations(document):
        assert operation.get("summary"), call
        assert operation.get("description"), call
        (requirement,) = operation["security"]
        assert requirement["oauth2"], call


def test_every_operation_lists_its_errors_as_problem_details(document):
    for call, operation in operations(document):
        assert {"400", "401", "403", "429"} <= set(operation["responses"]), call
        for status, response in operation["responses"].items():
            if status >= "400":
                assert list(response["content"]) == ["application/problem+json"], (call, status)
            assert "X-Trace-Id" in response["headers"], (call, status)


def test_every_post_takes_an_idempotency_key(document):
    for call, operation in operations(document):
        names = {parameter["name"] for parameter in operation.get("parameters", [])}
        assert ("Idempotency-Key" in names) == call.startswith("POST"), call


def test_every_example_fits_its_schema(document):
    resource = Resource.from_contents(document, default_specification=DRAFT202012)
    registry = Registry().with_resource("urn:document", resource)
    number = 0
    told = ((name, methods["post"]) for name, methods in document["webhooks"].items())
    for call, operation in [*operations(document), *told]:
        for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for media in body.get("content", {}).values():
                validator = jsonschema.Draft202012Validator(qualify(media["schema"]), registry=registry)
                named = media.get("examples") or {"": {"value": media["example"]}}
                for shown in named.values():
                    validator.validate(shown["value"])
                    assert shown["value"] not in (None, ""), call
                    number += 1
    assert number > 350


def test_each_use_of_an_operation_has_its_example(document):
    def of(path, method, part):
        return document["paths"][path][method][part]["content"]["application/json"]["examples"]

    bodies = [shown["value"] for shown in of("/mobileid/core/authentications", "post", "requestBody").values()]
    asked = [body["operationProperties"] for body in bodies]
    assert {"NUMBER", "QR", "SAME_DEVICE"} <= {properties.get("binding") for properties in asked}
    assert any("transaction" in properties for properties in asked)
    for kind in ("registration", "authentication", "signature"):
        answers = document["paths"][f"/mobileid/core/{kind}s/{{operation_id}}"]["get"]["responses"]["200"]
        shown = [shown["value"] for shown in answers["content"]["application/json"]["examples"].values()]
        assert {answer["type"] for answer in shown} == {kind}
        assert len({answer["state"] for answer in shown}) > 1


def test_every_event_is_typed_and_shown_with_the_state_it_tells(document):
    webhooks = document["webhooks"]
    assert list(webhooks) == list(event_types.known())
    for name, methods in webhooks.items():
        media = methods["post"]["requestBody"]["content"]["application/json"]
        assert media["schema"]["properties"]["type"]["const"] == media["example"]["type"] == name
        assert media["schema"]["properties"]["data"]["$ref"].split("/")[-1] in document["components"]["schemas"]
    assert (
        webhooks["signature.expired"]["post"]["requestBody"]["content"]["application/json"]["example"]["data"]["state"]
        == "EXPIRED"
    )


def test_no_two_calls_share_the_example_of_a_key(document):
    keys = [
        shown["value"]
        for _, operation in operations(document)
        for parameter in operation.get("parameters", [])
        if parameter["name"] == "Idempotency-Key"
        for shown in parameter.get("examples", {"": {"value": parameter.get("example")}}).values()
    ]
    assert len(keys) == len(set(keys)) > 30
    assert all(keys)


def test_bodies_are_required_where_an_empty_one_is_refused(document):
    for path, required in (
        ("/mobileid/core/authentications", True),
        ("/mobileid/core/registrations", True),
        ("/reuseid/core/users/{user_id}/lock", True),
        ("/mobileid/core/webhooks/{webhook_id}/pause", False),
    ):
        assert document["paths"][path]["post"]["requestBody"].get("required", False) == required, path
    assert document["paths"]["/mobileid/core/devices/{device_id}"]["patch"]["requestBody"]["required"]


def qualify(schema):
    if isinstance(schema, dict):
        return {
            name: f"urn:document{inner}" if name == "$ref" and isinstance(inner, str) else qualify(inner)
            for name, inner in schema.items()
        }
    return [qualify(inner) for inner in schema] if isinstance(schema, list) else schema


def test_the_document_is_made_once_and_the_same_for_everybody(client, monkeypatch):
    first = client.get(DOCUMENT)
    monkeypatch.setattr(SchemaGenerator, "get_schema", lambda *args, **kwargs: pytest.fail("It is made again."))
    for headers in ({}, {"accept-language": "de"}, {"accept": "application/json"}, {"host": "localhost"}):
        assert client.get(DOCUMENT, headers=headers).content == first.content
    assert client.get(DOCUMENT, headers={"if-none-match": first["ETag"]}).status_code == 304


@pytest.mark.parametrize("query", ["?x=1", "?lang=de", "?version=2", "?format=json", "?%zz", "?=", "?&"])
def test_the_document_takes_no_query(client, query):
    answer = client.get(DOCUMENT + query)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert answer.json()["code"] == "invalid_query"
    assert "max-age" not in answer.get("Cache-Control", "")


def test_the_document_is_what_the_file_holds(client):
    file = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
    assert client.get(DOCUMENT).json() == json.loads(json.dumps(file, default=str))


def test_the_rendered_page_needs_nothing_from_elsewhere(client):
    page = client.get("/api/docs/")
    assert page.status_code == 200
    assert b"https://cdn" not in page.content
    assert b"/static/drf_spectacular_sidecar/" in page.content


def test_problems_are_grouped_by_whom_they_are_told(client):
    page = client.get("/api/docs/problems").content.decode()
    groups = dict(re.findall(r'<h2 id="([\w-]+)">.*?</h2>(.*?)(?=<h2|</body>)', page, re.DOTALL))
    assert list(groups) == ["back-ends", "phones", "staff"]
    for group, codes in {
        "back-ends": ("invalid_query", "unknown_path", "wrong_state", "user_cooldown", "client_blocked"),
        "phones": ("clock-skew", "registration-invalid", "key-unknown", "envelope-invalid", "too-large", "unavailable"),
        "staff": ("own_request", "takes_two", "second_factor_refused", "minute_over", "not_allowed"),
    }.items():
        assert [code for code in codes if f'id="{code}"' not in groups[group]] == []


def test_every_problem_type_leads_to_its_meaning(client, api):
    problem = api.get("/reuseid/core/users", {"cursor": "x"}).json()
    path, _, anchor = problem["type"].removeprefix("http://127.0.0.1:8000").partition("#")
    assert f'id="{anchor}"' in client.get(path).content.decode()
