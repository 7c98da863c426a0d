"""Who tries the examples in turn, going from what was made along the document's links, is answered everywhere."""

import json
import re
from itertools import pairwise

import pytest
from django.db import transaction

from reuseid.models import User

# What the state refuses, whatever is sent: an example can't lock a phone that is not there to be unlocked.
BY_STATE = {
    "unlockUser": "Nobody has locked it.",
    "unlockDevice": "Likewise.",
    "resumeWebhook": "Nobody has paused it.",
    "startAuthentication": "Along the link from a new person, who has no phone.",
    "startSignature": "Likewise.",
    "confirmRegistration": "No phone has come yet.",
    "releaseAuthentication": "No phone has approved yet.",
    "releaseSignature": "Likewise.",
    "getUserEventProof": "The minute is not over in which lines are sealed.",
    "getSignatureQr": "The example is not bound by QR.",
    "getAuthenticationQr": "Likewise.",
}
# Answers that lack, in this scene, what their links name.
WITHOUT_A_ROW = {
    "listUserDevices": "A new person has no phone.",
    "confirmRegistration": "No phone has come.",
}
# Done between two links, that there be a row to go on from.
BEFOREHAND = {"listDeliveries": "testWebhook"}


@pytest.fixture
def calls(client):
    """The document's calls by name, each with its method and path."""
    document = client.get("/api/openapi.json").json()
    return {
        operation["operationId"]: operation | {"path": path, "method": method}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def links_of(call):
    """By target."""
    return {
        name: link
        for status, response in call["responses"].items()
        if status < "300"
        for name, link in response.get("links", {}).items()
    }


def ways(calls):
    """The shortest chain of links from a call without an id to each call that has one, by the call's name."""
    found = {name: [name] for name, call in calls.items() if "{" not in call["path"]}
    todo = list(found)
    while todo:
        name = todo.pop(0)
        for target in links_of(calls[name]):
            if target not in found:
                found[target] = [*found[name], target]
                todo.append(target)
    return found


class Walk:
    """Calls by name, with the examples of the document and what the links say."""

    def __init__(self, api, calls):
        self.api, self.calls = api, calls

    def call(self, name, given=None):
        call = self.calls[name]
        given = given or {}
        headers, path = {}, {}
        for parameter in call.get("parameters", []):
            named = [shown["value"] for shown in parameter.get("examples", {}).values()]
            shown = parameter.get("example", named[0] if named else parameter["schema"].get("example"))
            if parameter["in"] == "path":
                path[parameter["name"]] = given.get(parameter["name"], shown)
            elif parameter["in"] == "header" and (value := given.get(f"header.{parameter['name']}", shown)):
                headers[parameter["name"]] = value
        assert None not in path.values(), (name, path)
        address = "/" + call["path"].format(**path).removeprefix("/")
        media = call.get("requestBody", {}).get("content", {}).get("application/json", {})
        named = list(media.get("examples", {}).values())
        body = (named[0]["value"] if named else media.get("example")) if media else None
        body = {name: value for name, value in (body or {}).items() if name not in {"externalRef"} or not given}
        body |= given.get("body", {})
        sent = {} if call["method"] in ("get", "delete") else {"data": json.dumps(body)}
        answer = self.api.generic(
            call["method"].upper(), address, content_type="application/json", headers=headers, **sent
        )
        answer.path = path
        return answer

    def follow(self, link, answer):
        """The parameters that a link makes of an answer."""
        given = {name: resolve(value, answer) for name, value in link.get("parameters", {}).items()}
        body = {name: resolve(value, answer) for name, value in link.get("requestBody", {}).items()}
        return given | {"body": body}

    def go(self, way):
        """The answer of the last call of a way."""
        answer = self.call(way[0])
        for name, target in pairwise(way):
            given = self.follow(links_of(self.calls[name])[target], answer)
            if target in BEFOREHAND:
                self.call(BEFOREHAND[target], given)
            answer = self.call(target, given)
        return answer


def resolve(expression, answer):
    """A runtime expression (OpenAPI 3.1.0, 4.8.20.4)."""
    if found := re.fullmatch(r"\$request\.path\.(\w+)", expression):
        return answer.path[found[1]]
    if found := re.fullmatch(r"\$response\.header\.(\w+)", expression):
        return answer[found[1]]
    value = answer.json()
    for part in expression.removeprefix("$response.body#/").split("/"):
        value = value[int(part) if part.isdigit() else part]
    return value


def test_every_call_is_reached_from_what_is_made(calls):
    assert set(calls) == set(ways(calls))


def test_every_call_answers_its_example_on_the_way_from_what_is_made(api, ada, phone, calls):
    walk, wrong, refused = Walk(api, calls), {}, set()
    reached = ways(calls)
    along = [[*way, target] for name, way in reached.items() for target in links_of(calls[name])]
    for way in [way for way in [*reached.values(), *along] if not set(way[:-1]) & set(WITHOUT_A_ROW)]:
        with transaction.atomic():
            if way[0] != "createUser":
                User.objects.filter(pk=ada.pk).update(external_ref="customer-4711")
            answer = walk.go(way)
            transaction.set_rollback(True)
        if answer.status_code in (404, 409):
            refused.add(way[-1])
        elif answer.status_code >= 300:
            wrong[way[-1]] = way, answer.status_code, answer.content
    assert wrong == {}
    assert refused == set(BY_STATE)
