"""What a PostgreSQL server on this machine works for one database: CPU from /proc, counters from its own statistics."""

import contextlib
import re
import threading
from pathlib import Path

from django.db import connection

from bench.load import cpu_times

SETTLE_SECONDS = 11
"""An idle backend tells its statistics after ten seconds at the latest (PGSTAT_IDLE_INTERVAL)."""
_OWN = re.compile(r"checkpointer|background writer|walwriter|launcher|archiver|startup|stats|logger")
_CLIENT = re.compile(r"\(\d+\)|\[local\]|autovacuum worker \S")
_COUNTERS = ("xact_commit", "xact_rollback", "tup_inserted", "tup_updated", "tup_deleted", "sessions")
_EVERY = 0.1


class Watch:
    """``with Watch() as w``: CPU seconds so far of one database's backends, ended ones too, and of the server's own.

    The server counts what ended as a whole. What other databases' sessions used, as last seen, is taken off that:
    the figure is exact while nobody else works there, and a little too high else.
    """

    def __init__(self) -> None:
        self.server = _server()
        self._kinds: dict[int, str] = {}
        self._seen: dict[int, float] = {}
        self._others_ended = 0.0
        self._lock = threading.Lock()
        self._done = threading.Event()
        name = re.escape(connection.settings_dict["NAME"])
        self._mine = re.compile(rf"^postgres: .*\s{name}(\s|$)")

    def __enter__(self) -> "Watch":
        if self.server:
            threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._done.set()

    def cpu(self) -> dict[str, float]:
        """Seconds by kind: ``backends`` of this database, ``server`` (its own processes), ``others``."""
        if not self.server:
            return {}
        with self._lock:
            self._look()
            sums = dict.fromkeys(("backends", "server", "others"), 0.0)
            for pid, seconds in self._seen.items():
                sums[self._kinds[pid]] += seconds
            own, ended = cpu_times(self.server)
        return {
            "backends": sums["backends"] + ended - self._others_ended,
            "server": sums["server"] + own,
            "others": sums["others"] + self._others_ended,
        }

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            with self._lock:
                self._look()

    def _look(self) -> None:
        alive = Path(f"/proc/{self.server}/task/{self.server}/children").read_text().split()
        for pid in map(int, alive):
            with contextlib.suppress(OSError):
                # One that goes meanwhile stays what it was, or is not known at all.
                self._kinds[pid] = self._kind(pid)
                self._seen[pid] = sum(cpu_times(pid))
        for pid in self._kinds.keys() - set(map(int, alive)):
            seconds = self._seen.pop(pid, 0.0)
            if self._kinds.pop(pid) == "others":
                self._others_ended += seconds

    def _kind(self, pid: int) -> str:
        known = self._kinds.get(pid)
        title = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").strip("\0 ")
        if known in ("server", "others") or not title.startswith("postgres:"):
            # Sticky, since a title of what ends is empty; one that is new still has its parent's.
            return known or "backends"
        if self._mine.match(title):
            return "backends"
        if _CLIENT.search(title):
            return "others"
        return "server" if _OWN.search(title) else "backends"


def _server() -> int:
    """The pid of the server's first process, 0 where it is not on this machine or may not be seen."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    with contextlib.suppress(OSError):
        if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"postgres"):
            return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0


def counters() -> dict[str, int]:
    """Of this database since they were last reset; PostgreSQL 14 or newer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM pg_stat_database WHERE datname = current_database()")
        row = dict(zip((column.name for column in cursor.description), cursor.fetchone(), strict=True))
    connection.close()
    return {name: row[name] for name in _COUNTERS}
