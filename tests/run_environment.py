"""Where a run keeps what it makes. Loaded with ``-p``, so before the settings are read."""

import atexit
import os
import shutil
import tempfile
from urllib.parse import urlsplit, urlunsplit

# Addresses that tests expect are those of the defaults, whatever the caller's demo has.
for name in ("ENVIRONMENT", "PORT", "PUBLIC_URL"):
    os.environ.pop(name, None)
worker = os.environ.get("PYTEST_XDIST_WORKER")
if worker is None:
    # Nothing of ``var/``: a demo may be running beside.
    os.environ["STATE_DIR"] = tempfile.mkdtemp(prefix="reuseid-tests-")
    atexit.register(shutil.rmtree, os.environ["STATE_DIR"], ignore_errors=True)
else:
    os.environ["STATE_DIR"] += f"/{worker}"
    if url := os.environ.get("REDIS_URL"):
        # Each worker empties its cache as it likes.
        number = 10 + int(worker.removeprefix("gw"))
        os.environ["REDIS_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
