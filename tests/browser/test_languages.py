"""The back office in the reader's language."""

from playwright.sync_api import expect

from tests.staff_factories import page as address_of


def test_a_colleague_switches_to_german_and_it_stays(open_as, scene):
    page = open_as(scene.staff["sam"])
    page.context.clear_cookies(name="django_language")
    page.goto("/admin/")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="Your menu").click()
    page.get_by_role("button", name="Deutsch").click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.get_by_label("Person suchen")).to_be_visible()
    page.goto(address_of(scene.people["anna"]))
    expect(page.get_by_text("Warum kann sich diese Person nicht anmelden?")).to_be_visible()
    expect(page.get_by_role("link", name="Sperren", exact=True)).to_be_visible()


def test_a_person_is_locked_in_german_and_the_trail_stays_english(open_as, scene):
    from reuseid.models import TrailEntry

    page = open_as(scene.staff["sam"], language="de")
    page.goto(address_of(scene.people["anna"]))
    page.get_by_role("link", name="Sperren", exact=True).click()
    dialog = page.get_by_role("dialog", name="Diese Person sperren")
    dialog.get_by_label("Grund").select_option("SUSPECTED_FRAUD")
    dialog.get_by_role("button", name="Sperren").click()
    expect(page.get_by_text("Die Person ist gesperrt.", exact=True)).to_be_visible()
    line = TrailEntry.objects.filter(object_type="user").order_by("-id").first()
    assert (line.action, line.reason) == ("user.locked", "SUSPECTED_FRAUD")
