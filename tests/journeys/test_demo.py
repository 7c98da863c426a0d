"""`make demo` as a person meets it: what it prints, what then answers, how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from config.demo import supervisor
from config.demo.integrator import Account, Integrator
from tests.config.test_settings import ROOT
from tests.journeys.processes import descendants, is_alive

# Real processes take their time on a busy machine.
pytestmark = pytest.mark.timeout(300)
DEMO = [sys.executable, "manage.py", "demo"]
END_SECONDS = 60


@pytest.fixture(scope="module")
def environment(tmp_path_factory, own_database):
    """Of one installation, which every start here uses again."""
    state = tmp_path_factory.mktemp("demo")
    state.chmod(0o700)
    variables = {"STATE_DIR": str(state), "PORT": str(supervisor.free_port())}
    with own_database(variables):
        yield {**{name: value for name, value in os.environ.items() if name != "PUBLIC_URL"}, **variables}


@pytest.fixture
def demo(environment):
    """A running demo and what it printed until it was ready."""
    with subprocess.Popen(DEMO, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as demo:
        printed = []
        for line in demo.stdout:
            printed.append(line.decode())
            if line.startswith(b"  Logs"):
                break
        yield demo, "".join(printed)
        if demo.poll() is None:
            demo.terminate()
            demo.communicate(timeout=END_SECONDS)


def shown(printed, label):
    return re.search(rf"^ +{label} +(\S+)$", printed, re.MULTILINE)[1]


def named(pids, word):
    for pid in pids:
        if word in Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0"):
            return pid
    raise AssertionError(f"no {word} among {pids}")


def test_it_plays_stays_up_lets_the_colleague_in_and_ends_when_asked(demo, environment):
    running, printed = demo
    assert "Played in" in printed
    url = f"http://127.0.0.1:{environment['PORT']}"
    assert httpx.get(f"{url}/healthz").status_code == 200
    assert Path(environment["STATE_DIR"], "demo.json").stat().st_mode & 0o777 == 0o600

    with httpx.Client(base_url=url, follow_redirects=True) as browser:
        page = browser.get("/admin/login/")
        styles = re.findall(r'href="(/static/[^"]+\.css)"', page.text)
        assert styles
        assert {browser.get(style).status_code for style in styles} == {200}
        form = {
            "username": "admin",
            "password": shown(printed, "as admin"),
            "csrfmiddlewaretoken": browser.cookies["csrftoken"],
        }
        home = browser.post("/admin/login/?next=/admin/", data=form)
        assert home.status_code == 200
        assert home.url.path == "/admin/"

    # Whoever calls a command beside it need not say its port again.
    beside = {name: value for name, value in environment.items() if name != "PORT"}
    command = [sys.executable, "manage.py", "create_account", "Beside", "--json"]
    made = subprocess.run(command, cwd=ROOT, env=beside, capture_output=True, text=True, timeout=60, check=True)
    account = Account.from_dict(json.loads(made.stdout))
    assert account.server == url
    assert httpx.get(f"{url}/.well-known/oauth-authorization-server").json()["issuer"] == url
    with Integrator(account) as bank:
        bank.sign_in()
        user = bank.post("/reuseid/core/users", {"externalRef": "c-1"})
        link = bank.post("/mobileid/core/registrations", {"userId": user["userId"]})["activationUri"]
        assert link.startswith(f"{url}/mobileid/app#")

    pids = descendants(running.pid)
    assert len(pids) >= 4
    running.terminate()
    assert running.wait(END_SECONDS) == 0
    assert not any(map(is_alive, pids))


def test_another_start_finds_what_the_first_one_made(environment):
    kept = json.loads(Path(environment["STATE_DIR"], "demo.json").read_text())
    done = subprocess.run([*DEMO, "--once"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    assert "Played in" in done.stdout
    assert json.loads(Path(environment["STATE_DIR"], "demo.json").read_text()) == kept


@pytest.mark.faults
def test_when_one_process_dies_all_end_and_it_is_named(demo):
    running, _ = demo
    pids = descendants(running.pid)
    os.kill(named(pids, "granian"), signal.SIGKILL)
    _, errors = running.communicate(timeout=END_SECONDS)
    assert running.returncode == 1
    assert "The web server was killed by SIGKILL" in errors.decode()
    assert ".log" in errors.decode()
    assert not any(map(is_alive, pids))


def test_a_step_that_fails_is_named_and_the_exit_code_says_so(environment):
    strict = {**environment, "API_RATE_LIMIT": "3"}
    done = subprocess.run([*DEMO, "--once"], cwd=ROOT, env=strict, capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert "rate_limited" in done.stderr
    assert f"The logs: {environment['STATE_DIR']}/log/" in done.stderr
