"""Links above the lists: those of everybody, and those that a colleague keeps for themselves."""

from urllib.parse import urlencode

import pytest

from reuseid.actors import SYSTEM, Actor
from reuseid.models import Client, SavedView, User
from reuseid.services.people import users
from reuseid.services.staff import saved_views
from tests import factories
from tests.staff_factories import page, rows_of, said

pytestmark = pytest.mark.django_db
NEW = "/admin/reuseid/savedview/new/"


def links(browser, model, **query):
    return {link.title: link for link in browser.get(rows_of(model, **query)).context["cl"].views.links}


def save(browser, name, query, model="reuseid.user"):
    address = f"{NEW}?{urlencode({'model': model, 'query': query})}"
    return browser.post(address, {"name": name, "_form_submitted": "on"}, follow=True)


def test_locked_today_is_one_click_away_and_marked_when_open(support, user, account):
    other = factories.make_user(account)
    users.lock(other, actor=SYSTEM, reason="COMPLIANCE")
    link = links(support, User)["Locked today"]
    assert not link.open
    response = support.get(rows_of(User) + link.href)
    assert [row.pk for row in response.context["cl"].result_list] == [other.pk]
    assert {link.title for link in response.context["cl"].views.links if link.open} == {"Locked today"}


def test_a_view_is_saved_found_again_and_removed(support, user):
    response = save(support, " Our locked  ones ", "status=LOCKED")
    assert said(response) == ["The view “Our locked ones” is saved."]
    assert response.redirect_chain[-1][0] == rows_of(User, status="LOCKED")
    assert links(support, User)["Our locked ones"].href == "?status=LOCKED"
    view = SavedView.objects.get()
    assert support.get(page(view)).status_code == 200
    support.post(page(view, "remove"), {"_form_submitted": "on"})
    assert "Our locked ones" not in links(support, User)


def test_it_is_nobody_elses(support, senior, root, user):
    save(support, "Mine", "status=LOCKED")
    view = SavedView.objects.get()
    for browser in (senior, root):
        assert "Mine" not in links(browser, User)
        assert browser.get(page(view)).status_code == 302
        assert browser.post(page(view, "remove"), {"_form_submitted": "on"}).status_code == 403
        assert "Mine" not in browser.get(rows_of(SavedView)).content.decode()
    assert SavedView.objects.exists()


def test_no_search_term_and_no_foreign_filter_is_kept(support, user):
    save(support, "Careful", "q=email:anna@example.com&starts=cust&status=LOCKED&account__name=N&p=3")
    assert SavedView.objects.get().query == "status=LOCKED"


def test_a_list_that_one_may_not_see_or_that_is_none_has_no_views(support, user):
    for model in (Client._meta.label_lower, "auth.permission", "nonsense", ""):
        assert save(support, "X", "status=LOCKED", model).status_code == 404
    assert not SavedView.objects.exists()


def test_a_name_counts_once_and_thirty_is_enough(support, user):
    save(support, "Same", "status=LOCKED")
    assert "There is a view of this name already." in said(save(support, "Same", "status=ACTIVE"))[0]
    for number in range(saved_views.LIMIT - 1):
        saved_views.keep(actor=Actor.staff(support.staff), model="reuseid.user", name=str(number), query="")
    assert "30 saved views already" in said(save(support, "Too many", "status=ACTIVE"))[0]


def test_saving_is_offered_where_there_is_something_to_save(support, user):
    assert support.get(rows_of(User)).context["cl"].views.save == ""
    assert support.get(rows_of(User, q="customer-1")).context["cl"].views.save == ""
    response = support.get(rows_of(User, status="LOCKED", q="customer-1"))
    assert "customer-1" not in response.context["cl"].views.save
    assert support.get(response.context["cl"].views.save).status_code == 200
