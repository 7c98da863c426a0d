"""Real processes on the test's own database: workers, beats, a Redis that may be killed, somebody who changes users."""

import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
import redis
from django.db import connection

from config.demo.supervisor import ROOT, Supervisor, free_port

# Everything that takes time is short; nothing else differs from production.
SHORT = {
    "CALLBACK_TIMEOUT": "1",
    "CALLBACK_LEASE": "3",
    "CALLBACK_RUN": "5",
    "CALLBACK_SWEEP": "1",
    "BULK_SWEEP": "1",
    "CALLBACK_RETRIES": ",".join(["0", *["1"] * 60]),
    "CALLBACK_BREAKER_REST": "1,2",
    "BEAT_SILENCE": "4",
}
CELERY = [sys.executable, "-m", "celery", "-A", "config"]


def database_url():
    """Of the test's database, for other processes."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{quote(str(values['NAME']))}"
    return (
        f"postgresql://{quote(values['USER'])}:{quote(values['PASSWORD'] or '')}@{values['HOST'] or '127.0.0.1'}"
        f":{values['PORT'] or 5432}/{values['NAME']}"
    )


def until(true, seconds, what):
    """Wait, and say what did not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


@dataclass
class Redis:
    """A Redis server of our own, without persistence: killed, it has forgotten everything."""

    folder: Path
    port: int

    def start(self):
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with (self.folder / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(command, cwd=self.folder, stdout=log, stderr=log)
        self.client = redis.Redis(port=self.port)
        until(self._answers, 10, "Redis answers")

    def _answers(self):
        try:
            return self.client.ping()
        except redis.ConnectionError:
            return False

    def kill(self):
        self.client.close()
        self.process.kill()
        self.process.wait()


class Stage:
    """``with Stage(folder) as stage``: leaving it ends every process."""

    def __init__(self, folder: Path, **environment):
        self.folder = folder
        self.redis = Redis(folder, free_port())
        env = {
            **SHORT,
            "DATABASE_URL": environment.pop("DATABASE_URL", None) or database_url(),
            "REDIS_URL": f"redis://127.0.0.1:{self.redis.port}/0",
            "STATE_DIR": str(folder / "state"),
            **environment,
        }
        self.processes = Supervisor(env)

    def __enter__(self):
        self.redis.start()
        return self

    def __exit__(self, *exception):
        for name in list(self.processes.children):
            self.kill(name)
        self.redis.kill()
        # It may have been cut too: the next test begins with a new one.
        connection.close()

    def worker(self, name="worker", concurrency=1, queues="callbacks,sweeps"):
        options = ["--concurrency", str(concurrency), "--without-mingle", "--without-gossip", "-n", f"{name}@stage"]
        self.processes.start(name, [*CELERY, "worker", "-Q", queues, *options], self.folder / f"{name}.log")

    def beat(self, name="beat"):
        self.processes.start(name, [*CELERY, "beat", "--pidfile="], self.folder / f"{name}.log")

    def kill(self, name):
        """SIGKILL to the process and all its children at once."""
        self.processes.stop(name, signal.SIGKILL)

    def writer(self, account, users, changes):
        """Another process that locks and unlocks the account's users; it prints its slowest change in ms."""
        command = [sys.executable, "-m", "tests.faults.writer", str(account), str(users), str(changes)]
        environment = self.processes.env
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)

    def cut_connections(self):
        """Terminate every other connection to the database."""
        with psycopg.connect(database_url(), autocommit=True) as own:
            own.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid NOT IN (pg_backend_pid(), %s)",
                [connection.connection.info.backend_pid],
            )

    def log(self, name):
        return (self.folder / f"{name}.log").read_text()
