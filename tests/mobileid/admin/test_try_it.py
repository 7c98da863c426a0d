"""Try it: the page does what the REST call beside it does, for test users alone, and shows it live."""

import ast
import json
import re
import shlex
from html import unescape

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from mobileid.models import Operation
from mobileid.services.descriptions import describe_operation
from reuseid.actors import SYSTEM
from reuseid.models import TrailEntry, User
from reuseid.services.people import users
from reuseid.services.webhooks import endpoints
from tests import device_factories as mobile
from tests import factories, phone_factories
from tests.staff_factories import browser_of, make_colleague, said

pytestmark = pytest.mark.django_db
TRY = "/admin/try/"
START = f"{TRY}start/"


@pytest.fixture
def tess(account, application):
    """A test user with a phone."""
    user = factories.make_user(account, external_ref="tess", segment="test")
    mobile.make_device(user, application)
    return user


@pytest.fixture
def bert(account, application):
    """A customer."""
    user = factories.make_user(account, external_ref="bert", segment="private")
    mobile.make_device(user, application)
    return user


def form(user, operation="authentication", **values):
    """What the browser sends, every field of the form filled in."""
    return {
        "account": user.account_id,
        "operation": operation,
        "user": user.pk,
        "application": "",
        "level": "TWO_FACTOR",
        "binding": "NONE",
        "return_url": "https://example.com/return",
        "title": "It's a test",
        "content": "Sign in to “Nordbank”?",
        "amount": "12.50",
        "currency": "EUR",
        "creditorName": "O'Hara & Söhne",
        "creditorAccount": "DE89370400440532013000",
        "reference": "Order 1",
        **values,
    }


def shown_code(response):
    return [command.code for command in response.context["commands"]]


def body_of_curl(code):
    """The words that a shell makes of it: the address and the body."""
    words = shlex.split(code.replace("\\\n", " "))
    return words[2], words[words.index("-d") + 1]


STARTS = [
    ("authentication", {}),
    ("authentication", {"level": "ONE_FACTOR", "binding": "NUMBER"}),
    ("authentication", {"binding": "QR"}),
    ("authentication", {"binding": "SAME_DEVICE"}),
    ("authorisation", {}),
    ("signature", {"binding": "NUMBER"}),
    ("registration", {}),
]


def comparable(operation):
    described = describe_operation(Operation.objects.as_read().get(pk=operation.pk))
    for name in ("operationId", "created", "expiresAt", "completed", "failureReason", "state"):
        described.pop(name, None)
    return described


@pytest.mark.parametrize(("kind", "values"), STARTS)
def test_the_shown_curl_call_does_what_the_page_did(integrator, api, tess, application, kind, values):
    values = {**values, "application": application.pk} if kind == "registration" else values
    response = integrator.post(START, form(tess, kind, **values))
    assert response.status_code == 200
    by_page = Operation.objects.get()
    address, body = body_of_curl(shown_code(response)[1])
    answer = api.post(address.removeprefix("http://127.0.0.1:8000"), json.loads(body), format="json")
    assert answer.status_code == 201, answer.content
    by_api = Operation.objects.get(pk=answer.data["operationId"])
    assert comparable(by_page) == comparable(by_api)
    assert by_page.type == by_api.type


@pytest.mark.parametrize(("kind", "values"), STARTS)
def test_the_python_snippet_sends_the_same_body(integrator, tess, application, kind, values):
    values = {**values, "application": application.pk} if kind == "registration" else values
    code = shown_code(integrator.post(f"{TRY}commands/", form(tess, kind, **values)))
    tree = ast.parse(code[-1])
    (body,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "body"
    )
    assert body == json.loads(body_of_curl(code[1])[1])
    assert not Operation.objects.exists()


