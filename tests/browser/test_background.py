"""What a worker does while a colleague looks on: many people locked at once, an export made."""

import csv
import re

import pytest
from playwright.sync_api import expect

from reuseid.models import BulkRun, Export, User
from tests import factories
from tests.browser.dataset import PHONE
from tests.staff_factories import page as address_of
from tests.staff_factories import rows_of

pytestmark = pytest.mark.timeout(240)


def results_of(page, link):
    """The rows of the CSV that a click downloads."""
    page.expected.append("net::ERR_ABORTED")  # The browser gives the request up and keeps the file.
    with page.expect_download() as download:
        link.click()
    with open(download.value.path(), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def outcomes(page, column):
    """``{who: the cell of that column}`` of a run's table."""
    table = page.get_by_role("table")
    headers = table.get_by_role("columnheader").all_inner_texts()
    rows = [row.get_by_role("cell").all_inner_texts() for row in table.locator("tbody").get_by_role("row").all()]
    return {row[headers.index("Who")]: row[headers.index(column)] for row in rows}


def locked(scene):
    """Which of the three are."""
    return {name for name, user in scene.people.items() if User.objects.get(pk=user.pk).status == "LOCKED"}


def carry_out(page):
    page.get_by_role("link", name="Carry out").click()
    page.get_by_role("dialog", name="Carry out this bulk act").get_by_role("button", name="Carry out").click()


def test_three_people_are_ticked_and_locked_by_a_worker_with_a_result_for_each(open_as, scene, worker):
    page = open_as(scene.staff["kim"])
    page.goto(rows_of(User))
    people = {"customer-10482": "active", "customer-10977": "locked", "customer-11203": "active"}
    for reference in people:
        page.get_by_role("row").filter(has_text=reference).get_by_role("checkbox").check()
    expect(page.get_by_text(re.compile(r"3 of \d+ selected"))).to_be_visible()
    page.get_by_label("Select action to run").select_option(label="Lock…")
    page.get_by_role("button", name="Run").click()

    expect(page.get_by_label("What")).to_have_value("user.lock")
    assert set(page.get_by_label("Who").input_value().split()) == {str(user.pk) for user in scene.people.values()}
    page.get_by_label("Reason").select_option("SUSPECTED_FRAUD")
    page.get_by_label("How long").select_option(label="For a day")
    page.get_by_role("button", name="Dry run").click()

    expect(page.locator(".bo-title .bo-state")).to_have_text("Dry run")
    foreseen = {"active": "would be locked", "locked": "is locked already"}
    assert outcomes(page, "Dry run") == {who: foreseen[state] for who, state in people.items()}
    assert locked(scene) == {"ben"}

    bar = page.get_by_role("progressbar", name="Progress")
    with worker.held():
        carry_out(page)
        expect(page.get_by_text("It is being carried out.")).to_be_visible()
        expect(bar).to_have_text("0 of 3 rows.")
    expect(bar).to_have_text("3 of 3 rows.", timeout=30_000)
    expect(page.locator(".bo-title .bo-state")).to_have_text("Finished")
    expect(page.locator(".bo-progress-details")).to_contain_text("2 locked")
    came = {"active": "locked", "locked": "is locked already"}
    assert outcomes(page, "What came of it") == {who: came[state] for who, state in people.items()}
    assert locked(scene) == {"anna", "ben", "clara"}

    rows = results_of(page, page.get_by_role("link", name="Download as CSV"))
    kept = {str(user.pk): user.external_ref for user in scene.people.values()}
    assert {kept[row["id"]]: (row["dryRun"], row["result"]) for row in rows} == {
        "customer-10482": ("DONE", "DONE"),
        "customer-10977": ("ALREADY", "ALREADY"),
        "customer-11203": ("DONE", "DONE"),
    }


def test_pasted_lines_with_one_that_nobody_has(open_as, scene, worker):
    page = open_as(scene.staff["kim"])
    page.goto(rows_of(BulkRun))
    page.get_by_role("link", name="Add bulk act").click()
    page.get_by_label("Who").fill("externalRef;segment\ncustomer-10482;a\ncustomer-99999;b\ncustomer-11203;c")
    page.get_by_label("Reason").select_option("COMPLIANCE")
    page.get_by_role("button", name="Dry run").click()
    assert outcomes(page, "Dry run") == {
        "customer-10482": "would be locked",
        "customer-99999": "not found",
        "customer-11203": "would be locked",
    }
    carry_out(page)
    expect(page.locator(".bo-title .bo-state")).to_have_text("Finished", timeout=30_000)
    assert outcomes(page, "What came of it")["customer-99999"] == "not found"
    (row,) = [
        row for row in results_of(page, page.get_by_role("link", name="Download as CSV")) if row["result"] != "DONE"
    ]
    assert (row["id"], row["typed"], row["result"]) == ("", "customer-99999", "NOT_FOUND")
    assert locked(scene) == {"anna", "ben", "clara"}


def test_an_export_is_asked_for_made_and_downloaded_with_masked_values(open_as, scene, worker):
    factories.make_user(scene.account, external_ref="=1+1", attributes={"phone": "+358 40 555 6666"})
    page = open_as(scene.staff["kim"])
    page.goto(rows_of(User))
    page.get_by_role("link", name="Export", exact=True).click()
    dialog = page.get_by_role("dialog", name="Export people")
    expect(dialog.get_by_text("No filter is set.")).to_be_visible()
    dialog.get_by_role("button", name="Export").click()
    expect(dialog.get_by_label("Reason")).to_be_focused()
    dialog.get_by_text("With attributes", exact=True).click()
    dialog.get_by_label("Reason").select_option("COMPLIANCE")
    bar = page.get_by_role("progressbar", name="Progress")
    with worker.held():
        dialog.get_by_role("button", name="Export").click()
        expect(bar).to_have_text("0 of 0 rows.")
        expect(page.get_by_role("button", name="Download")).to_have_count(0)
    expect(page.locator(".bo-title .bo-state")).to_have_text("Ready", timeout=30_000)
    count = User.objects.filter(account=scene.account).count()
    expect(bar).to_have_text(f"{count} of {count} rows.")
    rows = {row["externalRef"]: row for row in results_of(page, page.get_by_role("button", name="Download"))}
    assert len(rows) == count
    assert "'=1+1" in rows
    anna = rows["customer-10482"]
    assert (anna["state"], anna["attributes.phone"], anna["attributes.segment"]) == ("ACTIVE", "••••••", "private")
    assert PHONE not in str(rows)
    page.reload()
    expect(page.get_by_text("Downloaded the export")).to_be_visible()

    other = open_as(scene.staff["mia"])
    other.goto(address_of(Export.objects.get()))
    expect(other.get_by_text("Only kim, who asked for it, can download it.")).to_be_visible()
    expect(other.get_by_role("button", name="Download")).to_have_count(0)
