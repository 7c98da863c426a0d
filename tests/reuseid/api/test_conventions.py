"""What holds for every call: problem details, strict JSON, idempotency, limits, traces."""

import json
import uuid

import pytest
from django.test import Client as HTTP

from reuseid.models import IdempotencyKey, User
from reuseid.services.people import users
from tests.redis_trips import sent_to_redis

pytestmark = pytest.mark.django_db
USERS = "/reuseid/core/users"


def raw(api, body, content_type="application/json", **extra):
    return api.generic("POST", USERS, body, content_type=content_type, **extra)


def assert_problem(answer, status, code):
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["type"].endswith(f"#{code}")
    assert body["traceId"] == answer["X-Trace-Id"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"segment": "a", "segment": "b"}',
        b'{"attributes": {"a": NaN}}',
        b'{"attributes": {"a": Infinity}}',
        b'{"attributes": {"a": 1e999}}',
        b'{"segment": "\\ud800"}',
        b'{"segment": "a\\u0000"}',
        b'{"segment": "\xff"}',
        b'{"attributes": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}",
        b"[" * 20_000,
        b'{"attributes": {"a": ' + b"9" * 5000 + b"}}",
    ],
)
def test_a_body_that_is_not_plain_json_is_a_400(api, body):
    assert_problem(raw(api, body), 400, "invalid_json")


def test_a_body_over_the_limit_is_a_413(api):
    assert_problem(raw(api, b'{"segment": "' + b"a" * 300_000 + b'"}'), 413, "body_too_large")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
def test_another_media_type_is_a_415(api, kind):
    assert_problem(raw(api, b"segment=a", content_type=kind), 415, "unsupported_media_type")


def test_a_chunked_body_is_a_411_and_not_an_empty_one(api):
    answer = api.post(USERS, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert_problem(answer, 411, "length_required")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"colour": "red"}, "colour"),
        ({"externalRef": 7}, "externalRef"),
        ({"externalRef": ""}, "externalRef"),
        ({"externalRef": "x" * 129}, "externalRef"),
        ({"externalRef": "a\u202eb"}, "externalRef"),
        ({"attributes": [1]}, "attributes"),
        ({"attributes": {"a": None}}, "attributes.a"),
        ({"attributes": {"a": {"value": 1, "assuranceLevel": "total"}}}, "attributes.a.assuranceLevel"),
        ({"attributes": {"a": {"value": 1, "extra": 1}}}, "attributes.a.extra"),
        ({"attributes": {"a": {"value": 1, "verifiedAt": "2026-01-01T00:00:00"}}}, "attributes.a.verifiedAt"),
        ({"attributes": {"a": {"value": 1, "proofingId": 5}}}, "attributes.a.proofingId"),
        ({"proofing": {"method": "eid"}}, "proofing.provider"),
        ({"attributes": {"a": "x" * 9000}}, "attributes.a"),
        ([], "body"),
        ("text", "body"),
    ],
)
def test_a_wrong_member_is_a_422_that_names_it(api, body, name):
    answer = api.post(USERS, body)
    assert_problem(answer, 422, "invalid_parameter")
    assert name in [param["name"] for param in answer.json()["invalidParams"]]


def test_no_token_a_wrong_one_and_a_lost_scope(api, api_client, api_for):
    http = HTTP()
    assert_problem(http.get(USERS), 401, "unauthorized")
    assert http.get(USERS)["WWW-Authenticate"].startswith("Bearer")
    assert_problem(http.get(USERS, headers={"authorization": "Bearer nonsense"}), 401, "unauthorized")
    assert_problem(http.get(USERS, headers={"authorization": "Basic abc"}), 401, "unauthorized")
    assert_problem(http.get(USERS, {"access_token": "x"}), 401, "unauthorized")
    answer = api_for(api_client, ["users:write"]).get(USERS)
    assert_problem(answer, 403, "insufficient_scope")
    assert 'scope="users:read"' in answer["WWW-Authenticate"]


