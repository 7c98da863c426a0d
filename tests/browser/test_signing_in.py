"""Signing in with a real browser: an authenticator app, a passkey of Chromium's virtual authenticator, strong acts."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from reuseid.actors import Actor
from reuseid.models import ApprovalRequest, Passkey, SecondFactor, Staff, StaffSignIn
from reuseid.services.staff import second_factors
from tests.browser.test_accessibility import findings
from tests.browser.test_workflows import tab_to
from tests.reuseid.admin.signing_in import PASSWORD, app_code, patience
from tests.staff_factories import code_of, make_factor
from tests.staff_factories import page as address_of

REFUSAL = str(second_factors.Refused.title)


@pytest.fixture
def kim(scene, quick_hashes):
    """Senior support with a password of their own and no second factor yet."""
    kim = scene.staff["kim"]
    kim.set_password(PASSWORD)
    kim.save()
    return kim


def authenticator(page):
    """A platform authenticator that says yes: `authenticator(page)("WebAuthn.getCredentials")` asks it."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}
    options |= {"hasResidentKey": True, "automaticPresenceSimulation": True}
    made = session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return lambda method, **values: session.send(method, {"authenticatorId": made["authenticatorId"], **values})


def give_password(page, name="kim", address="/admin/"):
    page.goto(address)
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")


def keep_codes(page):
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    expect(page.locator("#recovery-codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()


def enrol_passkey(page):
    page.get_by_label("Name of the passkey").fill("Kim's laptop")
    page.get_by_role("button", name="Set up a passkey").click()
    keep_codes(page)


def sign_out(page):
    page.get_by_role("button", name="Your menu").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("button", name="Your menu")).to_have_count(0)
    page.wait_for_load_state("networkidle")


def at(page, path):
    page.wait_for_url(lambda url: urlsplit(url).path == path)


def test_a_first_sign_in_sets_an_app_up_and_the_second_one_asks_for_its_code(open_as, kim):
    page = open_as()
    give_password(page)
    at(page, "/admin/sign-in/enrol/")
    expect(page.get_by_text("recommended")).to_be_visible()
    page.get_by_text("An authenticator app", exact=True).click()
    secret = page.locator("#app-secret").inner_text().replace(" ", "")
    page.get_by_label("Code that the app shows now").fill(app_code(secret))
    page.get_by_role("button", name="Go on").click()
    keep_codes(page)
    at(page, "/admin/")
    sign_out(page)
    SecondFactor.objects.update(last_t=1)
    give_password(page)
    expect(page.get_by_label("Code of your authenticator app")).to_be_focused()
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_text(REFUSAL)).to_be_visible()
    patience(kim)
    page.get_by_label("Code of your authenticator app").fill(code_of(kim))
    page.get_by_role("button", name="Sign in", exact=True).click()
    at(page, "/admin/")
    assert StaffSignIn.objects.filter(staff=kim, outcome="SIGNED_IN", method="APP").count() == 2


def test_a_first_sign_in_sets_a_passkey_up_and_the_second_one_asks_for_it_at_once(open_as, kim):
    page = open_as()
    ask = authenticator(page)
    give_password(page, address="/admin/reuseid/user/")
    enrol_passkey(page)
    at(page, "/admin/reuseid/user/")
    (made,) = ask("WebAuthn.getCredentials")["credentials"]
    assert (made["rpId"], made["isResidentCredential"]) == ("localhost", False)
    sign_out(page)
    give_password(page, address="/admin/reuseid/user/")
    at(page, "/admin/reuseid/user/")
    row = Passkey.objects.get(user=kim)
    assert row.counter > 0
    assert row.transports == ["internal"]
    page.goto("/admin/me/")
    expect(page.get_by_role("row").filter(has_text="Kim's laptop")).to_contain_text("on one device alone")


def test_a_passkey_that_is_not_found_says_so_and_a_recovery_code_signs_in(open_as, kim):
    page = open_as()
    ask = authenticator(page)
    give_password(page)
    enrol_passkey(page)
    codes = second_factors.new_codes(kim, actor=Actor.staff(kim))
    sign_out(page)
    ask("WebAuthn.clearCredentials")
    give_password(page)
    expect(page.get_by_role("status")).to_contain_text("No passkey was used")
    expect(page.get_by_role("button", name="Use my passkey")).to_be_focused()
    page.get_by_role("link", name="Use a recovery code").click()
    page.get_by_label("Recovery code").fill(codes[0])
    page.keyboard.press("Enter")
    expect(page.get_by_text("Recovery codes left: 9.")).to_be_visible()


