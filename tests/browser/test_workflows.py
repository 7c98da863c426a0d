"""What colleagues do all day, in a real browser."""

from playwright.sync_api import expect

from mobileid.models import Device
from mobileid.services import completion
from reuseid.actors import SYSTEM, Actor
from reuseid.models import ApprovalRequest, TrailEntry, User
from reuseid.services.audit import access
from tests.browser.dataset import PHONE
from tests.staff_factories import page as address_of


def test_support_finds_a_person_by_phone_number_and_sees_why_they_cannot_sign_in(open_as, scene):
    page = open_as(scene.staff["sam"])
    page.goto("/admin/")
    page.get_by_label("Find a person").fill("040 123 4567 ".replace("040", "+358 40"))
    page.keyboard.press("Enter")
    page.get_by_role("link", name="customer-10482").click()
    expect(page.locator(".bo-title")).to_contain_text("customer-10482")
    findings = page.locator(".bo-findings")
    expect(findings).to_contain_text("Why can this person not sign in?")
    expect(findings).to_contain_text("The device “Pixel 9” is locked until somebody unlocks it")
    expect(findings).to_contain_text("Unlock the device.")


def test_nobody_found_says_what_was_compared(open_as, scene):
    page = open_as(scene.staff["sam"])
    page.goto("/admin/")
    page.get_by_label("Find a person").fill("+358 40 000 0000")
    page.get_by_role("button", name="Find", exact=True).click()
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    expect(page.get_by_text("as external reference, email or phone, exactly")).to_be_visible()


