"""Colleagues: made and changed by administrators, within the accounts that they see, never by themselves."""

import html
import re

import pytest
from django.contrib.auth.models import Group

from reuseid.models import Staff, TrailEntry
from reuseid.services.staff import members as staff_service
from tests.reuseid.admin.signing_in import sign_in
from tests.staff_factories import browser_of, buttons, make_colleague, page, rows_of, said

pytestmark = pytest.mark.django_db
NEW = "/admin/reuseid/staff/new/"


def roles(*names):
    return [Group.objects.get(name=name).pk for name in names]


def access(*accounts, role="Support", **values):
    return {
        "is_active": "on",
        "roles": roles(role),
        "accounts": [account.pk for account in accounts],
        "_form_submitted": "on",
        **values,
    }


def test_a_new_colleague_signs_in_with_the_password_shown_once(administrator, account):
    response = administrator.post(NEW, {**access(account), "username": "nina"})
    password = html.unescape(re.search(r'bo-secret-value"><code>([^<]+)<', response.content.decode()).group(1))
    first_page = sign_in("nina", password).get("/admin/", follow=True)
    assert first_page.redirect_chain[-1][0] == "/admin/sign-in/enrol/?next=%2Fadmin%2F"
    nina = Staff.objects.get(username="nina")
    assert nina.password_set_by == administrator.staff
    staff_service.change_own_password(nina, "a-longer-phrase-than-before")
    assert browser_of(nina).get(rows_of(Staff)).status_code == 403
    assert (nina.is_staff, nina.is_superuser, list(nina.accounts.all())) == (True, False, [account])
    line = TrailEntry.objects.get(action="staff.created")
    assert line.changes == {"roles": ["Support"], "accounts": ["Nordbank"]}
    assert password not in str(line.__dict__)


def test_access_is_changed_at_once_with_before_and_after(administrator, support, account, user):
    sent = access(account, role="Senior support")
    assert said(administrator.post(page(support.staff, "access"), sent, follow=True)) == ["The access is saved."]
    assert "Ask to deactivate …" in buttons(support, user)
    line = TrailEntry.objects.get(action="staff.changed")
    assert line.changes["roles"] == {"before": ["Support"], "after": ["Senior support"]}
    administrator.post(page(support.staff, "access"), {**sent, "is_active": ""})
    assert support.get("/admin/").status_code == 302


def test_a_new_password_ends_the_old_ones_sessions(administrator, support):
    assert support.get("/admin/").status_code == 200
    administrator.post(page(support.staff, "password"), {"_form_submitted": "on"})
    assert support.get("/admin/").status_code == 302


def test_nobody_changes_their_own_entry(administrator, account):
    before = set(administrator.staff.groups.all())
    sent = access(account, role="Senior support")
    (message,) = said(administrator.post(page(administrator.staff, "access"), sent, follow=True))
    assert "Nobody changes their own entry" in message
    assert set(administrator.staff.groups.all()) == before


def test_an_account_that_one_does_not_see_can_not_be_given(administrator, support, other_account):
    response = administrator.post(page(support.staff, "access"), access(other_account))
    assert "Select a valid choice" in response.content.decode()
    assert other_account not in support.staff.accounts.all()


def test_colleagues_with_more_accounts_and_superusers_are_out_of_reach(administrator, account, other_account):
    broad = make_colleague("broad", "Support", account, other_account)
    (message,) = said(administrator.post(page(broad, "access"), access(account), follow=True))
    assert "accounts that you don't see" in html.unescape(message)
    boss = make_colleague("boss", None, account, is_superuser=True)
    assert administrator.post(page(boss, "password"), {"_form_submitted": "on"}).status_code == 403
    assert "boss" not in administrator.get(rows_of(Staff)).content.decode()


@pytest.mark.parametrize("role", ["Support", "Senior support", "Auditor", "Integration"])
def test_no_other_role_makes_or_changes_colleagues(role, account, support):
    browser = browser_of(make_colleague("curious", role, account))
    assert browser.post(NEW, {**access(account), "username": "nina"}).status_code == 403
    assert browser.post(page(support.staff, "access"), access(account)).status_code == 403
    assert browser.post(page(support.staff, "password"), {"_form_submitted": "on"}).status_code == 403
    assert not Staff.objects.filter(username="nina").exists()


def test_what_a_colleague_did_is_on_their_page(auditor, support, user):
    from tests.staff_factories import REASON

    support.post(page(user, "lock"), REASON)
    shown = auditor.get(page(support.staff, tab="activity")).content.decode()
    assert "Locked the person" in shown


def test_the_history_shows_colleagues_of_ones_own_accounts_alone(administrator, root, account, other_account):
    root.post(NEW, {**access(other_account), "username": "farid"})
    root.post(NEW, {**access(account), "username": "nina"})
    farid, nina = (Staff.objects.get(username=name) for name in ("farid", "nina"))
    lines = administrator.get(rows_of(TrailEntry)).context["cl"].queryset
    assert {line.object_id for line in lines.filter(object_type="staff")} == {str(nina.pk)}
    line = TrailEntry.objects.get(object_type="staff", object_id=str(farid.pk))
    assert administrator.get(page(line)).status_code == 302
    assert root.get(page(line)).status_code == 200
