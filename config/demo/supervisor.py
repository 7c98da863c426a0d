"""Several processes as one: they start together, and when one ends all end."""

import contextlib
import ctypes
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from reuseid.ingress import server

ROOT = Path(__file__).resolve().parents[2]
GRACE_SECONDS = 2
"""How long a process may take to end after SIGTERM before it is killed: what it was about is a row, and found again."""


_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def _end_with_parent():
    """Linux: SIGTERM when the supervisor is killed outright, so that nothing goes on unseen."""
    if _libc:
        _libc.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


class Died(Exception):
    """A process ended by itself. The message says which, how, and where its log is."""

    def __init__(self, child):
        code = child.process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        super().__init__(f"The {child.name} {how}. Its log: {child.log}\n{child.tail()}")


class Stopped(BaseException):
    """Somebody asked for the end: Ctrl-C or SIGTERM. Not an Exception, so that no step takes it for its own."""

    def __init__(self, number):
        self.number = number
        super().__init__(signal.Signals(number).name)


@dataclass
class Child:
    """One process, in a process group of its own so that its own children end with it."""

    name: str
    command: list[str]
    log: Path
    process: subprocess.Popen = field(init=False)
    offset: int = field(init=False, default=0)

    def start(self, env):
        """Start it; its output is appended to the log."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.offset = log.tell()
            self.process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                self.command,
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    def tail(self, lines=12):
        """The last lines that this start wrote."""
        with self.log.open("rb") as log:
            log.seek(self.offset)
            written = log.read().decode(errors="replace").splitlines()
        return "\n".join(f"    {line}" for line in written[-lines:])

    def end(self):
        """Wait for the end that it was asked for; SIGKILL takes what is left of its group after the grace period."""
        try:
            self.process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Supervisor:
    """``with Supervisor(env) as s: s.start("worker", [...], log)``; leaving the block ends all, last started first."""

    def __init__(self, env=None):
        self.env = {**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})}
        self.children: dict[str, Child] = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self.children.values():
            child.process.send_signal(signal.SIGTERM)
        while self.children:
            self.children.popitem()[1].end()

    def start(self, name: str, command: list[str], log: Path) -> Child:
        """Start a process under a name that is not running."""
        child = Child(name, command, log)
        child.start(self.env)
        self.children[name] = child
        return child

    def stop(self, name: str, number=signal.SIGTERM):
        """End one process and go on with the others."""
        child = self.children.pop(name)
        child.process.send_signal(number)
        child.end()

    def check(self):
        """Raise Died when a process has ended."""
        for child in self.children.values():
            if child.process.poll() is not None:
                raise Died(child)

    def wait(self, seconds=None, until=None, every=0.1):
        """Sleep until ``until()`` is true (returns True) or the time is over (False), watching the processes."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while True:
            self.check()
            if until and until():
                return True
            if deadline and time.monotonic() > deadline:
                return False
            time.sleep(every)


@contextlib.contextmanager
def stopping_on_signals():
    """Ctrl-C and SIGTERM raise Stopped in the main thread; a second one changes nothing while all are being ended."""

    def stop(number, _frame):
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def port_is_free(port: int) -> bool:
    """Whether nothing listens on this port of 127.0.0.1. The server itself would share it with another silently."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def service(port: int) -> dict[str, list[str]]:
    """The commands of the service's processes, by name, in the order of their start."""
    celery = [sys.executable, "-m", "celery", "-A", "config"]
    return {
        "web server": server.command(port),
        "worker": [*celery, "worker", "--loglevel", "INFO", "--concurrency", "2", "--without-mingle"],
        "beat": [*celery, "beat", "--loglevel", "INFO", "--pidfile="],
    }


def answers(port: int) -> bool:
    """Whether the web server says that it is well."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
