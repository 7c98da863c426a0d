"""A real receiver of callbacks: an HTTP or HTTPS server in a thread that answers as it is told and keeps what came."""

import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Got:
    """One request as it came."""

    path: str
    headers: dict
    body: bytes
    at: float = field(default_factory=time.time)

    @property
    def id(self):
        return self.headers["webhook-id"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        got = Got(self.path, headers, body)
        with self.server.lock:
            self.server.got.append(got)
            number = len(self.server.got)
        answer = self.server.answer
        answer = answer(got, number) if callable(answer) else answer
        self._answer(*answer) if isinstance(answer, tuple) else self._answer(answer)

    def _answer(self, status, headers=None, body=b""):
        if status == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            return
        if status == "endless":
            self._endless()
            return
        if status == "drip":
            self._drip()
            return
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _endless(self):
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
        try:
            while True:
                self.wfile.write(chunk)
        except OSError:
            pass

    def _drip(self):
        """A header line, a byte at a time, for ever: no single read is slow."""
        self.close_connection = True
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nx-slow: ")
            while not self.server.stopping.wait(0.1):
                self.wfile.write(b".")
                self.wfile.flush()
        except OSError:
            pass

    def log_message(self, *arguments):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


class Receiver:
    """``answer``: a status, ``(status, headers, body)``, "reset", "endless", "drip", or a function of (got, number)."""

    def __init__(self, answer=200, *, certificate=None, port=0):
        self.server = _Server(("127.0.0.1", port), _Handler)
        self.server.answer, self.server.got = answer, []
        self.server.lock, self.server.stopping = threading.Lock(), threading.Event()
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.scheme = "https"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exception):
        self.server.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    @property
    def port(self):
        return self.server.server_address[1]

    @property
    def url(self):
        return f"{self.scheme}://{'localhost' if self.scheme == 'https' else '127.0.0.1'}:{self.port}/hook"

    @property
    def got(self):
        with self.server.lock:
            return list(self.server.got)

    def answers(self, answer):
        self.server.answer = answer

    def wait(self, count, seconds=10):
        """Until so many requests came."""
        until = time.monotonic() + seconds
        while len(self.got) < count:
            assert time.monotonic() < until, f"{len(self.got)} of {count} came"
            time.sleep(0.01)
        return self.got
