"""The documents: what they point to is there."""

import re

import pytest

from tests.config.test_settings import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_somewhere(document):
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_every_decision_is_in_the_list():
    decisions = ROOT / "docs" / "decisions"
    listed = (decisions / "README.md").read_text()
    assert [path.name for path in decisions.glob("0*.md") if path.name not in listed] == []


def test_every_picture_is_shown_and_small():
    shown = "".join(document.read_text() for document in DOCUMENTS)
    pictures = sorted((ROOT / "docs" / "images").glob("*.png"))
    assert [path.name for path in pictures if f"images/{path.name})" not in shown] == []
    assert [path.name for path in pictures if path.stat().st_size >= 200_000] == []
