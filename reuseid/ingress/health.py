"""Signs of life that a full house does not starve.

On the main port /healthz is answered by the event loop itself, before every queue. When all connections are taken even
that is not reached; so a listener of its own (setting HEALTH_LISTEN) asks the loop from a thread beside it. Why not a
process: docs/decisions/0016-health-beside-the-loop.md.
"""

import asyncio
import http.server
import json
import logging
import threading

from django.conf import settings

from reuseid.ingress import answers, server

log = logging.getLogger(__name__)
PATH = "/healthz"
JSON = "application/json"
_OK = json.dumps({"status": "ok"}).encode()
_STUCK = json.dumps({"status": "stuck"}).encode()
LOOP_SECONDS = 2
"""How long the event loop may take for one turn before it counts as stuck."""


class Health:
    """Answers /healthz; at the server's start makes room for connections and opens the listener, at its end ends both
    the listener and the threads."""

    def __init__(self, app, threads):
        self.app, self._threads = app, threads

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return await self._live(receive, send)
        if scope["type"] == "http" and scope["path"] == PATH and scope["method"] in {"GET", "HEAD"}:
            return await answers.plain(scope, 200, _OK, JSON).pass_on(send)
        return await self.app(scope, receive, send)

    async def _live(self, receive, send):
        listener = None
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                server.open_files()
                try:
                    listener = Listener.of_settings(asyncio.get_running_loop())
                except OSError as error:
                    text = f"HEALTH_LISTEN={settings.HEALTH_LISTEN}: {error.strerror}."
                    await send({"type": "lifespan.startup.failed", "message": text})
                    return
                await send({"type": "lifespan.startup.complete"})
            else:
                if listener:
                    listener.close()
                await asyncio.to_thread(self._threads.close)
                await send({"type": "lifespan.shutdown.complete"})
                return


class Listener:
    """HTTP on an address of its own, served by threads: 200 while the event loop turns, 503 when it is stuck.

    Workers of one server share the address (SO_REUSEPORT), so each probe asks one of them.
    """

    def __init__(self, host: str, port: int, loop: asyncio.AbstractEventLoop):
        """Raises OSError when the address can't be had."""
        self._server = _Server((host, port), _Handler)
        self._server.loop = loop
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()

    @classmethod
    def of_settings(cls, loop):
        """The one that the settings ask for, or None."""
        if not settings.HEALTH_LISTEN:
            return None
        host, _, port = settings.HEALTH_LISTEN.rpartition(":")
        return cls(host, int(port), loop)

    def close(self):
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    allow_reuse_port = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    loop: asyncio.AbstractEventLoop

    def handle_error(self, request, client_address):
        """A prober that hangs up is no news."""
        log.debug("A probe of %s broke off.", PATH, exc_info=True)


class _Handler(http.server.BaseHTTPRequestHandler):
    timeout = LOOP_SECONDS
    server_version, sys_version = "health", ""
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        """200, 503, or 404 for any other path."""
        if self.path != PATH:
            self._answer(404, b"")
            return
        turned = threading.Event()
        self.server.loop.call_soon_threadsafe(turned.set)
        alive = turned.wait(LOOP_SECONDS)
        self._answer(200 if alive else 503, _OK if alive else _STUCK)

    do_HEAD = do_GET

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", JSON)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        """Probes are not logged."""