def test_a_clone_is_refused_in_the_same_words(open_as, kim):
    page = open_as()
    authenticator(page)
    give_password(page)
    enrol_passkey(page)
    Passkey.objects.update(counter=1000)
    sign_out(page)
    give_password(page)
    expect(page.get_by_role("alert")).to_have_text(REFUSAL)
    assert StaffSignIn.objects.filter(staff=kim, outcome="CODE_REFUSED", method="PASSKEY").count() == 1


def test_a_strong_act_takes_a_passkey_instead_of_a_code_in_its_dialog(open_as, kim, scene, settings):
    settings.STEP_UP_MINUTES = 0
    page = open_as()
    authenticator(page)
    give_password(page)
    enrol_passkey(page)
    page.goto(address_of(scene.people["anna"]))
    page.get_by_role("button", name="For good …").click()
    page.get_by_role("link", name="Ask to deactivate …").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").select_option("CONTRACT_ENDED")
    settings.STEP_UP_MINUTES = 5
    dialog.get_by_role("button", name="Use my passkey").click()
    expect(dialog.get_by_text("Your passkey was right: go on.")).to_be_visible()
    expect(dialog.get_by_label("Recovery code")).to_have_count(0)
    expect(dialog.get_by_role("button", name="Ask to deactivate")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing has changed yet: a second colleague has to agree.")).to_be_visible()
    assert ApprovalRequest.objects.filter(user=scene.people["anna"]).count() == 1


def test_a_value_is_revealed_with_a_passkey_and_the_reason_is_asked_all_the_same(open_as, kim, scene, settings):
    settings.STEP_UP_MINUTES = 0
    page = open_as()
    authenticator(page)
    give_password(page)
    enrol_passkey(page)
    page.goto(address_of(scene.people["anna"], tab="attributes"))
    row = page.get_by_role("row").filter(has_text="phone")
    row.get_by_role("link", name="Reveal").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Recovery code")).to_be_visible()
    settings.STEP_UP_MINUTES = 5
    dialog.get_by_role("button", name="Use my passkey").click()
    dialog.get_by_role("button", name="Show it").click()
    expect(dialog.get_by_text("This field is required.")).to_be_visible()
    dialog.get_by_label("Reason").select_option("CUSTOMER_REQUEST")
    dialog.get_by_role("button", name="Show it").click()
    expect(row).to_contain_text("+358")


def test_a_password_that_was_given_opens_nothing_but_the_choice_of_an_own_one(open_as, kim, scene):
    Staff.objects.filter(pk=kim.pk).update(password_set_by=scene.staff["adam"])
    page = open_as()
    authenticator(page)
    give_password(page, address="/admin/reuseid/user/")
    enrol_passkey(page)
    at(page, "/admin/sign-in/password/")
    page.goto("/admin/me/")
    at(page, "/admin/sign-in/password/")
    expect(page.get_by_label("New password", exact=False).first).to_be_focused()
    for text in (PASSWORD, "a-longer-phrase-than-before"):
        page.get_by_label("New password").first.fill(text)
        page.get_by_label("New password confirmation").fill(text)
        page.keyboard.press("Enter")
        if text == PASSWORD:
            expect(page.get_by_text("It is the present one: choose another.")).to_be_visible()
    at(page, "/admin/me/")
    kim.refresh_from_db()
    assert kim.password_set_by is None


def test_the_dialog_of_a_reset_says_that_it_takes_another_administrator(open_as, kim, scene):
    make_factor(kim)
    Staff.objects.filter(pk=kim.pk).update(password_set_by=scene.staff["adam"])
    page = open_as(scene.staff["adam"])
    page.goto(address_of(kim))
    page.get_by_role("link", name="Reset second factor").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("You gave this colleague the present password")).to_be_visible()
    dialog.get_by_label("Reason").select_option("DEVICE_LOST")
    dialog.get_by_role("button", name="Reset").click()
    expect(page.get_by_text("Nothing was changed. You gave this colleague the present password")).to_be_visible()
    assert second_factors.of(kim)


