"""The processes that are measured, as docs/operating.md starts them, and what they use."""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from bench.load import cpu_of, descendants
from bench.receiver import ROOT
from config.demo import supervisor
from reuseid.ingress import server

PATIENCE = 60
UNLIMITED = "100000000"
"""Limits are counted as ever, and refuse nobody."""
LIMITS = ("API_RATE_LIMIT", "DEVICE_RATE_LIMIT", "OAUTH_RATE_LIMIT")


class Stack:
    """Web server, worker and beat that answer, and the CPU that the web server took until it did."""

    def __init__(self, children: dict[str, supervisor.Child], start_up: float) -> None:
        self._children, self.start_up = children, start_up

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far, by process tree."""
        return {name: cpu_of(child.process.pid) for name, child in self._children.items()}

    def web_workers(self) -> list[int]:
        """Pids of the web server's workers."""
        return sorted(descendants(self._children["web server"].process.pid))

    def worker(self) -> list[int]:
        """Pids of the worker's processes."""
        pid = self._children["worker"].process.pid
        return [pid, *descendants(pid)]


@contextlib.contextmanager
def running(port: int, workers: int, databases: dict[str, str] | None = None) -> Iterator[Stack]:
    """``databases`` are the DATABASE_URLs of some of the processes, by their names, where they have others."""
    commands = supervisor.service(port)
    commands["web server"] = [*server.command(port, workers=workers)[:-1], "bench.asgi:application"]
    # The load generator is the proxy: it tells an address for each phone.
    env = {"PORT": str(port), "PUBLIC_URL": f"http://127.0.0.1:{port}", "TRUSTED_PROXIES": "1"}
    env |= dict.fromkeys(LIMITS, UNLIMITED)
    log = settings.STATE_DIR / "log" / "bench_flows.log"
    children = {}
    with contextlib.ExitStack() as started:
        for name, command in commands.items():
            own = {"DATABASE_URL": databases[name]} if databases else {}
            watched = started.enter_context(supervisor.Supervisor(env | own))
            children[name] = watched.start(name, command, log)
            if name == "web server":
                if not watched.wait(PATIENCE, lambda: supervisor.answers(port)):
                    raise CommandError(f"The web server does not answer; its log: {log}")
                start_up = cpu_of(children[name].process.pid)
        yield Stack(children, start_up)


class Driver:
    """The load generator's process: ``ask("flows", concurrency=8, seconds=30)`` returns what it answers."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "bench.flows.generator"]
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )

    def __enter__(self) -> "Driver":
        return self

    def __exit__(self, *_) -> None:
        self._process.terminate()
        self._process.wait()

    def ask(self, command: str, meanwhile: Callable[[], None] | None = None, **values: Any) -> dict[str, Any]:
        """``meanwhile`` is called each minute that it takes."""
        self._process.stdin.write(json.dumps({"do": command} | values) + "\n")
        self._process.stdin.flush()
        answered: list[str] = []
        reader = threading.Thread(target=lambda: answered.append(self._process.stdout.readline()), daemon=True)
        reader.start()
        while reader.is_alive():
            reader.join(60)
            if meanwhile and reader.is_alive():
                meanwhile()
        if not answered[0]:
            raise CommandError("The load generator has ended.")
        return json.loads(answered[0])


def wait_for(until: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not until():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
