"""The document tells the truth: schemathesis, from outside, with all its checks, finds nothing to say.

Examples, the edges of every schema, random calls and walks along the document's links, positive and negative, against a
service with a person and a phone. What it may not know is in `refusals`, with reasons.

``PROPERTY_EXAMPLES`` (3) is how many random calls are made of each operation. With more, the edges of every schema are
also crossed on purpose, which takes minutes: ``PROPERTY_EXAMPLES=50 pytest tests/journeys/test_properties.py``.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.config.test_settings import ROOT

FEW = 3
EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", FEW))
# Ten times what it takes on a machine that is not busy.
SECONDS = 300 + 100 * EXAMPLES
CONFIG = f"""
seed = 1
continue-on-failure = true
hooks = "tests.journeys.refusals"

[generation]
database = "none"

# Only this one is replaced, by `refusals.accepted_or_refused_by_meaning`.
[checks]
positive_data_acceptance.enabled = false

[phases.coverage.generation]
mode = "{"all" if EXAMPLES > FEW else "positive"}"

[phases.stateful.generation]
max-examples = {EXAMPLES * 10}
"""


@pytest.mark.timeout(SECONDS + 60)
def test_the_document_tells_the_truth(installation, scene, tmp_path):
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("st"), "--config-file", config, "run", ROOT / "docs" / "openapi.yaml"),
            *("--url", f"http://127.0.0.1:{installation.port}", "--no-color", "--max-examples", str(EXAMPLES)),
            *("--header", f"Authorization: {scene.bank.http.headers['Authorization']}"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
