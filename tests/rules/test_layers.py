"""The rooms of the house: who may import whom is in pyproject.toml."""

from importlinter.cli import lint_imports

from tests.config.test_settings import ROOT


def test_no_room_reaches_into_one_that_it_must_not_know(capsys):
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml")) == 0, capsys.readouterr().out
