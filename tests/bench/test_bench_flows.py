"""``manage.py bench_flows``: where it refuses, and that a run says what docs/benchmarks.md explains."""

import os
import re
import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command

from tests.config.test_settings import ROOT
from tests.journeys.conftest import Installation

SHORT = ("--phones", "4", "--concurrency", "2", "--workers", "1")
SHORT += ("--settle-seconds", "0", "--idle-seconds", "1", "--floor-seconds", "0.2", "--seconds", "1")
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"


def refusal(*arguments, **environment):
    """What the command says of its own accord, by the environment alone: it connects to nothing before."""
    command = [sys.executable, "manage.py", "bench_flows", *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 1
    return done.stderr


def test_it_refuses_without_a_yes():
    with pytest.raises(CommandError, match="say --yes"):
        call_command("bench_flows")


def test_it_refuses_in_production(settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="not in production"):
        call_command("bench_flows", yes=True)


def test_it_refuses_sqlite(tmp_path):
    environment = {"DATABASE_URL": f"sqlite:///{tmp_path}/none.sqlite3", "REDIS_URL": "redis://127.0.0.1:1"}
    assert "needs PostgreSQL" in refusal("--yes", **environment)


def test_it_refuses_a_service_without_redis():
    assert "needs Redis" in refusal("--yes", DATABASE_URL=NOWHERE, REDIS_URL="")


def test_it_refuses_callers_that_would_share_a_phone():
    environment = {"DATABASE_URL": NOWHERE, "REDIS_URL": "redis://127.0.0.1:1"}
    assert "phones of its own" in refusal("--yes", "--phones", "1", "--concurrency", "2", **environment)


@pytest.fixture
def bench(tmp_path, migrated, own_database):
    """`bench(*options)`: what a short run printed, in a database of its own."""
    environment = {"STATE_DIR": str(tmp_path)}
    with own_database(environment, like=migrated):
        yield lambda *options: Installation(tmp_path, 0, environment).manage("bench_flows", "--yes", *SHORT, *options)


def has_lines(told, *patterns):
    """Each pattern is the beginning of a line, in this order."""
    at = 0
    for pattern in patterns:
        found = re.compile(rf"^ *{pattern}", re.MULTILINE).search(told, at)
        assert found, f"{pattern} is not in what follows {at} of:\n{told}"
        at = found.end()


NUMBER = r"-?\d+\.\d+"
CPU = rf"total {NUMBER} ms = web {NUMBER}  worker {NUMBER}  beat {NUMBER} .*redis {NUMBER}"
TIMES = rf"p50 +{NUMBER}  p95 +{NUMBER}  p99 +{NUMBER} ms"
CALLS = ("users create", "users get", "users list(50)", "users patch", "registration", "device get", "device list(50)")
CALLS += ("start and cancel", "start, wait=1 and cancel")
STEPS = ("REST start", "phone start", "phone finish", "REST status", "flow")


@pytest.mark.postgres
@pytest.mark.redis
def test_a_run_says_all_that_is_explained(bench):
    beside = ("--waiting", "4", "--streams", "2", "--flows-rate", "2", "--minutes", "0.02")
    told = bench("--calls", "0.2", "--callbacks", "10", "--hanging", "1", *beside)
    has_lines(
        told,
        r"load average .*; commit .*, \d+ processors",
        "start-up: the web server answered after",
        f"registered 4 phones: each {CPU}",
        f"idle, a second: CPU {CPU}",
        rf"floor before: \d+/s, {TIMES}; a request {CPU}",
        *(rf"{re.escape(name)} c=2 +(too few|{TIMES}); \d+ done\n +{CPU}" for name in CALLS),
        rf"its end heard +(too few|{TIMES}), from the cancel's sending",
        rf"status with wait=1 +{NUMBER} ms of CPU",
        rf"pending c=2 +(too few|{TIMES})",
        r"callbacks alone, owed as fast as it goes: .* \(10 of 10 in",
        f"CPU a callback, without that: {CPU}",
        f"receipt +{TIMES}, from the commit",
        "callbacks beside 1 endpoints that hang",
        "4 long polls and 2 QR streams: 4 wait",
        f"alone, a second: CPU {CPU}",
        "beside them 2 flows a second for 1 s, with webhook",
        f"CPU a flow: {CPU}",
        "4 wait at the end",
        "answers .*200 4",
        "QR frames",
        "hearing of an end +count 4",
        "0 s: RSS/PSS MiB: web workers",
        f"c=2 with webhook: {NUMBER} flows/s",
        f"CPU a flow: {CPU}; {NUMBER} floors",
        *(f"{step} +{TIMES}" for step in STEPS),
        rf"callback +{TIMES}, from the finish's answer; \d+ came",
        rf"a flow: {NUMBER} transactions, .* {NUMBER} Redis commands",
        f"other databases of this server meanwhile: {NUMBER} s",
        r"memory's slope, .*: RSS [+-]\d+\.\d+, PSS",
        "floor after: ",
    )
    assert " errors: " not in told
    assert "did not come" not in told
