"""A colleague starts a registration: the code is shown once and works in the real app; nobody sets a PIN."""

import re

import pytest

from mobileid.models import Device, Operation
from reuseid.actors import SYSTEM
from reuseid.models import TrailEntry
from reuseid.services.people import users
from tests import phone_factories as phones
from tests.staff_factories import page, said

pytestmark = pytest.mark.django_db
CODE = re.compile(r"<code>([0-9A-Z-]+)</code>")


@pytest.fixture
def sent(application):
    return {"application": str(application.pk), "expires_in": "900", "_form_submitted": "on"}


def test_the_code_is_shown_once_with_its_picture_and_works_in_the_app(support, ada, application, sent):
    response = support.post(page(ada, "register"), sent)
    shown = response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert 'src="data:image/svg+xml' in shown
    assert "Good until" in shown
    code = CODE.search(shown)[1]
    assert code not in support.get(page(ada, tab="operations")).content.decode()
    found = phones.offer(application, code)
    found.finish(pin=phones.PIN, name="Ada's new phone")
    assert Device.objects.get(user=ada).name == "Ada's new phone"


def test_the_line_names_the_colleague_and_holds_no_code(support, ada, sent):
    code = CODE.search(support.post(page(ada, "register"), sent).content.decode())[1]
    line = TrailEntry.objects.get(action="operation.started")
    assert (line.actor_label, line.actor_type, line.user_id) == ("sam", "STAFF", ada.pk)
    assert code not in str(list(TrailEntry.objects.values()))
    operation = Operation.objects.get()
    assert (operation.type, operation.client_id, operation.user_id) == ("registration", None, ada.pk)


def test_over_htmx_the_dialog_is_replaced(support, ada, sent):
    response = support.post(page(ada, "register"), sent, headers={"HX-Request": "true"})
    assert response.headers["HX-Retarget"] == "#modal-content"
    assert CODE.search(response.content.decode())


def test_a_link_starts_nothing_and_the_dialog_says_what_follows(support, ada, application):
    shown = support.get(page(ada, "register")).content.decode()
    assert "nobody here can set or see one" in shown
    assert "Nobody has verified the caller" in shown
    assert not Operation.objects.exists()


@pytest.mark.parametrize("wrong", [{"application": ""}, {"expires_in": "999999"}, {"application": "nonsense"}])
def test_a_foreign_application_or_time_is_refused(support, ada, sent, wrong):
    assert support.post(page(ada, "register"), {**sent, **wrong}).status_code == 200
    assert not Operation.objects.exists()


def test_an_application_of_another_account_is_no_choice(support, ada, sent, other_account):
    theirs = phones.make_application(other_account, "Their app")
    assert "Their app" not in support.get(page(ada, "register")).content.decode()
    support.post(page(ada, "register"), {**sent, "application": str(theirs.pk)})
    assert not Operation.objects.exists()


def test_who_may_not_starts_none(auditor, integrator, stranger, ada, sent):
    for browser in (auditor, integrator, stranger):
        assert browser.get(page(ada, "register")).status_code == 403
        assert browser.post(page(ada, "register"), sent).status_code == 403
    assert not Operation.objects.exists()


def test_not_for_a_locked_person(support, ada, sent):
    users.lock(ada, actor=SYSTEM, reason="COMPLIANCE")
    (message,) = said(support.post(page(ada, "register"), sent, follow=True))
    assert message.startswith("Nothing was started.")
    assert not Operation.objects.exists()


def test_where_a_verified_caller_is_required_not_without_one(support, ada, sent, settings):
    settings.CALLER_CHECK = "required"
    (message,) = said(support.post(page(ada, "register"), sent, follow=True))
    assert "First verify the caller" in message
    assert not Operation.objects.exists()
