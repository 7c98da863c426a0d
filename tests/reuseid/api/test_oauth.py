"""Tokens: who gets one, for what, and when they stop."""

import base64
from datetime import timedelta

import pytest
from django.contrib.auth import authenticate
from django.utils import timezone
from oauth2_provider.models import AccessToken

from reuseid.actors import SYSTEM
from reuseid.api import oauth
from reuseid.models import Staff
from reuseid.services import accounts, clients

pytestmark = pytest.mark.django_db
PATHS = ["/oauth/token", "/oauth/revoke", "/oauth/introspect"]


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


GRANTS = [
    "password",
    "authorization_code",
    "refresh_token",
    "implicit",
    "openid",
    "urn:ietf:params:oauth:grant-type:device_code",
    "urn:ietf:params:oauth:grant-type:jwt-bearer",
    "urn:ietf:params:oauth:grant-type:token-exchange",
    "nonsense",
]


@pytest.mark.parametrize("grant", GRANTS)
def test_every_other_grant_is_unsupported_before_anything_is_looked_up(
    client, credentials, grant, django_assert_num_queries
):
    asked = dict.fromkeys(("username", "password", "code", "refresh_token", "device_code", "assertion"), "x")
    for sent in (asked, {}):
        with django_assert_num_queries(0):
            answer = ask(client, credentials, grant_type=grant, **sent)
        assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})


def test_no_grant_at_all_is_an_invalid_request(client, credentials):
    for sent in ({"grant_type": ""}, {}):
        answer = client.post("/oauth/token", sent, headers=basic(*credentials))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_client_learns_nothing_about_a_colleagues_password(client, credentials):
    Staff.objects.create_user("auditor", password="correct-horse-battery", is_staff=True)
    answers = [
        ask(client, credentials, grant_type="password", username="auditor", password=password)
        for password in ("wrong", "correct-horse-battery")
    ]
    assert answers[0].content == answers[1].content


def test_a_password_is_looked_at_nowhere_but_on_the_sign_in_page(client, rf):
    """What a library's default would ask: Django itself, and the toolkit's validator whatever server calls it."""
    Staff.objects.create_user("auditor", password="correct-horse-battery", is_staff=True)
    password = {"username": "auditor", "password": "correct-horse-battery"}
    assert authenticate(**password) is None
    assert authenticate(rf.post("/oauth/token"), **password) is None
    assert client.login(**password) is False
    assert oauth.ClientCredentialsValidator().validate_user(**password, client=None, request=None) is False
    assert client.post("/admin/login/", password).status_code == 302


def form(http, path, body, **headers):
    """``body`` as it is, so that a parameter may stand twice."""
    return http.post(path, body, content_type="application/x-www-form-urlencoded", headers=headers)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("send", ["basic", "body"])
def test_a_wrong_secret_is_challenged_with_basic(client, credentials, path, send):
    row, _ = credentials
    data = {"grant_type": "client_credentials", "token": "x"}
    if send == "basic":
        answer = client.post(path, data, headers=basic(row, "wrong"))
    else:
        answer = client.post(path, {**data, "client_id": row.client_id, "client_secret": "wrong"})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer["WWW-Authenticate"] == 'Basic realm="oauth", charset="UTF-8"'


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "bAsIc", "Basic "])
@pytest.mark.parametrize("path", PATHS)
def test_the_scheme_is_read_in_any_case(client, credentials, path, scheme):
    value = basic(*credentials)["authorization"].partition(" ")[2]
    answer = form(client, path, "grant_type=client_credentials&token=x", authorization=f"{scheme} {value}")
    assert answer.status_code == 200


