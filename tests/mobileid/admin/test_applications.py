"""Applications: their policy is changed by services, in the accounts that one sees."""

import json
import re
from html import unescape

import pytest

from mobileid.admin.branding import contrast
from mobileid.models import Application, ChannelKey, SigningKey, TrustAnchor
from mobileid.sdk.config import ApplicationConfig
from mobileid.services.applications import change_application, configuration
from reuseid.actors import SYSTEM
from reuseid.models import TrailEntry
from tests.staff_factories import page, rows_of, said

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
    (told,) = said(integrator.post(page(application), POLICY))
    assert told.startswith("Application “Bank app” is saved.")
    assert "min_suite: 1 → 2" in told
    application.refresh_from_db()
    assert (application.pin_min_length, application.min_suite) == (6, 2)
    line = TrailEntry.objects.get(action="application.changed")
    assert line.actor_label == "ines"
    assert line.changes["min_suite"] == {"before": 1, "after": 2}


@pytest.mark.parametrize(
    ("sent", "complaint"),
    [
        ({"min_suite": 3}, "3 is not one of the available choices"),
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


BRAND = {
    "brand_name": "Nordbank Key",
    "brand_logo_uri": "https://nordbank.example/logo.svg",
    "brand_colour": "#003366",
    "brand_text_colour": "#ffffff",
    "support_phone": "+358 9 123 4567",
    "support_email": "help@nordbank.example",
    "support_url": "https://nordbank.example/help",
}


def test_looks_are_kept_with_before_and_after_and_previewed(integrator, application):
    assert integrator.post(page(application), {**POLICY, **BRAND}).status_code == 302
    application.refresh_from_db()
    assert {name: getattr(application, name) for name in BRAND} == BRAND
    line = TrailEntry.objects.get(action="application.changed")
    assert line.changes["brand_colour"] == {"before": "", "after": "#003366"}
    shown = integrator.get(page(application)).content.decode()
    assert 'style="background:#003366;color:#ffffff"' in shown
    assert "The contrast of the text is 12.6 : 1." in shown
    assert " → #003366" in shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("brand_colour", "red"),
        ("brand_colour", "#12345g"),
        ("brand_text_colour", "#fff"),
        ("brand_logo_uri", "http://nordbank.example/logo.svg"),
        ("support_url", "javascript:alert(1)"),
        ("support_phone", "call us"),
        ("support_email", "nobody"),
    ],
)
def test_looks_that_are_none_are_refused_beside_their_field(integrator, application, name, value):
    response = integrator.post(page(application), {**POLICY, **BRAND, name: value})
    assert response.status_code == 200
    assert name in response.context["adminform"].form.errors
    application.refresh_from_db()
    assert application.brand_name == ""


def test_colours_that_nobody_can_read_are_warned_of(integrator, application):
    sent = {**POLICY, **BRAND, "brand_colour": "#ffee00"}
    assert "Its text is hard to read in these colours: see the preview." in said(
        integrator.post(page(application), sent)
    )
    assert "many people can&#x27;t read it" in integrator.get(page(application)).content.decode().replace("'", "&#x27;")


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#ff0000", "#ff0000", 1.0)]
)
def test_contrast_is_that_of_wcag(one, other, ratio):
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)


def test_the_configuration_is_a_qr_code_and_a_text_that_the_sdk_takes(integrator, support, application):
    for browser in (integrator, support):
        shown = browser.get(page(application))
        (text,) = re.findall(r'<pre class="bo-pre" tabindex="0">(.*?)</pre>', shown.content.decode(), re.S)
        found = json.loads(unescape(text))
        assert found == configuration(application)
        ApplicationConfig(found["server"], found["applicationId"], found["trustAnchor"])
        assert "data:image/svg+xml" in shown.content.decode()
        assert "script-src 'self' 'unsafe-eval'" in shown["Content-Security-Policy"]


def test_the_configuration_tells_the_authenticator_how_it_looks(application):
    assert "branding" not in configuration(application)
    change_application(application, actor=SYSTEM, brand_colour="#1d4ed8", support_phone="+358 9 123 456")
    assert configuration(application)["branding"] == {"colour": "#1d4ed8", "supportPhone": "+358 9 123 456"}


def test_the_keys_are_named_without_their_private_halves(integrator, application):
    shown = integrator.get(page(application)).content.decode()
    for model in (TrustAnchor, SigningKey, ChannelKey):
        key = model.objects.filter(account=application.account).first()
        assert page(key) in shown
        assert bytes(key.private_key).hex() not in shown
