"""``manage.py create_account``: what it prints works."""

import base64
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from reuseid.models import Account

pytestmark = pytest.mark.django_db


def create(*arguments):
    out = StringIO()
    call_command("create_account", *arguments, stdout=out)
    return out.getvalue()


def test_the_printed_credentials_get_a_token_and_the_application_has_its_keys(client):
    made = json.loads(create("Nordbank", "--json", "--scopes", "users:read,users:write"))
    assert set(made) == {"accountId", "clientId", "clientSecret", "application"}
    assert set(made["application"]) == {"applicationId", "server", "trustAnchor"}
    assert made["application"]["trustAnchor"]["kty"] == "EC"
    basic = base64.b64encode(f"{made['clientId']}:{made['clientSecret']}".encode()).decode()
    answer = client.post(
        "/oauth/token", {"grant_type": "client_credentials"}, headers={"authorization": f"Basic {basic}"}
    )
    assert answer.json()["scope"] == "users:read users:write"


def test_without_json_it_prints_one_line_each():
    assert "clientSecret: " in create("Nordbank")


@pytest.mark.parametrize("arguments", [("Nordbank",), ("",), ("New", "--scopes", "everything")])
def test_it_makes_all_or_nothing(arguments):
    create("Nordbank")
    with pytest.raises(CommandError):
        create(*arguments)
    assert Account.objects.count() == 1
