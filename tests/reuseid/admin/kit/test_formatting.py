"""What a reader sees instead of ids and codes: names in titles, times, words; and colours that mean what they say."""

import re
import uuid

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.template.loader import render_to_string
from django.urls import clear_script_prefix, reverse, set_script_prefix
from unfold.enums import ActionVariant

from reuseid.actors import SYSTEM, Actor
from reuseid.admin.kit import formatting
from reuseid.models import Attribute, Client, Heartbeat, Reveal, TrailEntry, User
from reuseid.services import heartbeats
from reuseid.services.audit import access
from reuseid.services.people import approvals, notes, users
from reuseid.services.webhooks import endpoints
from tests import factories
from tests.staff_factories import page, rows_of

pytestmark = pytest.mark.django_db
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
# What can be undone, by the name of the act.
UNDONE = {"lock", "unlock", "lock_devices", "unlock_devices", "block", "unblock", "pause", "resume", "note", "reveal"}
# What can't.
FOR_GOOD = {"deactivate", "deactivate_devices", "erase", "approve", "cancel", "remove"}


@pytest.mark.parametrize("pk", [uuid.uuid4(), 17, "beat", "worker:a/b c", "ü?'&\"%_-~!", "\n", "0" * 32])
def test_an_address_is_the_one_that_django_would_make(pk):
    assert formatting.page_of(Heartbeat, pk) == reverse("admin:reuseid_heartbeat_change", args=[quote(pk)])
    assert formatting.page_of(Permission, pk) == ""


def test_an_address_knows_under_which_path_the_service_is():
    try:
        set_script_prefix("/identity/")
        assert formatting.page_of(User, 1) == "/identity/admin/reuseid/user/1/change/"
    finally:
        clear_script_prefix()
    assert formatting.page_of(User, 1) == "/admin/reuseid/user/1/change/"


@pytest.fixture
def everything(account, user, senior, api_client):
    """A row of most kinds."""
    endpoints.create(account, url="https://93.184.216.34/hook", actor=SYSTEM)
    users.lock(user, actor=Actor.staff(senior.staff), reason="COMPLIANCE")
    notes.add(user, "A note.", actor=Actor.staff(senior.staff))
    access.reveal(Attribute.objects.first(), actor=Actor.staff(senior.staff), reason="COMPLIANCE")
    access.viewed(user, actor=Actor.staff(senior.staff))
    approvals.ask(user, action="user.erase", actor=Actor.staff(senior.staff), reason="COMPLIANCE")
    notes.add(user, "Another.", actor=Actor.staff(senior.staff))
    factories.make_user(account)
    factories.make_user(account)
    factories.make_client(account, name="Another back end")
    heartbeats.beat("worker:sweeps", "host-1")
    heartbeats.beat("worker:callbacks", "host-1")


def title_and_path(browser, address):
    """The words of the browser's tab and of the path above the page."""
    text = browser.get(address).content.decode()
    path = re.search(r"<h1 class=\"overflow-hidden.*?</h1>", text, re.DOTALL)[0]
    title = re.search(r"<title>(.*?)</title>", text, re.DOTALL)[1]
    return title.strip(), " ".join(re.sub(r"<[^>]+>", " ", path).split())


def test_a_page_is_called_by_a_name_and_never_by_a_whole_id(root, everything):
    seen = 0
    for model in admin.site._registry:
        for row in model._default_manager.all()[:3]:
            for text in title_and_path(root, page(row)):
                assert not UUID.search(text), (model, text)
            seen += 1
    assert seen > 30


def test_names_keep_the_case_in_which_they_are_written(root, everything, user, account):
    assert title_and_path(root, page(user))[0].startswith("customer-1 |")
    assert "customer-1" in title_and_path(root, page(user))[1]
    nameless = User.objects.filter(external_ref=None).first()
    assert title_and_path(root, page(nameless))[0].startswith(f"User {str(nameless.pk)[:8]}… |")
    client = Client.objects.first()
    Client.objects.update(name="eShop")
    assert title_and_path(root, page(client))[1].endswith(" eShop")
    line = TrailEntry.objects.get(action="user.locked")
    assert title_and_path(root, page(line))[0].startswith("Locked the person: user ")


def test_a_list_is_called_as_in_the_side_bar(root):
    for model, name in [(User, "Users"), (TrailEntry, "Timeline"), (Reveal, "Revealed values")]:
        title, path = title_and_path(root, rows_of(model))
        assert title.startswith(f"{name} |")
        assert path == name


def test_every_time_of_a_page_and_a_list_is_one_that_the_reader_gets_in_their_zone(root, everything):
    row = Attribute.objects.first()
    for address in (page(row), rows_of(Attribute)):
        text = root.get(address).content.decode()
        assert "a.m." not in text
        assert "p.m." not in text
    shown = root.get(page(row)).content.decode()
    assert shown.count('<time class="bo-time"') == 2
    assert shown.count('<span class="bo-none">none</span>') == 5


def every_act():
    for model_admin in admin.site._registry.values():
        yield from [*model_admin._get_base_actions_list(), *model_admin._get_base_actions_detail()]


def test_the_button_of_a_dialog_has_the_colour_of_the_one_that_opens_it():
    for act in every_act():
        assert act.dialog["variant"] == act.variant.value, act.action_name
        if getattr(act.dialog["form_class"], "danger", False):
            assert act.variant == ActionVariant.DANGER, act.action_name


def test_red_is_only_what_cannot_be_undone():
    seen = set()
    for act in every_act():
        name = act.method.original_function_name
        if name in UNDONE:
            assert act.variant != ActionVariant.DANGER, act.action_name
        if name in FOR_GOOD:
            assert act.variant == ActionVariant.DANGER, act.action_name
        seen.add(name)
    assert seen >= UNDONE | FOR_GOOD


def test_the_dialog_is_drawn_in_that_colour(senior, user):
    assert "bo-button bo-button--warning" in senior.get(page(user, "lock")).content.decode()
    assert "bo-button bo-button--danger" in senior.get(page(user, "erase")).content.decode()


def test_a_lock_is_no_alarm_on_the_first_page(senior, user):
    users.lock(user, actor=SYSTEM, reason="COMPLIANCE")
    cards = {card.title: card for card in senior.get("/admin/").context["cards"]}
    assert (cards["People locked today"].number, cards["People locked today"].colour) == ("1", "quiet")
    assert {card.colour for card in cards.values()} <= {"quiet", "bad", "warn"}
    assert all(card.hint for card in cards.values())


def test_the_service_is_called_so_and_a_reason_is_a_sentence(root, senior, user):
    users.lock(user, actor=SYSTEM, reason="COMPLIANCE")
    header = dict(root.get(page(user)).context["header"].lines)
    assert header["By"] == "The service"
    assert header["Because"] == "COMPLIANCE: A law, a court or an internal rule asks for it."
    row = root.get(rows_of(TrailEntry)).content.decode()
    assert '<span title="COMPLIANCE">A law, a court or an internal rule asks for it</span>' in row


def test_the_menu_names_its_reader_whatever_a_page_calls_user(support, rf):
    request = rf.get("/admin/")
    request.user = support.staff
    shown = render_to_string("unfold/helpers/navigation_user.html", {"user": "somebody else"}, request)
    assert support.staff.get_username() in shown
