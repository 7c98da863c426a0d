"""Each role on every page there is: what it must not read stands nowhere, whichever way the page came to the row."""

import pytest
from django.contrib import admin

from config.roles import ROLES, rights_of
from mobileid.models import Device, Operation
from reuseid.actors import SYSTEM, Actor
from reuseid.admin.kit.pages import PageAdmin
from reuseid.models import Account, ApprovalRequest, Delivery, DeliveryAttempt, Event, Reveal, Staff, TrailEntry, User
from reuseid.services import notices
from reuseid.services.audit import access
from reuseid.services.jobs import bulk, exports
from reuseid.services.people import approvals, attribute_keys, notes, proofings
from reuseid.services.staff import members as staff_service
from reuseid.services.webhooks import endpoints
from tests import factories
from tests.device_factories import make_application, make_device, make_operation
from tests.staff_factories import REASON, browser_of, make_colleague, page, rows_of

pytestmark = pytest.mark.django_db
REFERENCE, THEIR_REFERENCE = "reference-7391-ours", "reference-7391-theirs"
PHONE, VALUE, PROOF = "Phone-of-7391", "+358407391739", "FTN-7391-proof"
ROWS = 8  # of each model, of both accounts
ACCESS = ["Opened the person", "Found the person by a value"]


@pytest.fixture
def scene(account, other_account):
    """A row of nearly everything in both accounts, made as colleagues and clients make it; `bridge` works for both."""
    root = make_colleague("founder", None, is_superuser=True)
    bridge, _password = staff_service.create("bridge", actor=Actor.staff(root), accounts=[account, other_account])
    staff_service.change(bridge, actor=Actor.staff(root), accounts=[other_account, account])
    staff_service.change_own_password(bridge, "a-longer-phrase-than-before")
    bridge.groups.set(make_colleague("model", "Senior support", account).groups.all())
    for one, reference in ((account, REFERENCE), (other_account, THEIR_REFERENCE)):
        _everything(one, reference, bridge)
    browser = browser_of(Staff.objects.get(pk=bridge.pk))
    ours = User.objects.get(external_ref=REFERENCE)
    for address in (page(ours), rows_of(User, q=VALUE), rows_of(User, q=REFERENCE), page(ours, tab="attributes")):
        assert browser.get(address).status_code == 200
    browser.post(page(ours, "lock"), REASON)
    return bridge


def _everything(account, reference, bridge):
    attribute_keys.create(account, "phone", actor=SYSTEM, searchable=True, normalisation="phone")
    endpoint = endpoints.create(account, url=f"https://93.184.216.34/{account.pk}", actor=SYSTEM)
    user = factories.make_user(account, external_ref=reference, attributes={"phone": VALUE})
    proof = {"method": "eid", "provider": "Bank", "reference": PROOF, "assurance_level": "substantial"}
    proofings.record(user, actor=SYSTEM, performed_at=user.created_at, **proof)
    client = factories.make_client(account)
    device = make_device(user, make_application(account), name=PHONE)
    make_operation(user)
    Operation.objects.filter(user=user).update(device=device, client=client)
    from mobileid.services import devices

    devices.lock(device, actor=SYSTEM, reason="DEVICE_LOST")
    access.reveal(user.attributes.get(), actor=Actor.staff(bridge), reason="COMPLIANCE")
    notes.add(user, "Called back.", actor=Actor.staff(bridge))
    approvals.ask(user, action=ApprovalRequest.Action.DEACTIVATE, actor=Actor.staff(bridge), reason="COMPLIANCE")
    exports.ask(account, actor=Actor.staff(bridge), kind="users", reason="COMPLIANCE")
    bulk.draft(account, [reference], actor=Actor.staff(bridge), kind="user", act="lock", reason="COMPLIANCE", note="")
    notices.tell(endpoint, "webhook.disabled", "An endpoint was switched off.")
    for delivery in Delivery.objects.filter(account=account):
        device = PHONE if delivery.event.type.startswith("device.") else ""
        said = f'{{"error": "no customer {reference}", "device": "{device}"}}'
        DeliveryAttempt.objects.create(delivery=delivery, number=1, http_status=400, error="http_400", answer=said)


