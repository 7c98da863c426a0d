"""The rest of a day: a caller on the phone, a view kept, an endpoint and a client made, two who act at once."""

import pytest
from playwright.sync_api import expect

from mobileid.models import Operation
from reuseid.models import Client, TrailEntry, User, WebhookEndpoint
from tests.browser.dataset import PHONE
from tests.staff_factories import page as address_of
from tests.staff_factories import rows_of

pytestmark = pytest.mark.timeout(240)


def opened(page, button, title=None):
    """The dialog behind a button."""
    page.get_by_role("link", name=button, exact=True).click()
    dialog = page.get_by_role("dialog", name=title or button)
    expect(dialog).to_be_visible()
    return dialog


def kept(page, name):
    """The secret that is shown once, and the page that follows, which does not have it."""
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    secret = page.locator(".bo-secret-value code").inner_text()
    page.get_by_role("link", name="I have kept it").click()
    expect(page.locator(".bo-title")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text(secret)
    return secret


def test_a_caller_is_verified_gets_a_note_and_a_code_for_a_new_phone(open_as, scene):
    anna = scene.people["anna"]
    page = open_as(scene.staff["sam"])
    page.goto(address_of(anna))
    dialog = opened(page, "Register a phone", "Register a phone for this person")
    expect(dialog.get_by_text("Nobody has verified the caller in the last 15 minutes")).to_be_visible()
    page.keyboard.press("Escape")

    dialog = opened(page, "Verify the caller")
    dialog.get_by_label("Outcome").select_option(label="Passed: it is the person")
    dialog.get_by_role("button", name="Record it").click()
    expect(dialog.get_by_text("Say what you checked.")).to_be_visible()
    dialog.get_by_text("Amount or payee of the last payment").click()
    dialog.get_by_role("button", name="Record it").click()
    expect(page.get_by_text("The check of the caller is recorded.")).to_be_visible()
    expect(page.locator(".bo-head-facts")).to_contain_text("Verified")
    expect(page.locator(".bo-head-facts")).to_contain_text("by sam")

    dialog = opened(page, "Add a note", "A note about this person")
    dialog.get_by_label("Note").fill("Prefers to be called after six.\nSpeaks Swedish.")
    dialog.get_by_role("button", name="Keep the note").click()
    expect(page.get_by_text("The note is kept.")).to_be_visible()
    page.get_by_role("link", name="Notes", exact=True).last.click()
    expect(page.get_by_role("row").filter(has_text="Prefers to be called after six.")).to_contain_text("sam")

    dialog = opened(page, "Register a phone", "Register a phone for this person")
    expect(dialog.get_by_text("Nobody has verified the caller")).to_have_count(0)
    dialog.get_by_role("button", name="Make the code").click()
    expect(page.get_by_role("img", name="The same as a QR code")).to_be_visible()
    code = kept(page, "The activation code")
    row = page.get_by_role("row").filter(has_text="Registration").filter(has_text="Waiting for the phone")
    row.get_by_role("link", name="Registration").click()
    expect(page.locator("body")).not_to_contain_text(code)
    assert Operation.objects.get(type="registration", status="PENDING").user == anna


def test_a_view_is_saved_used_and_removed(open_as, scene):
    page = open_as(scene.staff["sam"])
    page.goto(rows_of(User, status="LOCKED"))
    dialog = opened(page, "Save this view")
    dialog.get_by_label("Name").fill("My locked")
    dialog.get_by_role("button", name="Save").click()
    expect(page.get_by_text("The view “My locked” is saved.")).to_be_visible()
    page.goto(rows_of(User))
    active, locked = (page.get_by_role("row").filter(has_text=name) for name in ("customer-10482", "customer-10977"))
    expect(active).to_be_visible()
    views = page.get_by_role("navigation", name="Views")
    views.get_by_role("link", name="My locked").click()
    expect(locked).to_be_visible()
    expect(active).to_have_count(0)
    expect(views.get_by_role("link", name="My locked")).to_have_attribute("aria-current", "page")

    page.get_by_role("link", name="My saved views").click()
    page.get_by_role("link", name="My locked").click()
    dialog = opened(page, "Remove", "Remove this saved view")
    dialog.get_by_role("button", name="Remove").click()
    expect(page.get_by_text("The view is removed.")).to_be_visible()
    page.goto(rows_of(User))
    expect(views.get_by_role("link", name="New today")).to_be_visible()
    expect(views.get_by_role("link", name="My locked")).to_have_count(0)


def test_an_endpoint_and_a_client_are_made_and_each_secret_is_shown_once(open_as, scene):
    page = open_as(scene.staff["ines"])
    page.goto(rows_of(WebhookEndpoint))
    dialog = opened(page, "New endpoint", "A new endpoint")
    dialog.get_by_label("Account").select_option(label="Nordbank")
    dialog.get_by_label("Address").fill("http://hooks.example.com/insecure")
    dialog.get_by_role("button", name="Make it").click()
    expect(dialog.get_by_label("Address")).to_be_focused()
    dialog.get_by_label("Address").fill("https://93.184.216.34/hook")
    dialog.get_by_text("user.locked").click()
    dialog.get_by_role("button", name="Make it").click()
    first = kept(page, "The secret of https://93.184.216.34/hook")
    expect(page.locator(".bo-title .bo-state")).to_have_text("Active")

    page.get_by_role("button", name="More …").click()
    dialog = opened(page, "New secret", "New keys for this endpoint")
    dialog.get_by_label("Reason").select_option("COMPLIANCE")
    dialog.get_by_role("button", name="Make new keys").click()
    second = kept(page, "The secret of https://93.184.216.34/hook")
    assert first.startswith("whsec_")
    assert second.startswith("whsec_")
    assert first != second

    page.goto(rows_of(Client))
    dialog = opened(page, "New client", "A new API client")
    dialog.get_by_label("Account").select_option(label="Nordbank")
    dialog.get_by_role("textbox", name="Name").fill("Call centre")
    dialog.get_by_text("users:read").click()
    dialog.get_by_role("button", name="Make it").click()
    kept(page, "The secret of Call centre")
    assert Client.objects.get(name="Call centre").scopes == ["users:read"]


def test_ctrl_k_opens_a_person_from_anywhere_and_never_another_one(open_as, scene):
    page = open_as(scene.staff["sam"])
    page.goto("/admin/")
    expect(page.get_by_label("Find a person")).to_be_focused()
    box, chosen = page.locator("#search-input-command"), page.locator("#command-results li.active")
    page.keyboard.press("Control+k")
    expect(box).to_be_focused()
    page.keyboard.type(PHONE)
    page.keyboard.press("Enter")
    expect(page.locator(".bo-title")).to_contain_text("customer-10482")

    page.keyboard.press("Control+k")
    expect(box).to_be_focused()
    page.keyboard.type("customer-11203")
    expect(chosen).to_contain_text("customer-11203")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("customer-10977")
    page.keyboard.press("Enter")
    expect(page.locator(".bo-title")).to_contain_text("customer-10977")


def test_enter_waits_for_the_answer_to_what_stands_there(open_as, scene):
    page = open_as(scene.staff["sam"])
    page.goto("/admin/")
    held = []
    page.route("**/admin/search/**", lambda route: route.continue_() if held else held.append(route))
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    with page.expect_request("**/admin/search/**"):
        page.keyboard.type("customer-11203")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("customer-10977")
    page.keyboard.press("Enter")
    # The answer to what was typed first comes only now.
    held[0].continue_()
    expect(page.locator(".bo-title")).to_contain_text("customer-10977")


def test_enter_opens_an_answer_that_is_there_and_not_chosen_yet(open_as, scene):
    page = open_as(scene.staff["sam"])
    page.goto("/admin/")
    box, chosen = page.locator("#search-input-command"), page.locator("#command-results li.active")
    page.keyboard.press("Control+k")
    expect(box).to_be_focused()
    page.keyboard.type("customer-11203")
    expect(chosen).to_contain_text("customer-11203")
    # As it is for a moment before the theme has marked it.
    chosen.evaluate("item => item.classList.remove('active')")
    page.keyboard.press("Enter")
    expect(page.locator(".bo-title")).to_contain_text("customer-11203")


def test_of_two_tabs_that_lock_one_person_the_second_is_told_who_was_first(open_as, scene):
    anna = scene.people["anna"]
    sam, kim = open_as(scene.staff["sam"]), open_as(scene.staff["kim"])
    dialogs = []
    for page, reason in ((sam, "SUSPECTED_FRAUD"), (kim, "CUSTOMER_REQUEST")):
        page.goto(address_of(anna))
        dialog = opened(page, "Lock", "Lock this person")
        dialog.get_by_label("Reason").select_option(reason)
        dialogs.append(dialog)
    first, second = (dialog.get_by_role("button", name="Lock") for dialog in dialogs)
    first.click()
    # Who clicks first need not be first at the service: only then does the other click.
    expect(sam.get_by_text("The person is locked.", exact=True)).to_be_visible()
    second.click()
    told = kim.get_by_text("Nothing was changed: the user is locked already.")
    expect(told).to_contain_text("Last change: user.locked by sam")
    expect(kim.locator(".bo-title .bo-state")).to_have_text("Locked")
    assert TrailEntry.objects.filter(action="user.locked", user_id=anna.pk).count() == 1
