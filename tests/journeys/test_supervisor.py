"""Several processes as one: real processes, real signals."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from config.demo import supervisor
from config.demo.supervisor import Died, Supervisor
from tests.config.test_settings import PRODUCTION, ROOT
from tests.journeys.processes import is_alive

# Real processes take their time on a busy machine.
pytestmark = pytest.mark.timeout(300)
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
# Starts a process of its own and tells its number.
PARENT = [
    sys.executable,
    "-c",
    f"import subprocess, time; print(subprocess.Popen({SLEEP!r}).pid, flush=True); time.sleep(60)",
]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)",
]
SUPERVISED = """
import sys
from pathlib import Path
from config.demo import supervisor
try:
    with supervisor.stopping_on_signals(), supervisor.Supervisor() as running:
        for name in ("one", "two"):
            child = running.start(name, [sys.executable, "-c", "import time; time.sleep(60)"], Path(sys.argv[1]) / name)
            print(child.process.pid, flush=True)
        running.wait()
except supervisor.Stopped as stop:
    sys.exit(128 + stop.number)
"""


def eventually(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_one_that_ends_by_itself_ends_the_others_and_is_named_with_its_last_words(tmp_path):
    broken = [sys.executable, "-c", "import sys; print('no such table'); sys.exit(3)"]
    with Supervisor() as running:
        other = running.start("other", SLEEP, tmp_path / "other.log")
        running.start("broken one", broken, tmp_path / "broken.log")
        with pytest.raises(Died, match="broken one ended with exit code 3") as death:
            running.wait(10)
    assert "no such table" in str(death.value)
    assert str(tmp_path / "broken.log") in str(death.value)
    assert other.process.returncode == -signal.SIGTERM


def test_one_that_is_killed_is_named_with_the_signal(tmp_path):
    with Supervisor() as running:
        victim = running.start("victim", SLEEP, tmp_path / "log")
        os.kill(victim.process.pid, signal.SIGKILL)
        with pytest.raises(Died, match="victim was killed by SIGKILL"):
            running.wait(10)


def test_what_a_process_started_ends_with_it(tmp_path):
    with Supervisor() as running:
        parent = running.start("parent", PARENT, tmp_path / "log")
        assert running.wait(10, lambda: (tmp_path / "log").read_text().endswith("\n"))
        grandchild = int((tmp_path / "log").read_text())
        assert is_alive(grandchild)
    assert parent.process.returncode is not None
    assert eventually(lambda: not is_alive(grandchild))


def test_one_that_does_not_listen_is_killed_after_the_grace_period(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.2)
    with Supervisor() as running:
        deaf = running.start("deaf", DEAF, tmp_path / "log")
        assert running.wait(10, lambda: (tmp_path / "log").read_text() == "deaf\n")
    assert deaf.process.returncode == -signal.SIGKILL


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_supervisor_ends_all(tmp_path, number):
    command = [sys.executable, "-c", SUPERVISED, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        parent.send_signal(number)
        assert parent.wait(10) == 128 + number
    assert not any(map(is_alive, pids))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent is gone")
def test_a_supervisor_that_is_killed_outright_leaves_nothing_behind(tmp_path):
    command = [sys.executable, "-c", SUPERVISED, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        pids = [int(parent.stdout.readline()) for _ in range(2)]
        parent.kill()
    assert eventually(lambda: not any(map(is_alive, pids)))


def test_a_busy_port_is_said_in_one_line_that_names_another(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        environment = {**os.environ, "PORT": str(port), "STATE_DIR": str(tmp_path)}
        command = [sys.executable, "manage.py", "demo"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert f"Port {port} is in use" in done.stderr
    assert f"PORT={port + 1} make demo" in done.stderr


def test_the_demo_refuses_production(tmp_path):
    environment = {**os.environ, **PRODUCTION, "STATE_DIR": str(tmp_path)}
    command = [sys.executable, "manage.py", "demo"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "not for ENVIRONMENT=production" in done.stderr