def test_a_scope_that_the_client_lost_is_lost_for_its_tokens(api, api_client):
    from reuseid.actors import SYSTEM
    from reuseid.services import clients

    clients.set_scopes(api_client, ["users:write"], actor=SYSTEM)
    assert_problem(api.get(USERS), 403, "insufficient_scope")


def test_methods_addresses_and_accept(api):
    assert_problem(api.delete(USERS), 405, "method_not_allowed")
    assert_problem(api.options(USERS), 405, "method_not_allowed")
    assert_problem(api.get(USERS, headers={"Accept": "text/html"}), 406, "not_acceptable")
    assert_problem(api.get(f"{USERS}/not-a-uuid"), 404, "not_found")
    assert_problem(api.post(f"{USERS}/not-a-uuid/lock"), 404, "not_found")
    assert_problem(api.get(f"{USERS}/{uuid.uuid4()}"), 404, "not_found")


@pytest.mark.parametrize(
    "path",
    [
        *("/reuseid/core/nothing", "/mobileid/core/nothing", f"{USERS}/", "/oauth/nothing", "/api/nothing"),
        *(
            "/.well-known/nothing",
            "/mobileid/device/v1/nothing",
            "/mobileid/device/v2/status",
            "/reuseid/core/" + "x/" * 2000,
        ),
    ],
)
def test_an_address_that_the_api_does_not_have_is_said_so(client, path):
    assert_problem(client.post(path, b"{}", content_type="application/json"), 404, "unknown_path")
    assert client.head(path).content == b""


def invalid(answer):
    assert_problem(answer, 400, "invalid_query")
    return {entry["name"]: entry["reason"] for entry in answer.json()["invalidParams"]}


def test_every_wrong_query_parameter_is_named_at_once_with_what_is_allowed(api):
    query = "state=HAPPY&createdAfter=yesterday&limit=0&ordering=name&colour=red&segment=a&segment=b&externalRef="
    found = invalid(api.get(f"{USERS}?{query}"))
    assert found.keys() == {"state", "createdAfter", "limit", "ordering", "colour", "segment", "externalRef"}
    assert found["state"] == "One of ACTIVE, LOCKED, DEACTIVATED."
    assert "RFC 3339" in found["createdAfter"]
    assert found["limit"] == "A whole number from 1 to 100."
    assert "created" in found["ordering"]
    assert {"state", "externalRef", "attributes", "limit"} <= set(
        found["colour"].rstrip(".").split(": one of ")[1].split(", ")
    )
    assert not any(sent in reason for sent in ("HAPPY", "yesterday", "red") for reason in found.values())


def test_a_call_without_query_parameters_names_each_that_it_does_not_take(api):
    assert invalid(api.get("/reuseid/core/reasons?a=1&b=2")).keys() == {"a", "b"}
    assert invalid(api.post(f"{USERS}?dry=1", {"segment": "a"})).keys() == {"dry"}


def test_a_wrong_word_in_a_body_is_answered_with_the_right_ones_and_not_repeated(api):
    proofing = {"method": "guessed", "provider": "x", "assuranceLevel": "high", "performedAt": "2026-01-31T12:00:00Z"}
    answer = api.post(USERS, {"proofing": proofing})
    assert_problem(answer, 422, "invalid_parameter")
    (reason,) = [entry["reason"] for entry in answer.json()["invalidParams"] if entry["name"] == "proofing.method"]
    assert reason == "One of eid, eidv, document, other."


def test_an_unexpected_failure_is_a_500_without_a_word_of_it(api, monkeypatch, caplog):
    def fail(*args, **kwargs):
        raise RuntimeError("secret detail")

    monkeypatch.setattr(users, "create", fail)
    answer = api.post(USERS, {"segment": "a"}, headers={"Idempotency-Key": "k"})
    assert_problem(answer, 500, "internal_error")
    assert b"secret" not in answer.content
    assert "secret detail" in caplog.text
    assert not IdempotencyKey.objects.exists()


