"""Tokens: who gets one, for what, and when they stop."""

import base64

import pytest
from oauth2_provider.models import AccessToken

from reuseid.actors import SYSTEM
from reuseid.services import accounts, clients

pytestmark = pytest.mark.django_db


@pytest.fixture
def credentials(account):
    return clients.create(account, name="Shop", scopes=["users:read", "users:write"], actor=SYSTEM)


def basic(client, secret):
    return {"authorization": "Basic " + base64.b64encode(f"{client.client_id}:{secret}".encode()).decode()}


def ask(http, credentials, **data):
    client, secret = credentials
    return http.post("/oauth/token", {"grant_type": "client_credentials", **data}, headers=basic(client, secret))


def test_a_client_gets_a_token_with_basic_authentication(client, credentials):
    answer = ask(client, credentials, scope="users:read")
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"
    assert answer.json()["scope"] == "users:read"
    assert "no-store" in answer["Cache-Control"]


def test_a_client_gets_a_token_with_its_credentials_in_the_body(client, credentials):
    row, secret = credentials
    data = {"grant_type": "client_credentials", "client_id": row.client_id, "client_secret": secret}
    assert client.post("/oauth/token", data).json()["scope"] == "users:read users:write"


def test_only_the_hash_of_a_token_is_stored(client, credentials):
    token = ask(client, credentials).json()["access_token"]
    assert AccessToken.objects.get().token == ""
    assert token not in str(AccessToken.objects.values_list())


def test_a_scope_that_the_client_lacks_is_refused(client, credentials):
    answer = ask(client, credentials, scope="users:read webhooks:manage")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


@pytest.mark.parametrize("grant", ["password", "authorization_code", "refresh_token", "nonsense", ""])
def test_every_other_grant_is_refused(client, credentials, grant):
    answer = ask(client, credentials, grant_type=grant, username="a", password="b", code="c", refresh_token="d")
    assert answer.status_code in (400, 401)
    assert answer.json()["error"] in {
        "unsupported_grant_type",
        "unauthorized_client",
        "invalid_grant",
        "invalid_request",
        "invalid_client",
    }


def test_a_wrong_secret_is_refused(client, credentials):
    answer = ask(client, (credentials[0], "wrong"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("what", ["client", "account"])
def test_blocking_a_client_or_its_account_stops_it_at_once(client, credentials, what):
    row, _ = credentials
    token = ask(client, credentials).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    assert client.get("/reuseid/core/users", headers=headers).status_code == 200
    if what == "client":
        clients.block(row, actor=SYSTEM, reason="COMPLIANCE")
    else:
        accounts.block(row.account, actor=SYSTEM, reason="COMPLIANCE")
    refused = client.get("/reuseid/core/users", headers=headers)
    assert refused.status_code == 401
    assert refused["Content-Type"] == "application/problem+json"
    assert ask(client, credentials).status_code == 401


def test_a_rotated_secret_ends_the_old_one_and_its_tokens(client, credentials):
    row, _ = credentials
    token = ask(client, credentials).json()["access_token"]
    fresh = clients.rotate_secret(row, actor=SYSTEM)
    assert client.get("/reuseid/core/users", headers={"authorization": f"Bearer {token}"}).status_code == 401
    assert ask(client, credentials).status_code == 401
    assert ask(client, (row, fresh)).status_code == 200


def test_a_token_can_be_revoked(client, credentials):
    token = ask(client, credentials).json()["access_token"]
    assert client.post("/oauth/revoke", {"token": token}, headers=basic(*credentials)).status_code == 200
    assert not AccessToken.objects.exists()


def test_a_token_can_be_inspected_by_its_own_account_only(client, credentials, other_account):
    token = ask(client, credentials).json()["access_token"]
    mine = client.post("/oauth/introspect", {"token": token}, headers=basic(*credentials)).json()
    assert mine["active"] is True
    assert mine["client_id"] == credentials[0].client_id
    stranger = clients.create(other_account, name="Stranger", actor=SYSTEM)
    assert client.post("/oauth/introspect", {"token": token}, headers=basic(*stranger)).json() == {"active": False}
    assert client.post("/oauth/introspect", {"token": token}).status_code == 401


def test_an_inspected_token_has_the_scopes_that_its_client_still_has(client, credentials):
    token = ask(client, credentials).json()["access_token"]
    clients.set_scopes(credentials[0], ["users:read"], actor=SYSTEM)
    told = client.post("/oauth/introspect", {"token": token}, headers=basic(*credentials)).json()
    assert (told["active"], told["scope"]) == (True, "users:read")


def test_the_metadata_names_what_there_is_and_nothing_else(client, settings):
    answer = client.get("/.well-known/oauth-authorization-server").json()
    assert answer["token_endpoint"] == "http://127.0.0.1:8000/oauth/token"
    assert answer["grant_types_supported"] == ["client_credentials"]
    assert "authorization_endpoint" not in answer
    assert sorted(answer["scopes_supported"]) == sorted(settings.SCOPES)


@pytest.mark.parametrize("path", ["/oauth/authorize", "/oauth/applications", "/oauth/authorized_tokens", "/o/token"])
def test_none_of_the_toolkits_other_views_is_there(client, path):
    assert client.get(path).status_code == 404


def test_guesses_at_the_token_endpoint_are_limited(client, credentials, settings):
    settings.OAUTH_RATE_LIMIT = 2
    answers = [ask(client, (credentials[0], "wrong")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert int(answers[-1]["Retry-After"]) <= 60


def test_one_ipv6_network_has_one_limit(client, credentials, settings):
    settings.OAUTH_RATE_LIMIT, settings.TRUSTED_PROXIES = 1, 1

    def status_from(address):
        data = {"grant_type": "client_credentials", "client_id": credentials[0], "client_secret": "wrong"}
        return client.post("/oauth/token", data, headers={"X-Forwarded-For": address}).status_code

    assert status_from("2001:db8:0:1::1") == 401
    assert status_from("2001:db8:0:1:ffff::2") == 429
    assert status_from("2001:db8:0:2::1") == 401
    assert status_from("192.0.2.1") == 401
    assert status_from("::ffff:192.0.2.1") == 429
    assert status_from("192.0.2.2") == 401


@pytest.mark.parametrize("path", ["token", "revoke", "introspect"])
def test_a_client_id_with_nul_is_nobodys(client, db, path):
    data = {"grant_type": "client_credentials", "token": "x"}
    assert client.post(f"/oauth/{path}", {**data, "client_id": "a\0b", "client_secret": "x"}).status_code == 401
    credentials = "Basic " + base64.b64encode(b"a\0b:x").decode()
    assert client.post(f"/oauth/{path}", data, headers={"authorization": credentials}).status_code == 401


def test_an_unknown_address_beside_the_tokens_answers_with_problem_details(client):
    answer = client.get("/oauth/nothing")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["traceId"] == answer["X-Trace-Id"]