def test_a_device_is_unlocked_with_a_reason_by_keyboard_alone(open_as, scene):
    page = open_as(scene.staff["sam"])
    page.goto(address_of(scene.devices["anna"]))
    button = page.get_by_role("link", name="Unlock")
    tab_to(page, button)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Unlock this device")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    page.keyboard.press("R")
    expect(dialog.get_by_label("Reason")).to_have_value("RESOLVED")
    page.keyboard.press("Tab")
    page.keyboard.type("Found under the sofa.")
    tab_to(page, dialog.get_by_role("button", name="Unlock"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("The device is unlocked.")).to_be_visible()
    expect(page.locator(".bo-head .bo-state")).to_have_text("Active")
    assert Device.objects.get(pk=scene.devices["anna"].pk).status == Device.Status.ACTIVE
    assert TrailEntry.objects.filter(action="device.unlocked", note="Found under the sofa.").count() == 1


def test_escape_closes_the_dialog_and_the_focus_comes_back(open_as, scene):
    page = open_as(scene.staff["sam"])
    page.goto(address_of(scene.people["anna"]))
    button = page.get_by_role("link", name="Lock", exact=True)
    tab_to(page, button)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Lock this person")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(button).to_be_focused()
    assert User.objects.get(pk=scene.people["anna"].pk).status == User.Status.ACTIVE


def test_the_focus_stays_in_an_open_dialog(open_as, scene):
    page = open_as(scene.staff["sam"])
    page.goto(address_of(scene.people["anna"]))
    page.get_by_role("link", name="Lock", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    for key in ["Tab"] * 8 + ["Shift+Tab"] * 8:
        page.keyboard.press(key)
        expect(dialog.locator(":focus")).to_have_count(1)


def test_a_lock_without_a_reason_says_so_beside_the_field(open_as, scene):
    page = open_as(scene.staff["sam"])
    page.goto(address_of(scene.people["anna"]))
    page.get_by_role("link", name="Lock", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Lock").click()
    expect(dialog.get_by_text("This field is required.")).to_be_visible()
    expect(dialog.get_by_label("Reason")).to_be_focused()
    assert User.objects.get(pk=scene.people["anna"].pk).status == User.Status.ACTIVE


def test_a_callback_that_was_given_up_is_sent_again(open_as, scene):
    page = open_as(scene.staff["kim"])
    page.goto(address_of(scene.delivery))
    page.get_by_role("link", name="Send again").click()
    dialog = page.get_by_role("dialog", name="Send this callback again")
    dialog.get_by_label("Reason").select_option("RESOLVED")
    dialog.get_by_role("button", name="Send again").click()
    expect(page.get_by_text("It is owed again, due now.")).to_be_visible()
    expect(page.locator(".bo-head .bo-state")).to_have_text("Owed")


def test_two_colleagues_deactivate_a_person(open_as, scene):
    anna = scene.people["anna"]
    page = open_as(scene.staff["kim"])
    page.goto(address_of(anna))
    page.get_by_role("button", name="For good …").click()
    page.get_by_role("link", name="Ask to deactivate …").click()
    dialog = page.get_by_role("dialog", name="Ask a second colleague to deactivate this person for good")
    dialog.get_by_label("Reason").select_option("CONTRACT_ENDED")
    dialog.get_by_role("button", name="Ask to deactivate").click()
    expect(page.get_by_text("Nothing has changed yet: a second colleague has to agree.")).to_be_visible()
    asked = ApprovalRequest.objects.get(user=anna)
    page.goto(address_of(asked))
    expect(page.get_by_text("You asked for this yourself, and nobody decides their own request.")).to_be_visible()
    expect(page.get_by_role("link", name="Approve")).to_have_count(0)

    second = open_as(scene.staff["mia"])
    second.goto(address_of(asked))
    second.get_by_role("link", name="Approve").click()
    second.get_by_role("dialog").get_by_role("button", name="Approve for good").click()
    expect(second.get_by_text("Approved: it is done.")).to_be_visible()
    second.goto(address_of(anna))
    expect(second.locator(".bo-title .bo-state")).to_have_text("Deactivated")


def test_a_masked_value_is_revealed_with_a_reason_and_the_timeline_says_so(open_as, scene):
    page = open_as(scene.staff["kim"])
    page.goto(address_of(scene.people["anna"], tab="attributes"))
    row = page.get_by_role("row").filter(has_text="phone")
    expect(row).to_contain_text("••••••")
    row.get_by_role("link", name="Reveal").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option("CUSTOMER_REQUEST")
    dialog.get_by_role("button", name="Show it").click()
    expect(row).to_contain_text(PHONE)
    page.get_by_role("link", name="Timeline", exact=True).last.click()
    expect(page.get_by_text("Looked at a masked value")).to_be_visible()
    expect(page.locator("body")).not_to_contain_text(PHONE)


def test_a_drop_down_opens_by_keyboard_and_gives_the_focus_back(open_as, scene):
    page = open_as(scene.staff["kim"])
    page.goto(address_of(scene.people["anna"]))
    opener = page.get_by_role("button", name="For good …")
    tab_to(page, opener)
    page.keyboard.press("Enter")
    first = page.get_by_role("link", name="Ask to deactivate …")
    expect(first).to_be_focused()
    page.keyboard.press("Escape")
    expect(first).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    expect(first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Ask a second colleague to erase this person's data")).to_be_visible()


def test_what_a_person_approved_is_revealed_and_goes_by_itself(open_as, scene):
    operation = scene.operations["approved"]
    page = open_as(scene.staff["kim"])
    page.goto(address_of(operation))
    expect(page.locator("body")).not_to_contain_text("Helsinki Bicycles")
    page.get_by_role("link", name="Reveal what was shown").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option("CUSTOMER_REQUEST")
    dialog.get_by_role("button", name="Show it").click()
    shown = page.locator("#bo-shown")
    expect(shown).to_contain_text("Helsinki Bicycles Oy")
    expect(shown).to_contain_text("Amount: 1249.50 EUR")
    # The page's own clock runs on: a minute later nothing of it is left, though nobody touched the page.
    page.clock.install()
    page.reload()
    expect(shown).to_contain_text("Helsinki Bicycles Oy")
    page.clock.run_for(61_000)
    expect(shown).to_have_text("Hidden again: the minute is over.")
    expect(page.locator("body")).not_to_contain_text("Helsinki Bicycles")


def test_an_open_operation_counts_down_and_shows_its_end_by_itself(open_as, scene):
    operation = scene.operations["open"]
    access.reveal(operation, actor=Actor.staff(scene.staff["kim"]), reason="CUSTOMER_REQUEST")
    page = open_as(scene.staff["kim"])
    page.goto(address_of(operation))
    left = page.locator("section").filter(has_text="Life").get_by_role("timer")
    expect(left).to_contain_text("left")
    shown = page.locator("#bo-shown")
    # What was selected to be copied stays selected while the page around it is drawn anew.
    shown.evaluate("element => { element.dataset.same = 'yes'; }")
    completion.cancel(operation, actor=SYSTEM)
    expect(page.locator(".bo-title .bo-state")).to_have_text("Cancelled")
    expect(left).to_have_count(0)
    expect(shown).to_contain_text("Sign in to the web shop?")
    expect(shown).to_have_attribute("data-same", "yes")


def tab_to(page, target):
    """Press Tab until the target has the focus, as somebody without a mouse does."""
    for _ in range(120):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError("The keyboard does not reach it.")
