"""Templates of ours that take the place of a library's by the same path: what each replaces is known by its digest.

A release that changes an original says nothing by itself, since nobody sees the original: ours goes on without what was
mended there. overridden_templates.txt keeps the digest that each original had when ours was last compared with it.
"""

import hashlib
from pathlib import Path

import pytest
from django.template.utils import get_app_template_dirs

from tests.config.test_settings import ROOT

OURS = ROOT / "templates"
LIST = Path(__file__).with_name("overridden_templates.txt")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def replaced():
    """``{name: original}`` of each template of ours that Django would find in an application, too."""
    found = {}
    for path in sorted(OURS.rglob("*.html")):
        name = path.relative_to(OURS).as_posix()
        original = next((home / name for home in get_app_template_dirs("templates") if (home / name).is_file()), None)
        if original:
            found[name] = original
    return found


def complaint(name, original, known):
    """What is to be done about ``name``, or nothing. ``known`` is the digest in the list."""
    if original is None:
        return f"templates/{name} takes no library's place any more: its line in {LIST.name} goes."
    if digest(original) == known:
        return ""
    return (
        f"{original} is not what templates/{name} was last compared with. Compare the two (requirements.txt of former "
        f"commits says from which release), carry over what is missing, then write this line into {LIST.name} in place "
        f"of the former one:\n{digest(original)} {name}"
    )


REPLACED = replaced()
KNOWN = {name: known for known, name in map(str.split, LIST.read_text().splitlines())}


@pytest.mark.parametrize("name", sorted({*REPLACED, *KNOWN}))
def test_the_original_of_an_override_is_the_one_that_was_compared(name):
    problem = complaint(name, REPLACED.get(name), KNOWN.get(name))
    assert not problem, problem


def test_the_list_is_in_order():
    assert list(KNOWN) == sorted(KNOWN)


def test_the_rule_sees_what_changed_is_new_or_is_gone(tmp_path):
    original = tmp_path / "dialog.html"
    original.write_text("<div>")
    known = digest(original)
    assert complaint("dialog.html", original, known) == ""
    original.write_text("<dialog>")
    for former in (known, None):
        problem = complaint("dialog.html", original, former)
        assert str(original) in problem
        assert "templates/dialog.html" in problem
        assert problem.endswith(f"\n{digest(original)} dialog.html")
    assert "its line in overridden_templates.txt goes" in complaint("dialog.html", None, known)


def test_what_is_replaced_is_found():
    assert {"admin/index.html", "unfold/helpers/dialog.html", "drf_spectacular/swagger_ui.html"} <= set(REPLACED)
    assert "unfold" in REPLACED["admin/index.html"].parts
