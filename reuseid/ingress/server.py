"""How the web server is started: one command for the demo, the tests and docs/operating.md."""

import logging
import resource
import sys

from django.conf import settings

log = logging.getLogger(__name__)

CONNECTIONS = 8192
"""Connections that one worker holds at a time, those of waiting callers too; the next stay in the backlog."""
OPTIONS = {
    "--interface": "asgi",
    # The proxy in front speaks HTTP/1.1; a connection of HTTP/2 would count once and be two hundred requests.
    "--http": "1",
    "--backlog": "4096",
    "--backpressure": str(CONNECTIONS),
    # Milliseconds: for the first byte and the headers, and between two requests of one connection.
    "--http1-header-read-timeout": "10000",
    # Bytes of a request's headers.
    "--http1-buffer-size": "65536",
    "--workers-kill-timeout": "5",
}
"""Granian's options; docs/operating.md says what each is for."""
# Beside the connections: the database, Redis, files, the server's own.
_OTHER_FILES = 512


def command(port: int, host: str = "127.0.0.1", workers: int = 1) -> list[str]:
    """The command of a web server on this port."""
    options = OPTIONS | {"--host": host, "--port": str(port), "--workers": str(workers)}
    words = [word for option in options.items() for word in option]
    return [sys.executable, "-m", "granian", *words, "--no-ws", ":".join(settings.ASGI_APPLICATION.rsplit(".", 1))]


def open_files():
    """Let this process open as many files as its connections need; a warning where the system allows fewer."""
    wanted = CONNECTIONS + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    possible = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (possible, hard))
    if possible < wanted:
        log.warning(
            "This process may open %d files and would need %d for all its connections: raise RLIMIT_NOFILE "
            "(LimitNOFILE= of systemd, --ulimit nofile of a container) or lower --backpressure.",
            *(possible, wanted),
        )
