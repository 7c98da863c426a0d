"""What the code imports is what pyproject.toml names."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.rules.test_house import ROOT, every_source

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
OWN = {"bench", "config", "mobileid", "reuseid", "tests"}


def names(requirements):
    """The distributions of a list of requirements, in the form of PEP 503."""
    return {plain(re.match(r"[\w.-]+", requirement)[0]) for requirement in requirements}


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(paths):
    """``{top-level module: one file that imports it}``, without the standard library and ourselves."""
    found = {}
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            found |= {module.partition(".")[0]: str(path.relative_to(ROOT)) for module in modules}
    return {module: path for module, path in found.items() if module not in OWN | sys.stdlib_module_names}


SERVICE = names(PROJECT["dependencies"])
TESTS = SERVICE | names(PROJECT["optional-dependencies"]["test"])


DEMO = ROOT / "config" / "demo"


@pytest.mark.parametrize(
    ("paths", "declared"),
    [
        ([path for path in every_source() if DEMO not in path.parents], SERVICE),
        ([*DEMO.rglob("*.py"), *(ROOT / "tests").rglob("*.py")], TESTS),
    ],
    ids=["service", "demo and tests"],
)
def test_every_package_that_is_imported_is_declared(paths, declared):
    distributions = packages_distributions()
    undeclared = {
        module: path
        for module, path in imported(paths).items()
        if not declared & {plain(name) for name in distributions.get(module, [])}
    }
    assert undeclared == {}