def test_the_other_commands_work_as_shown(integrator, client, account, tess):
    from base64 import b64encode

    from reuseid.services import clients

    row, secret = clients.create(account, name="Core", actor=SYSTEM)
    code = shown_code(integrator.post(START, form(tess)))
    assert '"$CLIENT_ID:$CLIENT_SECRET"' in code[0]
    words = shlex.split(code[0].partition("$(")[2].replace("\\\n", " ").partition(" | ")[0])
    sent = dict(words[at + 1].split("=", 1) for at, word in enumerate(words) if word == "-d")
    basic = b64encode(f"{row.client_id}:{secret}".encode()).decode()
    path = words[4].removeprefix("http://127.0.0.1:8000")
    token = client.post(path, sent, headers={"Authorization": f"Basic {basic}"}).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    operation = Operation.objects.get()
    for line, method in ((code[2], "GET"), (code[3], "POST")):
        (address,) = re.findall(r'"http://127\.0\.0\.1:8000([^"?]+)', line)
        answer = client.generic(method, address.replace("$ID", str(operation.pk)), content_type="", headers=headers)
        assert answer.status_code == 200, answer.content
    operation.refresh_from_db()
    assert operation.status == "CANCELED"


def test_an_operation_is_finished_by_a_phone_and_the_page_shows_it(integrator, account, application, cheap_pins):
    endpoints.create(account, url="https://93.184.216.34/hook", actor=SYSTEM)
    assert said(integrator.post(f"{TRY}user/", {"account": account.pk}))[0].startswith("The test user test-")
    tess = User.objects.get(segment="test")
    response = integrator.post(START, form(tess, "registration", application=application.pk))
    code = response.context["shown"]["activationCode"]
    assert code in response.content.decode()
    assert "no-store" in response["Cache-Control"]
    phone = phone_factories.offer(application, code).finish(pin=phone_factories.PIN, name="Phone").device

    response = integrator.post(START, form(tess, "authorisation", binding="NUMBER"))
    operation = Operation.objects.get(type="authentication")
    live = f"{TRY}{operation.pk}/live/"
    shown = integrator.get(live)
    assert f">{Operation.Status.PENDING.label}<" in shown.content.decode()
    assert "every 1s" in shown.content.decode()
    number = response.context["shown"]["matchingNumber"]
    assert f'<p class="bo-big">{number}</p>' in response.content.decode()
    challenge = phone.start_operation(str(operation.pk))
    assert f">{Operation.Status.IN_PROGRESS.label}<" in integrator.get(live).content.decode()
    challenge.approve(pin=phone_factories.PIN, number=number)
    shown = integrator.get(live).content.decode()
    assert ">Completed<" in shown
    assert "authentication.completed" in shown
    assert "every 1s" not in shown
    assert "Söhne" not in unescape(shown)
    line = TrailEntry.objects.get(action="operation.started", object_id=str(operation.pk))
    assert (line.actor_type, line.actor_label) == ("STAFF", "ines")


def test_what_only_the_start_shows_is_nowhere_later(integrator, tess, application):
    response = integrator.post(START, form(tess, "registration", application=application.pk))
    code = response.context["shown"]["activationCode"]
    operation = Operation.objects.get()
    for address in (f"{TRY}{operation.pk}/", f"{TRY}{operation.pk}/live/"):
        assert code not in integrator.get(address).content.decode()
    assert code not in str(dict(integrator.session))


def test_a_qr_code_is_drawn_anew_each_second(integrator, tess):
    integrator.post(START, form(tess, binding="QR"))
    operation = Operation.objects.get()
    first = integrator.get(f"{TRY}{operation.pk}/live/").context["frame"]
    assert "#operation?claim=" in first
    assert "data:image/svg+xml" in integrator.get(f"{TRY}{operation.pk}/live/").content.decode()


def test_it_is_cancelled_once(integrator, tess):
    integrator.post(START, form(tess))
    operation = Operation.objects.get()
    cancel = f"{TRY}{operation.pk}/cancel/"
    assert integrator.get(cancel).status_code == 405
    assert said(integrator.post(cancel)) == ["The operation is cancelled."]
    operation.refresh_from_db()
    assert operation.status == "CANCELED"
    head = "Nothing was changed: the operation is cancelled already. Last change: operation.canceled by ines, "
    assert said(integrator.post(cancel))[-1].startswith(head)


