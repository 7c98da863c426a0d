"""Requests byte by byte: what a well-behaved client library would not send."""

import os
import socket
from contextlib import ExitStack, contextmanager

from tests.journeys.processes import descendants

PATIENCE = 30
"""Seconds after which a silent server fails a test."""


def connect(port):
    """A connection to the web server."""
    line = socket.create_connection(("127.0.0.1", port))
    line.settimeout(PATIENCE)
    return line


@contextmanager
def crowd(port, size):
    """So many connections that say nothing."""
    with ExitStack() as held:
        yield [held.enter_context(connect(port)) for _ in range(size)]


def head(method, path, *lines):
    """A request without its body."""
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


def answer(line):
    """Status, headers and body of what comes, up to the end of the connection or of the body."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        part = line.recv(65536)
        assert part, raw
        raw += part
    top, _, body = raw.partition(b"\r\n\r\n")
    status, *rest = top.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in rest)}
    while len(body) < int(headers.get("content-length", 0)):
        body += line.recv(65536)
    return int(status.split()[1]), headers, body


def is_closed(line):
    """Whether the other side ends the connection."""
    try:
        return line.recv(1) == b""
    except ConnectionResetError:
        return True


def open_files(pid):
    """What a process and those that it started have open beside the usual: names of files that are deleted already."""
    names = []
    for each in [pid, *descendants(pid)]:
        try:
            for entry in os.scandir(f"/proc/{each}/fd"):
                names.append(os.readlink(entry.path))
        except OSError:
            continue
    return names
