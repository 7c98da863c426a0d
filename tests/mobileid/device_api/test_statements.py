"""How many SQL statements a flow costs: a budget, raised on purpose only."""

import pytest
from django.db import connection
from django.db.models.sql.compiler import SQLCompiler
from django.test.utils import CaptureQueriesContext

from mobileid.services import factors
from reuseid.actors import SYSTEM
from reuseid.services.webhooks import endpoints
from tests import phone_factories as phones

pytestmark = pytest.mark.django_db(transaction=True)
CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def counted(call):
    with CaptureQueriesContext(connection) as captured:
        call()
    sql = [query["sql"] for query in captured.captured_queries if "pg_notify" not in query["sql"]]
    return len(sql), len([text for text in sql if not text.startswith(CONTROL)])


# With transaction control, and without. What PostgreSQL does in one statement SQLite does in several.
BUDGETS = {
    "postgresql": {"REST start": (6, 4), "start": (6, 4), "start again": (8, 6), "finish": (8, 4), "status": (2, 2)},
    "sqlite": {"REST start": (7, 5), "start": (9, 7), "start again": (9, 7), "finish": (17, 13), "status": (2, 2)},
}


def flow(phone, person, bank, by="userId"):
    """The calls of one authentication by name, each to be made once, in order; ``by``: what the bank names."""
    asked, told = {}, {}
    content = {"title": "Sign in", "mimeType": "text/plain", "content": "Sign in?"}
    named = str(person.pk) if by == "userId" else phone.device.device_id
    body = {by: named, "operationProperties": {"preOperationContext": content}}

    def start():
        asked.update(bank.post("/mobileid/core/authentications", body).json())

    def see():
        told["challenge"] = phone.device.start_operation(asked["operationId"])

    def status():
        assert bank.get(f"/mobileid/core/authentications/{asked['operationId']}").json()["state"] == "COMPLETED"

    return {
        "REST start": start,
        "start": see,
        "start again": lambda: phone.device.start_body({"operationId": asked["operationId"]}),
        "finish": lambda: told["challenge"].approve(pin=phones.PIN),
        "status": status,
    }


@pytest.fixture
def endpoint_of_all(account):
    """The account is owed an event of everything."""
    return endpoints.create(account, url="http://127.0.0.1:9/", actor=SYSTEM)


BY = pytest.mark.parametrize("by", ["userId", "deviceId"])


@BY
def test_a_flow_keeps_its_budgets(phone, ada, api, endpoint_of_all, by):
    for call in flow(phone, ada, api, by).values():
        call()
    found = {name: counted(call) for name, call in flow(phone, ada, api, by).items()}
    assert found == BUDGETS[connection.vendor]


@BY
def test_a_flow_turns_no_queryset_into_sql(phone, ada, api, endpoint_of_all, by, monkeypatch):
    """Its statements are prepared; one that is not costs as much as all of them together."""
    for call in flow(phone, ada, api, by).values():
        call()
    compiled, as_sql = [], SQLCompiler.as_sql
    monkeypatch.setattr(SQLCompiler, "as_sql", lambda self, *a, **k: compiled.append(self) or as_sql(self, *a, **k))
    calls = flow(phone, ada, api, by)
    calls.pop("start again")
    for call in calls.values():
        call()
    # On SQLite alone deliveries are owed by querysets.
    assert len(compiled) == (0 if connection.vendor == "postgresql" else 1)


def test_a_wrong_pin_and_a_list_keep_theirs(phone, ada):
    operation, _ = phones.ask(ada)
    challenge = phone.device.start_operation(str(operation.pk))

    def wrong():
        with pytest.raises(phones.AuthenticationFailed):
            challenge.approve(pin="000000")

    assert counted(wrong) == ((9, 5) if connection.vendor == "postgresql" else (11, 7))
    assert counted(phone.device.pending) == (2, 2)


@pytest.mark.parametrize("kind", ["approval", "biometric approval", "pin/change", "biometric/enable"])
def test_an_attempt_is_committed_before_its_factor_is_looked_at(phone, ada, monkeypatch, kind):
    """Else guesses that come at once would all be looked at before one of them is counted."""
    operation, _ = phones.ask(ada)
    challenge = phone.device.start_operation(str(operation.pk))
    verify, seen = factors.verify, []

    def look(*args):
        seen.append((connection.in_atomic_block, phone.row.failed_attempts))
        return verify(*args)

    monkeypatch.setattr(factors, "verify", look)
    calls = {
        "approval": lambda: challenge.approve(pin=phones.PIN),
        "biometric approval": lambda: challenge.approve(method="DEVICE_BIOMETRIC"),
        "pin/change": lambda: phone.device.change_pin(phones.PIN, "827364"),
        "biometric/enable": lambda: phone.device.enable_biometric(phones.PIN),
    }
    calls[kind]()
    assert seen == [(False, 1)]
    assert phone.row.failed_attempts == 0
