"""Every main page, in light and dark, under axe: nothing serious."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.pages import main_pages

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
