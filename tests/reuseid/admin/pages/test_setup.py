"""Accounts, API clients and the catalogue: written by services, secrets shown once, refusals beside their field."""

import html
import re

import pytest

from reuseid.actors import SYSTEM
from reuseid.models import Account, AttributeKey, Client, TrailEntry
from reuseid.services.people import attribute_keys
from tests import factories
from tests.staff_factories import REASON, page, rows_of, said

pytestmark = pytest.mark.django_db
NEW_CLIENT = "/admin/reuseid/client/new/"


def secret_in(response):
    return html.unescape(re.search(r'bo-secret-value"><code>([^<]+)<', response.content.decode()).group(1))


def make(browser, account, **values):
    sent = {"account": account.pk, "name": "Core", "scopes": ["users:read"], "_form_submitted": "on", **values}
    return browser.post(NEW_CLIENT, sent, headers={"HX-Request": "true"})


def token_status(client, client_row, secret):
    sent = {"grant_type": "client_credentials", "client_id": client_row.client_id, "client_secret": secret}
    return client.post("/oauth/token", sent).status_code


def test_a_new_clients_secret_works_and_is_shown_this_once(integrator, account, client):
    response = make(integrator, account)
    assert "no-store" in response.headers["Cache-Control"]
    secret = secret_in(response)
    row = Client.objects.get(name="Core")
    assert token_status(client, row, secret) == 200
    for address in (page(row), rows_of(Client), "/admin/"):
        assert secret not in integrator.get(address).content.decode()
    assert secret not in str(TrailEntry.objects.values())
    assert TrailEntry.objects.get(action="client.created").actor_label == "ines"


def test_a_client_of_an_account_that_one_does_not_see_is_refused(integrator, other_account):
    response = make(integrator, other_account)
    assert "Select a valid choice" in response.content.decode()
    assert not Client.objects.exists()


def test_a_new_secret_ends_the_old_one(integrator, account, client):
    old = secret_in(make(integrator, account))
    row = Client.objects.get()
    new = secret_in(integrator.post(page(row, "rotate"), REASON))
    assert (token_status(client, row, old), token_status(client, row, new)) == (401, 200)


def test_blocking_and_scopes(integrator, api_client, api):
    integrator.post(page(api_client, "scopes"), {**REASON, "scopes": ["users:read"]})
    assert Client.objects.get().scopes == ["users:read"]
    assert said(integrator.post(page(api_client, "block"), REASON, follow=True))[-1] == "The client is blocked."
    assert api.get("/reuseid/core/users").status_code == 401
    integrator.post(page(api_client, "unblock"), REASON)
    assert Client.objects.get().status == "ACTIVE"


@pytest.mark.parametrize("act", ["scopes", "rotate", "block", "unblock"])
def test_support_and_auditor_touch_no_client(support, auditor, stranger, api_client, act):
    for browser in (support, auditor, stranger):
        assert browser.post(page(api_client, act), {**REASON, "scopes": ["users:read"]}).status_code == 403
    assert make(auditor, api_client.account).status_code == 403


# The catalogue

KEY = {"name": "phone", "type": "string", "searchable": "on", "max_length": 100, "normalisation": "phone"}


def test_a_name_is_added_and_changed_with_before_and_after(integrator, account):
    response = integrator.post("/admin/reuseid/attributekey/add/", {**KEY, "account": account.pk}, follow=True)
    assert response.status_code == 200
    key = AttributeKey.objects.get()
    assert (key.name, key.normalisation, key.sensitive) == ("phone", "phone", False)
    integrator.post(page(key), {**KEY, "max_length": 50, "sensitive": "on"})
    key.refresh_from_db()
    assert (key.max_length, key.sensitive) == (50, True)
    line = TrailEntry.objects.get(action="attribute_key.changed")
    assert line.changes["max_length"] == {"before": 100, "after": 50}
    assert line.actor_label == "ines"


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"name": "9 lives"}, "begins with a letter"),
        ({"searchable": "", "unique": "on"}, "Only a searchable attribute can be unique."),
        ({"max_length": 9999}, "1 to 8192 bytes."),
    ],
)
def test_a_refusal_stands_beside_its_field_and_nothing_is_kept(integrator, account, sent, complaint):
    sent = {name: value for name, value in {**KEY, "account": account.pk, **sent}.items() if value != ""}
    response = integrator.post("/admin/reuseid/attributekey/add/", sent)
    assert response.status_code == 200
    assert complaint in html.unescape(response.content.decode())
    assert not AttributeKey.objects.exists()
    assert not TrailEntry.objects.filter(action="attribute_key.created").exists()


def test_the_same_name_twice_is_refused(integrator, account):
    attribute_keys.create(account, "phone", actor=SYSTEM)
    response = integrator.post("/admin/reuseid/attributekey/add/", {**KEY, "account": account.pk})
    assert "has this name already" in response.content.decode()


def test_rules_that_kept_values_are_found_by_stay(integrator, account):
    factories.make_user(account, attributes={"phone": "+358401234567"})
    key = attribute_keys.create(account, "phone", actor=SYSTEM, searchable=True, normalisation="phone")
    response = integrator.post(page(key), {**KEY, "normalisation": "text"})
    assert "must stay" in response.content.decode()
    assert AttributeKey.objects.get().normalisation == "phone"


def test_others_read_the_catalogue_and_change_nothing(support, auditor, account, stranger):
    key = attribute_keys.create(account, "phone", actor=SYSTEM)
    for browser in (support, auditor):
        assert browser.get(page(key)).status_code == 200
        assert browser.post(page(key), {**KEY, "max_length": 5}).status_code in {403, 405}
        assert browser.post("/admin/reuseid/attributekey/add/", {**KEY, "account": account.pk}).status_code in {
            403,
            405,
        }
    assert stranger.get(page(key)).status_code == 302
    assert AttributeKey.objects.get().max_length == 1024


# Accounts


def test_an_administrator_changes_and_blocks_an_account(administrator, account, api):
    sent = {"name": "Nordbank plc", "logo_uri": "https://nordbank.example/logo.svg", "open_catalogue": "on"}
    assert administrator.post(page(account), sent).status_code == 302
    account.refresh_from_db()
    assert account.name == "Nordbank plc"
    changed = TrailEntry.objects.get(action="account.changed").changes
    assert changed["name"] == {"before": "Nordbank", "after": "Nordbank plc"}
    administrator.post(page(account, "block"), REASON)
    assert Account.objects.get(pk=account.pk).status == "BLOCKED"
    assert api.get("/reuseid/core/users").status_code == 401


def test_a_taken_name_or_a_plain_logo_is_refused_beside_its_field(administrator, account, other_account):
    response = administrator.post(page(account), {"name": other_account.name, "logo_uri": ""})
    assert "is there already" in response.content.decode()
    response = administrator.post(page(account), {"name": "Nordbank", "logo_uri": "http://x.example/logo.svg"})
    assert "An https:// address." in response.content.decode()
    assert Account.objects.get(pk=account.pk).name == "Nordbank"


def test_an_administrator_does_not_reach_another_account(administrator, other_account):
    assert administrator.get(page(other_account)).status_code == 302
    assert administrator.post(page(other_account), {"name": "Mine", "logo_uri": ""}).status_code == 302
    assert administrator.post(page(other_account, "block"), REASON).status_code == 403
    other_account.refresh_from_db()
    assert (other_account.name, other_account.status) == ("Südversicherung", "ACTIVE")
