"""An integrator's webhook receiver on this machine: keeps what verifies, refuses the rest."""

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

LIMIT = 4 * 1024 * 1024
"""Bytes of the largest callback: 2 MiB of content in base64, and its frame."""


@dataclass(frozen=True)
class Callback:
    """One that arrived with a good signature; ``id`` is the same on every try."""

    id: str
    type: str
    data: dict


class Receiver:
    """``with Receiver() as r``: register ``r.url``, put the endpoint's secret into ``r.secret``, then ``r.find(…)``."""

    def __init__(self):
        self.secret = ""
        self.callbacks: dict[str, Callback] = {}
        self.refused: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/callbacks"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def find(self, event_type: str, operation_id: str) -> Callback | None:
        """The callback of this type about this operation, when it has arrived."""
        for callback in list(self.callbacks.values()):
            if callback.type == event_type and callback.data.get("operationId") == operation_id:
                return callback
        return None

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """Verify with the published library and keep, once an id; the HTTP status to answer."""
        try:
            payload = Webhook(self.secret or "none").verify(body, headers)
        except (WebhookVerificationError, ValueError) as error:
            self.refused.append(f"{type(error).__name__}: {error}")
            return 400
        callback = Callback(headers["webhook-id"], payload["type"], payload["data"])
        self.callbacks.setdefault(callback.id, callback)
        return 204


def _handler(receiver):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            length = int(self.headers.get("content-length") or 0)
            if length > LIMIT:
                self.close_connection = True
                return self._answer(413)
            headers = {name.lower(): value for name, value in self.headers.items()}
            return self._answer(receiver.take(self.rfile.read(length), headers))

        def _answer(self, status):
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            """Silent: the play says what arrived."""

    return Handler
