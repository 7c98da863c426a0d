"""How many SQL statements the two hot messages cost, transaction control included: a budget, raised on purpose only."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobileid.services import factors
from tests import phone_factories as phones

pytestmark = pytest.mark.django_db(transaction=True)
CONTROL = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


def counted(call):
    with CaptureQueriesContext(connection) as captured:
        call()
    sql = [query["sql"] for query in captured.captured_queries if "pg_notify" not in query["sql"]]
    return len(sql), len([text for text in sql if not text.startswith(CONTROL)])


def test_operations_start_and_finish_keep_their_budgets(phone, ada):
    operation, _ = phones.ask(ada)
    phone.device.pending()
    body = {"operationId": str(operation.pk)}
    challenge = phone.device.start_operation(str(operation.pk))
    assert counted(lambda: phone.device.start_body(body)) == (10, 8)
    assert counted(lambda: challenge.approve(pin=phones.PIN)) == (17, 13)


def test_a_wrong_pin_and_a_list_keep_theirs(phone, ada):
    operation, _ = phones.ask(ada)
    challenge = phone.device.start_operation(str(operation.pk))

    def wrong():
        with pytest.raises(phones.AuthenticationFailed):
            challenge.approve(pin="000000")

    assert counted(wrong) == (12, 8)
    assert counted(phone.device.pending) == (3, 3)


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
