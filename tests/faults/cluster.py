"""A PostgreSQL of the test's own, that may be stopped and crashed."""

import getpass
import os
import shutil
import subprocess
from pathlib import Path

import psycopg

from config.demo.supervisor import free_port

# The server refuses to run as root: then it is this user's.
OWNER = "postgres"


def programs() -> Path | None:
    """The folder of the newest installed server's programs."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    found = folders[-1] if folders else shutil.which("pg_ctl")
    return Path(found).parent if found else None


class Cluster:
    """``with Cluster(folder) as cluster``: an empty server on a port of its own, gone afterwards."""

    def __init__(self, folder: Path):
        self.folder, self.port = folder, free_port()
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def __enter__(self):
        self.folder.mkdir()
        if os.getuid() == 0:
            shutil.chown(self.folder, OWNER)
            for parent in [*self.folder.parents][:-2]:
                parent.chmod(parent.stat().st_mode | 0o011)
        self._run("initdb", "-D", self.data, "-A", "trust", "-U", "postgres")
        self.start()
        return self

    def __exit__(self, *exception):
        self.crash()

    @property
    def data(self):
        return str(self.folder / "data")

    def start(self):
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        self._run("pg_ctl", "-D", self.data, "-w", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self):
        """As an administrator stops it: sessions are ended, what was committed is on disk."""
        self._run("pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")

    def crash(self):
        """At once, without a checkpoint: it recovers from its log when it starts."""
        self._run("pg_ctl", "-D", self.data, "-w", "-m", "immediate", "stop")

    def ask(self, query):
        """The rows of one query."""
        with psycopg.connect(self.url) as own:
            return own.execute(query).fetchall()

    def _run(self, program, *arguments):
        command = [str(programs() / program), *arguments]
        if os.getuid() == 0 and getpass.getuser() != OWNER:
            command = ["runuser", "-u", OWNER, "--", *command]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/")
        assert done.returncode == 0, done.stderr
