"""One extension point: what is added is shown to those who may see it; what nobody would see stops the start."""

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.exceptions import ImproperlyConfigured

from mobileid.admin.all_devices import lock_devices
from mobileid.admin.filters import PersonPlatformFilter
from mobileid.models import Device
from reuseid.admin.kit import extensions
from reuseid.admin.kit.charts import Card
from reuseid.admin.kit.dialogs import SureForm, dialog_action
from reuseid.admin.kit.effects import Effect
from reuseid.admin.kit.extensions import Act, Extension, Figures, Finder, FirstPage, Group, Registry, Tab
from reuseid.admin.kit.filters import LockFilter
from reuseid.admin.kit.pages import Facts
from reuseid.admin.pages.users.page import UserAdmin
from reuseid.models import Account, Attribute, User
from reuseid.normalisation import as_uuid
from tests.staff_factories import browser_of, buttons, make_colleague, page, rows_of

pytestmark = pytest.mark.django_db


def panels(request, user):
    return [Facts([("Reference", user.external_ref)], title="From elsewhere")]


def header(user):
    return [("Elsewhere", f"the header of {user.external_ref}")]


def consequences(user):
    return [f"Elsewhere {user.external_ref} is stopped."]


def find(value, accounts):
    return list(User.objects.filter(account__in=accounts).values_list("pk", flat=True)) if value == NUMBER else []


def cards(request):
    return [Card("Elsewhere", "7")] if request.user.has_perm("reuseid.view_user") else []


@dialog_action("Hold", effect=Effect.HOLDS, title="Hold", form=SureForm)
def lock(self, request, form, object_id):
    """It would take the place of the page's own, and of its right."""


NUMBER = as_uuid("0193f1f0-0000-7000-8000-000000000001")
TAB = Tab("elsewhere", "Elsewhere", panels, permission="reuseid.view_usernote", order=5)
ACT = Act(lock_devices, "mobileid.lock_device", group=Group("Elsewhere", "star"))
EVERYTHING = Extension(
    tabs=(TAB,),
    header=(header,),
    overview=(panels,),
    consequences=(consequences,),
    finders=(Finder("number elsewhere", find),),
    list_filter=(PersonPlatformFilter,),
)


@pytest.fixture
def registry(monkeypatch):
    """An empty one, which the pages read."""
    found = Registry()
    for reader in ("kit.base", "kit.consequences", "kit.first_page", "kit.pages", "kit.search", "pages.users.tabs"):
        monkeypatch.setattr(f"reuseid.admin.{reader}.registry", found)
    return found


@pytest.fixture
def site():
    """Another back office, with a page of people and a list of attributes, before anything is added."""
    found = admin.AdminSite()
    for model in (User, Attribute):
        found.register(model, type(admin.site._registry[model]))
    return found


# What is added is shown


def test_each_kind_is_shown_where_it_belongs(registry, support, user):
    registry.extend(User, EVERYTHING)
    assert "Elsewhere" in [tab.title for tab in support.get(page(user)).context["tabs"]]
    shown = support.get(page(user)).content.decode()
    assert "From elsewhere" in shown
    assert f"the header of {user.external_ref}" in shown
    assert "From elsewhere" in support.get(page(user, tab="elsewhere")).content.decode()
    assert f"Elsewhere {user.external_ref} is stopped." in support.get(page(user, "lock")).content.decode()
    found = support.get(rows_of(User, q=str(NUMBER)))
    assert [row.pk for row in found.context["cl"].result_list] == [user.pk]
    assert "number elsewhere" in found.context["cl"].searched_for
    assert PersonPlatformFilter in [type(spec) for spec in found.context["cl"].filter_specs]


def test_tabs_stand_in_their_order(registry):
    registry.extend(User, EVERYTHING)
    assert [tab.slug for tab in admin.site._registry[User].get_tabs()][:3] == ["overview", "elsewhere", "attributes"]


def test_nothing_is_shown_that_was_not_added(registry, support, user):
    assert [tab.slug for tab in support.get(page(user)).context["tabs"]].count("devices") == 0
    assert support.get(page(user, tab="devices")).context["chosen"].slug == "overview"
    assert list(support.get(rows_of(User, q=str(NUMBER))).context["cl"].result_list) == []