def test_the_trace_id_of_the_caller_is_kept_when_plain(api):
    assert api.get(USERS, headers={"X-Trace-Id": "abcDEF-123_4"})["X-Trace-Id"] == "abcDEF-123_4"
    assert api.get(USERS, headers={"X-Trace-Id": "a b\x01"})["X-Trace-Id"] != "a b\x01"


def test_a_key_gives_the_first_answer_again(api):
    first = api.post(USERS, {"externalRef": "a"}, headers={"Idempotency-Key": "k1"})
    second = api.post(USERS, {"externalRef": "a"}, headers={"Idempotency-Key": "k1"})
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert second["ETag"] == first["ETag"]
    assert User.objects.count() == 1
    assert api.post(USERS, {"externalRef": "a"}).status_code == 409


def test_a_refusal_is_given_again_too(api):
    first, second = (api.post(USERS, {"segment": 1}, headers={"Idempotency-Key": "k1"}) for _ in range(2))
    assert_problem(first, 422, "invalid_parameter")
    assert second.json() == first.json()
    assert second["Content-Type"] == "application/problem+json"


def test_the_kept_answer_is_sealed(api):
    api.post(USERS, {"externalRef": "a-readable-name"}, headers={"Idempotency-Key": "k1"})
    assert b"a-readable-name" not in bytes(IdempotencyKey.objects.get().answer)


def test_the_same_key_with_another_body_is_a_422(api):
    api.post(USERS, {"externalRef": "a"}, headers={"Idempotency-Key": "k1"})
    answer = api.post(USERS, {"externalRef": "b"}, headers={"Idempotency-Key": "k1"})
    assert_problem(answer, 422, "idempotency_key_reused")


def test_a_key_is_the_clients_own(api, other_api):
    api.post(USERS, {"externalRef": "a"}, headers={"Idempotency-Key": "k1"})
    assert other_api.post(USERS, {"externalRef": "b"}, headers={"Idempotency-Key": "k1"}).status_code == 201


def test_a_call_that_still_runs_is_a_409(api):
    api.post(USERS, {"segment": "a"}, headers={"Idempotency-Key": "k1"})
    IdempotencyKey.objects.update(answer_status=None, answer=None)
    assert_problem(api.post(USERS, {"segment": "a"}, headers={"Idempotency-Key": "k1"}), 409, "idempotency_key_running")


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
def test_a_malformed_key_is_a_400(api, key):
    assert_problem(api.post(USERS, {"segment": "a"}, headers={"Idempotency-Key": key}), 400, "idempotency_key_invalid")


def test_the_rate_limit_is_told_and_kept(api, settings):
    settings.API_RATE_LIMIT = 2
    first = api.get(USERS)
    assert first["RateLimit-Policy"] == '"client";q=2;w=60'
    assert first["RateLimit"].startswith('"client";r=1;t=')
    api.get(USERS)
    answer = api.get(USERS)
    assert_problem(answer, 429, "rate_limited")
    assert 0 < int(answer["Retry-After"]) <= 60


@pytest.mark.redis
@pytest.mark.parametrize("call", [lambda api: api.get(USERS), lambda api: api.post("/oauth/token")])
def test_a_call_asks_redis_once(api, call):
    call(api)
    with sent_to_redis() as trips:
        call(api)
    assert trips == [1]


def test_a_redis_that_is_down_stops_nobody_and_the_limit_still_holds(api, settings):
    settings.LIMITS_REDIS_URL, settings.API_RATE_LIMIT = "redis://127.0.0.1:1", 2
    assert [api.get(USERS).status_code for _ in range(3)] == [200, 200, 429]


def test_errors_are_json_serialisable_everywhere(api):
    assert json.loads(api.post(USERS, {"attributes": {"é\u2028": 1}}).content)["code"] == "invalid_parameter"
