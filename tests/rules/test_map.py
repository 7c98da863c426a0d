"""docs/decisions/map.md: every room is on it, and what it points to is there."""

import ast
import re

import pytest

from tests.rules.test_house import ROOT

MAP = (ROOT / "docs" / "decisions" / "map.md").read_text()
# Folders that every app has, or that hold no code of ours.
USUAL = {"management", "migrations", "models", "services", "static", "locale", "__pycache__", "commands"}


def rooms():
    for app in ("reuseid", "mobileid"):
        for place in (ROOT / app, ROOT / app / "services", ROOT / app / "admin"):
            for room in place.iterdir():
                if (room / "__init__.py").exists() and room.name not in USUAL | {"admin"}:
                    yield room.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("room", sorted(set(rooms())))
def test_every_room_has_its_sentence(room):
    assert f"`{room}/`" in MAP


def names(tree):
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))


@pytest.mark.parametrize(("path", "name"), sorted(set(re.findall(r"`([\w/]+\.py): ([\w.]+)`", MAP))))
def test_what_it_points_to_is_there(path, name):
    found = set(names(ast.parse((ROOT / path).read_text())))
    imported = re.findall(r"^from .* import .*$", (ROOT / path).read_text(), re.MULTILINE)
    assert set(name.split(".")) <= found | {word for line in imported for word in line.split()}


def test_it_points_somewhere_for_each_of_its_four_examples():
    assert len(re.findall(r"`([\w/]+\.py): ([\w.]+)`", MAP)) >= 16
