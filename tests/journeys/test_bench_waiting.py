"""``manage.py bench_waiting`` with a small crowd: all of it waits and sees frames, and nobody is refused."""

import re

from tests.journeys.conftest import Installation


def test_a_small_crowd_waits_and_sees_frames(tmp_path, migrated, own_database):
    environment = {"STATE_DIR": str(tmp_path)}
    with own_database(environment, like=migrated):
        crowd = ("--waiters", "12", "--streams", "2", "--per-operation", "2", "--clients", "1", "--seconds", "5")
        told = Installation(tmp_path, 0, environment).manage("bench_waiting", "--yes", *crowd)
    assert re.search(r"at the end .* waiting 12\b", told)
    assert int(re.search(r"QR frames +shown (\d+)", told)[1]) > 2
    assert " 503 " not in told
