"""A person at a terminal: a real process behind a pseudo-terminal, what it shows and what is typed."""

import os
import pty
import re
import select
import subprocess
import sys
import time

from tests.config.test_settings import ROOT

ANSWER_SECONDS = 60
# The terminal becomes the process's own, as a login shell's is: hidden input is read from /dev/tty. Ctrl-C is heard,
# also where the tests run in a script's background, whose children would ignore it.
_OWN = """
import os, signal, sys
os.login_tty(0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Terminal:
    """``python -m mobileid.sdk`` with these arguments: ``see`` what it shows, ``type`` what it asks for, ``end``.

    ``program``: another one than that, with its words; ``cwd`` and ``env`` are those of a process.
    """

    def __init__(self, *arguments: str, program=(sys.executable, "-m", "mobileid.sdk"), cwd=ROOT, env=None):
        self._master, slave = pty.openpty()
        command = [sys.executable, "-c", _OWN, *program, *arguments]
        streams = {"stdin": slave, "stdout": slave, "stderr": slave}
        self._process = subprocess.Popen(command, cwd=cwd, env=env, start_new_session=True, **streams)
        os.close(slave)
        self._read = 0
        self.screen = ""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def see(self, pattern: str) -> re.Match:
        """Wait until something after what was seen last matches."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            found = re.search(pattern, self.screen[self._read :])
            if found:
                self._read += found.end()
                return found
            if time.monotonic() > deadline or not self._more():
                raise AssertionError(f"{pattern!r} was not shown, but:\n{self.screen}")

    def type(self, line: str):
        """As a person does, with Enter."""
        os.write(self._master, f"{line}\n".encode())

    def interrupt(self):
        """Ctrl-C alone: with an Enter behind it, the program might read an empty answer before it hears the signal.

        Once more where nothing follows, as a person does: Python hears one that comes between prompt and read only
        when the read is over.
        """
        shown = len(self.screen)
        for _ in range(5):
            os.write(self._master, b"\x03")
            deadline = time.monotonic() + 10
            while time.monotonic() < deadline:
                if not self._more() or self.screen[shown:].replace("^C", "").strip():
                    return

    def end(self) -> int:
        """Read what is left; the exit code."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while self._more():
            assert time.monotonic() < deadline, f"It does not end:\n{self.screen}"
        return self._process.wait(ANSWER_SECONDS)

    def _more(self) -> bool:
        """Wait a moment for more; False when the other end is closed."""
        if not select.select([self._master], [], [], 0.2)[0]:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:  # Linux: EIO once nobody has the other end open
            return False
        self.screen += data.decode().replace("\r\n", "\n")
        return bool(data)