def test_a_tab_is_for_those_with_its_right(registry, account, user):
    registry.extend(User, EVERYTHING)
    colleague = make_colleague("reader", None, account)
    colleague.user_permissions.add(Permission.objects.get(codename="view_user"))
    reader = browser_of(colleague)
    assert [tab.slug for tab in reader.get(page(user)).context["tabs"]] == ["overview"]
    assert reader.get(page(user, tab="elsewhere")).context["chosen"].slug == "overview"


def test_the_first_page_shows_cards_in_their_order_to_those_with_the_right(registry, support, administrator):
    late, early = Figures(cards, order=60), Figures(lambda request: [Card("Early", "1")], order=10)
    registry.extend_first_page(FirstPage(cards=(late, early)))
    assert [card.title for card in support.get("/admin/").context["cards"]] == ["Early", "Elsewhere"]
    assert [card.title for card in administrator.get("/admin/live/").context["cards"]] == ["Early"]


# Acts


def test_an_act_is_offered_with_its_right_on_rows_that_fit_and_refused_without(support, auditor, user):
    """Those of mobileid, on a person who has no phone yet."""
    assert "Register a phone" in buttons(support, user)
    assert "Lock all devices" not in buttons(support, user)
    assert "Register a phone" not in buttons(auditor, user)
    refused = auditor.get(page(user, "register"))
    assert refused.status_code == 403
    assert "the right “Can start the registration of a phone”" in refused.content.decode()


def test_an_act_becomes_a_button_of_the_page_behind_its_right(registry, site, support, auditor, user, rf):
    registry.extend(User, Extension(acts=(ACT,)))
    registry.hand_over(site)
    person = site._registry[User]
    assert [item if isinstance(item, str) else str(item["title"]) for item in person.actions_detail] == [
        "lock",
        "unlock",
        "Elsewhere",
        "For good …",
    ]
    for browser, may in ((support, True), (auditor, False)):
        request = rf.get("/")
        request.user = browser.staff
        names = [act.action_name for act in person.get_actions_detail(request, str(user.pk))]
        assert ("reuseid_user_lock_devices" in names) is may


# What nobody would see is refused at the start


@pytest.mark.parametrize(
    "again", [{kind: parts} for kind, parts in vars(EVERYTHING).items() if parts] + [{"acts": (ACT,)}]
)
def test_the_same_twice_is_refused(registry, again):
    registry.extend(User, Extension(**again))
    with pytest.raises(ImproperlyConfigured, match="twice"):
        registry.extend(User, Extension(**again))


def test_figures_of_the_first_page_twice_are_refused(registry):
    registry.extend_first_page(FirstPage(cards=(Figures(cards),)))
    with pytest.raises(ImproperlyConfigured, match="twice"):
        registry.extend_first_page(FirstPage(cards=(Figures(cards, order=1),)))


@pytest.mark.parametrize(
    "extension",
    [
        Extension(tabs=(Tab("overview", "Mine", panels),)),
        Extension(list_filter=(LockFilter,)),
        Extension(acts=(Act(UserAdmin.lock, "reuseid.lock_user"),)),
        Extension(acts=(Act(lock, "mobileid.lock_device"),)),
    ],
)
def test_what_the_page_has_itself_is_refused(registry, site, extension):
    registry.extend(User, extension)
    with pytest.raises(ImproperlyConfigured, match=r"twice|of its own"):
        registry.hand_over(site)


@pytest.mark.parametrize(
    ("model", "extension"),
    [
        (Device, Extension(tabs=(TAB,))),
        (Account, Extension(list_filter=(LockFilter,))),
        (Attribute, Extension(tabs=(TAB,))),
        (Attribute, Extension(consequences=(consequences,))),
    ],
)
def test_a_page_that_is_none_or_does_not_show_it_is_refused(registry, site, model, extension):
    registry.extend(model, extension)
    with pytest.raises(ImproperlyConfigured, match=f"{model.__name__} has no page that shows"):
        registry.hand_over(site)


def test_a_right_that_no_model_has_is_refused(registry, site):
    registry.extend(User, Extension(acts=(Act(lock_devices, "mobileid.lock_devices"),)))
    with pytest.raises(ImproperlyConfigured, match="a right that no model has"):
        registry.hand_over(site)


def test_after_the_start_nothing_is_added(registry, site):
    registry.hand_over(site)
    for late in (lambda: registry.extend(User, Extension()), lambda: registry.extend_first_page(FirstPage())):
        with pytest.raises(ImproperlyConfigured, match="no later"):
            late()
    with pytest.raises(ImproperlyConfigured, match="no later"):
        extensions.registry.extend(User, Extension(header=(header,)))
