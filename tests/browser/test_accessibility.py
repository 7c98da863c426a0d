"""Every main page, in light and dark, under axe: nothing serious."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.pages import main_pages
from tests.reuseid.admin.cast import page as address_of

SERIOUS = {"serious", "critical"}


def findings(page):
    """What axe calls serious or critical, a line each: rule, place, what is wrong."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{violation['id']} at {node['target'][0]}: {node['failureSummary']}"
        for violation in found
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_on_any_main_page(open_as, scene, dark):
    pages, found = {}, []
    for name, (who, address) in main_pages(scene).items():
        if who not in pages:
            pages[who] = open_as(scene.staff.get(who), dark=dark)
        page = pages[who]
        assert page.goto(address).status == 200, name
        page.wait_for_load_state("networkidle")
        found += [f"{name}: {line}" for line in findings(page)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_in_a_dialog_a_menu_and_the_command_search(open_as, scene, dark):
    page = open_as(scene.staff["sam"], dark=dark)
    page.goto(address_of(scene.people["anna"]))
    page.get_by_role("link", name="Lock", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Lock").click()
    expect(dialog.get_by_text("This field is required.")).to_be_visible()
    found = findings(page)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Your menu").click()
    expect(page.get_by_role("button", name="Deutsch")).to_be_visible()
    found += findings(page)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Deutsch")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.locator("#search-input-command")).to_be_focused()
    page.keyboard.type("+358401234567")
    expect(page.locator("#command-results")).to_contain_text("customer-10482")
    found += findings(page)
    assert not found, "\n".join(found)
