"""Which port a running demo has, for the commands that are called beside it: they speak of the same addresses."""

import contextlib
import fcntl
from pathlib import Path

NAME = "demo.port"


@contextlib.contextmanager
def told(state: Path, port: int):
    """While the block runs, `port_of` gives ``port``, or that of the demo that was here first.

    The lock goes with the process, however it ends.
    """
    with (state / NAME).open("a") as file:
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.truncate(0)
            file.write(str(port))
            file.flush()
        yield


def port_of(state: Path) -> int | None:
    """The port of the demo that runs on this state folder; None when none does, whatever an earlier one left."""
    try:
        with (state / NAME).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return int(file.read() or 0) or None
    except (OSError, ValueError):
        pass
    return None