def test_a_second_passkey_is_added_renamed_and_removed_from_ones_own_page(open_as, kim):
    make_factor(kim)
    page = open_as(kim)
    authenticator(page)
    page.goto("/admin/me/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_label("Name of the passkey").fill("Blue key")
    page.get_by_role("button", name="Set up a passkey").click()
    row = page.get_by_role("row").filter(has_text="Blue key")
    expect(row).to_be_visible()
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Set up a passkey").click()
    expect(page.get_by_role("status")).to_have_text("This device or key holds a passkey of yours already.")
    page.get_by_role("link", name="Cancel").click()
    row.get_by_role("link", name="Rename").click()
    page.get_by_label("Name of the passkey").fill("Red key")
    page.get_by_role("button", name="Rename it").click()
    row = page.get_by_role("row").filter(has_text="Red key")
    row.get_by_role("link", name="Remove").click()
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    assert not Passkey.objects.exists()


def test_under_a_number_the_page_says_where_passkeys_work(open_as, kim, live_server):
    page = open_as()
    port = urlsplit(live_server.url).port
    give_password(page, address=f"http://127.0.0.1:{port}/admin/")
    expect(page.get_by_text("Passkeys need a name in the address")).to_be_visible()
    expect(page.get_by_role("link", name=f"http://localhost:{port}/admin/")).to_be_visible()
    expect(page.get_by_role("button", name="Set up a passkey")).to_have_count(0)
    expect(page.get_by_label("Code that the app shows now")).to_be_visible()


def test_the_keyboard_alone_sets_a_passkey_up_in_german(open_as, kim):
    page = open_as(language="de")
    authenticator(page)
    page.goto("/admin/")
    expect(page.get_by_label("Benutzername")).to_be_focused()
    page.keyboard.type("kim")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    at(page, "/admin/sign-in/enrol/")
    tab_to(page, page.get_by_role("button", name="Passkey einrichten"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ihre Wiederherstellungscodes")).to_be_visible()
    tab_to(page, page.get_by_role("link", name="Ich habe sie aufbewahrt"))
    page.keyboard.press("Enter")
    at(page, "/admin/")


@pytest.mark.timeout(300)
def test_axe_finds_nothing_of_weight_on_the_pages_of_signing_in(open_as, kim, scene, settings):
    page, found = open_as(), []

    def look(name):
        page.wait_for_load_state()
        found.extend(f"{name}: {line}" for line in findings(page))

    ask = authenticator(page)
    give_password(page)
    at(page, "/admin/sign-in/enrol/")
    page.get_by_text("An authenticator app", exact=True).click()
    look("enrol")
    page.get_by_label("Name of the passkey").fill("Laptop")
    page.get_by_role("button", name="Set up a passkey").click()
    expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
    look("codes")
    for address in ("/admin/me/", "/admin/me/passkeys/add/", "/admin/me/app/", "/admin/me/codes/"):
        page.goto(address)
        look(address)
    for act in ("Rename", "Remove"):
        page.goto("/admin/me/")
        page.get_by_role("row").filter(has_text="Laptop").get_by_role("link", name=act).click()
        look(act)
    settings.STEP_UP_MINUTES = 0
    page.goto(address_of(scene.people["anna"]))
    page.get_by_role("button", name="For good …").click()
    page.get_by_role("link", name="Ask to deactivate …").click()
    expect(page.get_by_role("button", name="Use my passkey")).to_be_visible()
    look("dialog")
    Staff.objects.filter(pk=kim.pk).update(password_set_by=scene.staff["adam"])
    page.goto("/admin/")
    at(page, "/admin/sign-in/password/")
    look("own password")
    page.get_by_role("button", name="Sign in as somebody else").click()
    expect(page.get_by_role("heading", name="Choose your own password")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    ask("WebAuthn.clearCredentials")
    give_password(page)
    expect(page.get_by_role("status")).to_contain_text("No passkey was used")
    look("passkey")
    page.get_by_role("link", name="Use a recovery code").click()
    look("code")
    assert not found, "\n".join(found)
