"""Applications: their policy is changed by services, in the accounts that one sees."""

import pytest

from mobileid.models import Application, SigningKey, TrustAnchor
from reuseid.models import TrailEntry
from tests.reuseid.admin.cast import page, rows_of

pytestmark = pytest.mark.django_db
POLICY = {
    "name": "Bank app",
    "auth_methods": ["DEVICE", "DEVICE_PIN"],
    "min_suite": 2,
    "min_sdk_version": "1.2",
    "pin_min_length": 6,
    "pin_max_length": 8,
    "pin_type": "numeric",
}
ADD = "/admin/mobileid/application/add/"


def test_a_new_application_brings_its_accounts_keys(integrator, account):
    sent = {**POLICY, "account": account.pk, "server": "https://id.nordbank.example"}
    assert integrator.post(ADD, sent).status_code == 302
    row = Application.objects.get()
    assert (row.account, row.auth_methods, row.min_suite) == (account, ["DEVICE", "DEVICE_PIN"], 2)
    for model in (TrustAnchor, SigningKey):
        key = model.objects.get(account=account)
        shown = integrator.get(page(key)).content.decode()
        assert bytes(key.private_key).hex() not in shown
        assert integrator.get(rows_of(model)).status_code == 200


def test_the_policy_is_changed_with_before_and_after(integrator, application):
    assert integrator.post(page(application), POLICY).status_code == 302
    application.refresh_from_db()
    assert (application.pin_min_length, application.min_suite) == (6, 2)
    line = TrailEntry.objects.get(action="application.changed")
    assert line.actor_label == "ines"
    assert line.changes["min_suite"] == {"before": 1, "after": 2}


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"min_suite": 3}, "1 or 2."),
        ({"min_sdk_version": "one"}, "A version such as"),
        ({"pin_min_length": 3}, "shortest"),
    ],
)
def test_a_refused_policy_stands_beside_its_field(integrator, application, sent, complaint):
    response = integrator.post(page(application), {**POLICY, **sent})
    assert complaint in response.content.decode()
    application.refresh_from_db()
    assert application.min_suite == 1


def test_a_plain_http_server_is_refused(integrator, account):
    response = integrator.post(ADD, {**POLICY, "account": account.pk, "server": "http://id.nordbank.example"})
    assert "It must be an https:// address." in response.content.decode()


def test_others_change_nothing(support, auditor, stranger, application):
    for browser in (support, auditor, stranger):
        browser.post(page(application), POLICY)
        browser.post(ADD, {**POLICY, "account": application.account_id, "server": "https://x.example"})
    application.refresh_from_db()
    assert application.min_suite == 1
    assert Application.objects.count() == 1