def every_page(browser):
    """``(address, text)`` of each list, and of each row's page with each of its tabs, that opens."""
    addresses = ["/admin/", "/admin/live/", "/admin/search/?s=reference-7391-ours&extended=1", "/admin/try/"]
    for model, model_admin in admin.site._registry.items():
        # Whose list is closed has closed pages: tests/reuseid/admin/pages/test_roles.py.
        if browser.staff.has_perm(f"{model._meta.app_label}.view_{model._meta.model_name}"):
            addresses.append(rows_of(model))
            slugs = [tab.slug for tab in model_admin.get_tabs()] if isinstance(model_admin, PageAdmin) else []
            for row in model._base_manager.order_by("pk")[:ROWS]:
                addresses += [page(row), *(page(row, tab=slug) for slug in slugs[1:])]
    for address in addresses:
        answer = browser.get(address)
        if answer.status_code == 200:
            yield address, answer.content.decode()


def hidden_from(role, other_account):
    """Texts that the role must read nowhere."""
    rights = rights_of(role)
    found = [VALUE, PROOF, THEIR_REFERENCE, other_account.name]
    found += [] if "reuseid.view_user" in rights else [REFERENCE, PHONE]
    found += [] if "reuseid.view_useraccess" in rights else ACCESS
    return found


@pytest.mark.parametrize("role", ROLES)
def test_no_page_shows_a_role_what_it_must_not_read(role, scene, account, other_account):
    browser = browser_of(make_colleague("reader", role, account))
    pages = dict(every_page(browser))
    assert len(pages) > 30
    leaks = [
        (address, text)
        for address, shown in pages.items()
        for text in hidden_from(role, other_account)
        if text in shown and text not in address
    ]
    assert leaks == []


def test_the_walk_would_find_what_is_there(scene, account, other_account):
    """The same walk by one who may read most of it."""
    root = browser_of(make_colleague("boss", None, is_superuser=True))
    shown = "\n".join(text for _address, text in every_page(root))
    for text in (REFERENCE, THEIR_REFERENCE, PHONE, other_account.name, *ACCESS):
        assert text in shown
    assert VALUE not in shown.replace("bo-revealed", "")
    assert PROOF not in shown


def test_a_colleagues_page_counts_the_accounts_that_the_reader_does_not_see(scene, administrator, other_account, root):
    for tab in ("overview", "sign-ins", "activity"):
        shown = administrator.get(page(scene, tab=tab)).content.decode()
        assert other_account.name not in shown
        assert str(other_account.pk) not in shown
    shown = administrator.get(page(scene)).content.decode()
    assert "1 that you don&#x27;t see" in shown
    assert "Nordbank" in shown
    assert other_account.name in root.get(page(scene)).content.decode()
    for line in TrailEntry.objects.filter(object_type="staff", object_id=str(scene.pk)):
        assert other_account.name not in administrator.get(page(line)).content.decode()


def test_what_a_colleague_did_shows_looks_to_those_alone_who_may_ask(scene, administrator, auditor):
    for look in ACCESS:
        assert look in auditor.get(page(scene, tab="activity")).content.decode()
        assert look not in administrator.get(page(scene, tab="activity")).content.decode()
    assert "Locked the person" in administrator.get(page(scene, tab="activity")).content.decode()


def test_bodies_and_answers_name_no_person_to_those_who_see_no_people(scene, integrator, support, account):
    event = Event.objects.filter(account=account, type="user.created").get()
    told = Event.objects.filter(account=account, type="device.locked").get()
    for one, text in ((event, REFERENCE), (told, PHONE)):
        delivery = Delivery.objects.get(event=one)
        attempt = DeliveryAttempt.objects.get(delivery=delivery)
        for row in (one, delivery, attempt):
            assert text not in integrator.get(page(row)).content.decode(), row
            assert text in support.get(page(row)).content.decode(), row
    shown = integrator.get(page(attempt)).content.decode()
    assert "no customer" in shown


def test_every_page_reads_lines_colleagues_and_notices_through_one_place():
    """Nobody but `reuseid.admin.kit.scope` asks the tables themselves who may read a line."""
    from pathlib import Path

    root = Path(__file__).resolve().parents[4]
    own = {"scope.py": {"TrailEntry.objects", "StaffNotice.objects", "Staff.objects"}}
    # The first of two colleagues is named to whoever reads the second's line.
    own["page.py"] = {"Staff.objects"}
    for app in ("reuseid", "mobileid"):
        for path in (root / app / "admin").rglob("*.py"):
            text = path.read_text()
            for asked in ("TrailEntry.objects", "StaffNotice.objects", "Staff.objects"):
                assert asked not in text or asked in own.get(path.name, ()), (path.name, asked)


def test_the_cast_is_what_the_walk_needs(scene):
    assert Device.objects.count() == Account.objects.count() == 2
    assert Reveal.objects.exists()
