"""A service of its own for each module: real web server, worker and beat, spoken to over HTTP and nothing else."""

import json
import os
import shutil
import subprocess
import sys
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import redis

from config.demo import play, supervisor
from config.demo.integrator import Account, Integrator
from config.demo.receiver import Receiver
from mobileid.sdk.transport import HttpTransport
from tests.config.test_settings import ROOT

READY_SECONDS = 120
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


@dataclass
class Installation:
    """Where it keeps its state, what its environment is, and its processes by name."""

    state: Path
    port: int
    environment: dict[str, str]
    running: supervisor.Supervisor = field(init=False)

    def manage(self, *arguments: str) -> str:
        """``manage.py …`` beside the running service; what it printed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def create_account(self, name: str) -> Account:
        """As an operator does."""
        return Account.from_dict(json.loads(self.manage("create_account", name, "--json")))

    def start(self, name: str):
        """Start one of its processes."""
        log = self.state / "log" / f"{name.split()[0]}.log"
        self.running.start(name, supervisor.service(self.port)[name], log)

    def start_all(self):
        """Start all; back when it answers."""
        for name in supervisor.service(self.port):
            self.start(name)
        assert self.running.wait(READY_SECONDS, self.is_ready)

    def lose_wakeups(self) -> int:
        """Empty the broker's queue of callbacks, as a broker that was replaced has; how many there were, and notes."""
        if "REDIS_URL" in self.environment:
            note = "standby:reuseid.tasks.send_owed_callbacks:note"
            with redis.Redis.from_url(self.environment["REDIS_URL"]) as broker:
                lost = broker.pipeline().llen("callbacks").llen(note).delete("callbacks", note).execute()
                return lost[0] + lost[1]
        messages = list((self.state / "broker" / "queue").glob("*.callbacks.msg"))
        for message in messages:
            message.unlink()
        return len(messages)

    def is_ready(self) -> bool:
        """Whether its web server answers."""
        return supervisor.answers(self.port)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """The DATABASE_URL of a database that is migrated and empty, to copy from."""
    environment = {"STATE_DIR": str(tmp_path_factory.mktemp("migrated"))}
    with _database(environment):
        Installation(Path(environment["STATE_DIR"]), 0, environment).manage("migrate", "--verbosity", "0")
        yield environment["DATABASE_URL"]


@pytest.fixture(scope="module")
def environment():
    """What a module wants beside the usual; override it there."""
    return {}


@pytest.fixture(scope="module")
def installation(tmp_path_factory, migrated, environment):
    """It runs; state, database and processes are gone afterwards."""
    state, port = tmp_path_factory.mktemp("state"), supervisor.free_port()
    state.chmod(0o700)
    environment = {**environment, "STATE_DIR": str(state), "PORT": str(port)}
    environment["PUBLIC_URL"] = f"http://127.0.0.1:{port}"
    with _database(environment, like=migrated):
        installation = Installation(state, port, environment)
        with supervisor.Supervisor(environment) as running:
            installation.running = running
            installation.start_all()
            yield installation


@pytest.fixture(scope="session")
def own_database():
    """``with own_database(environment)``: its DATABASE_URL is gone afterwards, its REDIS_URL is nobody else's."""
    return _database


@contextmanager
def _database(environment, like=""):
    """On PostgreSQL a database of its own, in the state folder on SQLite; on Redis 14 or, for the second worker, 15.

    ``like``: the DATABASE_URL of one that it begins as a copy of.
    """
    if os.environ.get("REDIS_URL"):
        environment["REDIS_URL"] = urlunsplit(urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{14 + WORKER}"))
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        file = f"{environment['STATE_DIR']}/reuseid.sqlite3"
        environment["DATABASE_URL"] = f"sqlite:///{file}"
        if like:
            shutil.copy(like.removeprefix("sqlite:///"), file)
        yield
        return
    name = f"journey_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}{' TEMPLATE ' + urlsplit(like).path[1:] if like else ''}")
        environment["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        try:
            yield
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def receiver():
    """An integrator's webhook receiver."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def scene(installation, receiver):
    """A new account whose back end has signed in, with Ada, her phone and a place for callbacks."""
    account = installation.create_account(f"Bank {uuid.uuid4().hex[:8]}")
    with Integrator(account) as bank, HttpTransport(account.server) as line:
        scene = play.Scene(bank, receiver, installation.running.wait, line)
        for step in (play.open_account, play.register_receiver, play.know_customer, play.register_phone):
            step(scene)
        yield scene


@pytest.fixture
def stranger(installation):
    """Another account's back end, signed in."""
    with Integrator(installation.create_account(f"Stranger {uuid.uuid4().hex[:8]}")) as stranger:
        stranger.sign_in()
        yield stranger
