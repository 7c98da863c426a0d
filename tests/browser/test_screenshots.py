"""The pictures of docs/images: `make screenshots` takes them anew; otherwise the pages are only walked through."""

import os

import pytest
from playwright.sync_api import expect

from reuseid.models import User
from tests.reuseid.admin.cast import page as address_of
from tests.reuseid.admin.cast import rows_of
from tests.rules.test_settings import ROOT

IMAGES = ROOT / "docs" / "images"
NAMES = ["first-page", "people", "person", "person-dark", "person-german"]
NAMES += ["timeline", "dialog", "operation", "callback"]
TAKE = os.environ.get("SCREENSHOTS") == "1"


def addresses(scene):
    """``{picture: (colleague, address, dark, language)}``."""
    anna, ben = scene.people["anna"], scene.people["ben"]
    return {
        "first-page": ("root", "/admin/", False, "en"),
        "people": ("sam", rows_of(User, q="+358401234567"), False, "en"),
        "person": ("sam", address_of(anna), False, "en"),
        "person-dark": ("sam", address_of(ben), True, "en"),
        "person-german": ("sam", address_of(anna), False, "de"),
        "timeline": ("kim", address_of(anna, tab="timeline"), False, "en"),
        "dialog": ("sam", address_of(anna), False, "en"),
        "operation": ("kim", address_of(scene.operations["ended"]), False, "en"),
        "callback": ("ines", address_of(scene.delivery), False, "en"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_its_picture(open_as, scene, name):
    who, address, dark, language = addresses(scene)[name]
    page = open_as(scene.staff[who], dark=dark, language=language)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    if name == "dialog":
        page.get_by_role("link", name="Lock", exact=True).click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Reason").select_option("SUSPECTED_FRAUD")
        expect(dialog).to_be_visible()
    page.evaluate("document.fonts.ready")
    clip = {"x": 440, "y": 100, "width": 560, "height": 700} if name == "dialog" else None
    picture = page.screenshot(path=IMAGES / f"{name}.png" if TAKE else None, clip=clip, animations="disabled")
    assert len(picture) < 200_000