def test_a_refusal_stands_above_the_form(integrator, account, application):
    user = factories.make_user(account, external_ref="phoneless", segment="test")
    shown = integrator.post(START, form(user)).content.decode()
    assert 'role="alert"' in shown
    shown = integrator.post(START, form(user, "registration"))
    assert "application" in shown.context["form"].errors
    assert not Operation.objects.exists()


# Who and whom


def test_only_test_users_can_be_chosen_or_watched(integrator, tess, bert):
    shown = integrator.get(TRY).content.decode()
    assert "tess" in shown
    assert "bert" not in shown
    assert "user" in integrator.post(START, form(bert)).context["form"].errors
    assert not Operation.objects.exists()
    operation = mobile.make_operation(bert)
    for address in (f"{TRY}{operation.pk}/", f"{TRY}{operation.pk}/live/"):
        assert integrator.get(address).status_code == 404
    assert integrator.post(f"{TRY}{operation.pk}/cancel/").status_code == 404
    operation.refresh_from_db()
    assert operation.status == "PENDING"


def test_a_locked_test_user_is_not_offered(integrator, tess):
    users.lock(tess, actor=SYSTEM, reason="COMPLIANCE")
    assert "user" in integrator.post(START, form(tess)).context["form"].errors


def test_other_accounts_are_out_of_reach(tess, other_account):
    elsewhere = browser_of(make_colleague("ivan", "Integration", other_account))
    assert "tess" not in elsewhere.get(TRY).content.decode()
    assert elsewhere.get(TRY, {"account": tess.account_id}).status_code == 404
    assert elsewhere.post(START, form(tess)).status_code == 404
    assert elsewhere.post(f"{TRY}user/", {"account": tess.account_id}).status_code == 404
    assert "user" in elsewhere.post(START, form(tess, account=other_account.pk)).context["form"].errors
    operation = mobile.make_operation(tess)
    assert elsewhere.get(f"{TRY}{operation.pk}/").status_code == 404
    assert elsewhere.post(f"{TRY}{operation.pk}/cancel/").status_code == 404
    assert Operation.objects.get().status == "PENDING"


def test_an_application_of_another_account_is_refused(integrator, tess, other_account):
    other = mobile.make_application(other_account)
    found = integrator.post(START, form(tess, "registration", application=other.pk))
    assert "application" in found.context["form"].errors


def test_who_may_try(support, senior, auditor, administrator, client, tess):
    for browser in (support, senior, auditor):
        assert browser.get(TRY).status_code == 403
        assert browser.post(START, form(tess)).status_code == 403
    assert administrator.get(TRY).status_code == 200
    assert client.get(TRY).status_code == 302
    assert client.post(START, form(tess)).status_code == 302
    assert not Operation.objects.exists()


def test_forms_need_their_token(account, tess):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(make_colleague("ina", "Integration", account))
    assert browser.post(START, form(tess)).status_code == 403
    assert not Operation.objects.exists()


def test_every_field_has_a_label_and_no_script_stands_in_the_page(integrator, tess):
    shown = integrator.get(TRY).content.decode()
    for name in ("operation", "user", "binding", "amount", "content"):
        assert f'for="bo-try-{name}"' in shown
        assert f'id="bo-try-{name}"' in shown
    assert "<script>" not in shown


def test_watching_costs_the_same_however_many_callbacks(integrator, account, tess):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert integrator.get(live).status_code == 200
        return len(seen)

    endpoints.create(account, url="https://93.184.216.34/hook", actor=SYSTEM)
    integrator.post(START, form(tess))
    operation = Operation.objects.get()
    live = f"{TRY}{operation.pk}/live/"
    integrator.post(f"{TRY}{operation.pk}/cancel/")
    one = queries()
    for number in range(5):
        endpoints.create(account, url=f"https://93.184.216.34/hook{number}", actor=SYSTEM)
    integrator.post(START, form(tess))
    live = f"{TRY}{Operation.objects.latest('created_at').pk}/live/"
    integrator.post(live.replace("live", "cancel"))
    assert queries() == one <= 8