TWICE = [
    "grant_type=client_credentials&grant_type=client_credentials",
    "grant_type=client_credentials&scope=users:read&scope=users:write",
    "grant_type=client_credentials&token=a&token=b",
    "grant_type=client_credentials&token=a&x=1&x=1",
    "grant_type=client_credentials&token=a&client_id=a&client_id=a",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("body", TWICE)
def test_a_parameter_that_stands_twice_is_an_invalid_request(client, credentials, path, body):
    answer = form(client, path, body, **basic(*credentials))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", PATHS)
def test_two_credentials_are_an_invalid_request(client, credentials, path):
    row, secret = credentials
    body = {"grant_type": "client_credentials", "token": "x"}
    for more in (
        {"client_id": row.client_id, "client_secret": secret},
        {"client_secret": secret},
        {"client_id": "somebody-else"},
        {"client_assertion": "x.y.z"},
    ):
        answer = client.post(path, body | more, headers=basic(row, secret))
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    bearer = {"authorization": "Bearer x"}
    both = client.post(path, {**body, "client_id": row.client_id, "client_secret": secret}, headers=bearer)
    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("path", PATHS)
def test_a_client_may_name_itself_beside_its_basic_credentials(client, credentials, path):
    body = {"grant_type": "client_credentials", "token": "x", "client_id": credentials[0].client_id}
    assert client.post(path, {**body, "client_secret": ""}, headers=basic(*credentials)).status_code == 200


MALFORMED = [
    ("", b"{}", "application/json"),
    ("", b"x", "multipart/form-data"),
    ("", b"grant_type=client_credentials", "application/x-www-form-urlencoded; charset=utf-16"),
    ("", b"a=1&" * 1500, "application/x-www-form-urlencoded"),
    ("?x=%zz", b"grant_type=client_credentials&token=x", "application/x-www-form-urlencoded"),
    ("?token=x", b"grant_type=client_credentials&token=x", "application/x-www-form-urlencoded"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("query", "body", "media_type"), MALFORMED)
def test_what_is_no_form_is_an_invalid_request_in_json(client, credentials, path, query, body, media_type):
    answer = client.post(path + query, body, content_type=media_type, headers=basic(*credentials))
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/json")
    assert answer.json()["error"] == "invalid_request"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("value", ["Basic", "Basic ", "Basic é", "Basic !!!!", "Basic eA==", "Bearer x", "Digest a=b"])
@pytest.mark.parametrize("path", PATHS)
def test_a_credential_that_is_none_is_refused_and_fails_nothing(client, db, path, value):
    answer = form(client, path, "grant_type=client_credentials&token=x", authorization=value)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer["Content-Type"] == "application/json"


def test_a_token_is_not_narrowed_to_another_resource(client, credentials):
    answer = ask(client, credentials, resource="https://elsewhere.example")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


def test_other_methods_are_refused_in_json(client, db):
    for path in PATHS:
        answer = client.get(path)
        assert (answer.status_code, answer["Allow"], answer["Content-Type"]) == (405, "POST", "application/json")


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


def test_a_wrong_hint_does_not_keep_a_token_alive(client, credentials):
    token = ask(client, credentials).json()["access_token"]
    data = {"token": token, "token_type_hint": "refresh_token"}
    answer = client.post("/oauth/revoke", data, headers=basic(*credentials))
    assert (answer.status_code, answer.content) == (200, b"")
    assert not AccessToken.objects.exists()


def inspect(http, credentials, token):
    return http.post("/oauth/introspect", {"token": token}, headers=basic(*credentials)).json()


def test_a_token_shows_what_it_still_may(client, credentials):
    row, _ = credentials
    token = ask(client, credentials).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    assert inspect(client, credentials, token)["scope"] == "users:read users:write"
    clients.set_scopes(row, ["users:write", "attributes:read"], actor=SYSTEM)
    assert inspect(client, credentials, token)["scope"] == "users:write"
    assert client.get("/reuseid/core/users", headers=headers).status_code == 403
    clients.set_scopes(row, ["attributes:read"], actor=SYSTEM)
    assert inspect(client, credentials, token) == {"active": False}


@pytest.mark.parametrize("what", ["client", "account", "expired"])
def test_a_token_that_is_good_for_nothing_is_inactive(client, account, credentials, what):
    row, _ = credentials
    token = ask(client, credentials).json()["access_token"]
    witness = clients.create(account, name="Witness", actor=SYSTEM)
    assert inspect(client, witness, token)["active"] is True
    if what == "client":
        # Even of a token that outlived the block.
        type(row).objects.update(status="BLOCKED")
        type(row).objects.filter(pk=witness[0].pk).update(status="ACTIVE")
    elif what == "account":
        accounts.block(account, actor=SYSTEM, reason="COMPLIANCE")
        assert client.post("/oauth/revoke", {"token": token}, headers=basic(*credentials)).status_code == 401
        assert inspect(client, witness, token) == {"error": "invalid_client"}
        return
    else:
        AccessToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert inspect(client, witness, token) == {"active": False}


def test_a_token_is_no_credential_at_the_token_endpoints(client, credentials):
    token = ask(client, credentials).json()["access_token"]
    AccessToken.objects.update(scope="introspection users:read")
    for path in PATHS:
        answer = client.post(path, {"token": token}, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code in (400, 401)


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
    assert answer["jwks_uri"] == "http://127.0.0.1:8000/.well-known/jwks.json"
    assert client.get("/.well-known/jwks.json").json().keys() == {"keys"}
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
