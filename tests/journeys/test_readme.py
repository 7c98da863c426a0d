"""The README's integration, typed as it stands there, against a running service."""

import json
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.config.test_settings import ROOT
from tests.journeys.terminal import Terminal

PIN = "739146"
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (shutil.which("jq") and shutil.which("curl")), reason="needs curl and jq"),
]


@pytest.fixture
def checkout(tmp_path, installation):
    """A folder as a clone is after `make demo`: the code, its environment, and the running service's state."""
    for name in ("manage.py", "config", "reuseid", "mobileid", "templates"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "var").symlink_to(installation.state)
    return tmp_path


def test_its_lines_end_in_an_approved_login(checkout, installation):
    (lines,) = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len([line for line in lines.splitlines() if line]) < 20
    environment = {**os.environ, **installation.environment}
    with Terminal(f"set -eu\n{lines}", program=("bash", "-c"), cwd=checkout, env=environment) as terminal:
        for prompt in (r"New PIN \(.+\): ", "New PIN again: "):
            terminal.see(prompt)
            terminal.type(PIN)
        terminal.see("Registered: ")
        terminal.see(r"Log in to My Bank\?")
        terminal.see(r"Approve\? \[y/N\] ")
        terminal.type("y")
        terminal.see("PIN: ")
        terminal.type(PIN)
        terminal.see("COMPLETED")
        assert terminal.end() == 0, terminal.screen
    answer = json.loads(terminal.screen[terminal.screen.rindex('{"operationId"') :])
    assert answer["state"] == "COMPLETED"
    assert answer["operationProperties"]["authLevel"] == "TWO_FACTOR"
    assert PIN not in terminal.screen
    assert (Path(installation.state) / "bank.json").exists()
