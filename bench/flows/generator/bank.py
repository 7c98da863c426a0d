"""The integrator's back end."""

import base64
import json
import threading
import time
from typing import Any

from bench.flows.generator.http import json_headers
from bench.flows.generator.phones import Line
from mobileid.sdk.transport import Answer

CORE = "/mobileid/core/"
USERS = "/reuseid/core/users"
CONTENT = {"title": "Sign in", "mimeType": "text/plain", "content": "Sign in to the bank?"}
TOKEN_SECONDS = 1800
"""After so long another access token is fetched: they live for an hour."""


class Unexpected(Exception):
    """The service answered something else than what the load is about."""


class Bank:
    """One API client; for several threads at once."""

    def __init__(self, line: Line, client_id: str, secret: str) -> None:
        self.line = line
        self._basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        self._lock = threading.Lock()
        self._headers, self._until = "", 0.0

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """A call of the REST API; raises Unexpected for what is not 2xx."""
        with self._lock:
            if time.monotonic() > self._until:
                self._sign_in()
        content = b"" if body is None else json.dumps(body).encode()
        return told(self.line.send(method, path, content, self._headers))

    def start(self, user: str, device_id: str, **more: Any) -> str:
        """An authentication by PIN on one phone; its id."""
        asked = {"authLevel": "TWO_FACTOR", "authMethods": ["DEVICE_PIN"], "preOperationContext": CONTENT}
        body = {"userId": user, "deviceId": device_id, "operationProperties": asked} | more
        return self.call("POST", f"{CORE}authentications", body)["operationId"]

    def _sign_in(self) -> None:
        form = "Content-Type: application/x-www-form-urlencoded\r\n"
        answer = self.line.send(
            "POST", "/oauth/token", b"grant_type=client_credentials", f"{form}Authorization: Basic {self._basic}\r\n"
        )
        self._headers = json_headers(told(answer)["access_token"])
        self._until = time.monotonic() + TOKEN_SECONDS


def told(answer: Answer) -> Any:
    """The JSON of a good answer; raises Unexpected."""
    if not 200 <= answer.status < 300:
        raise Unexpected(f"{answer.status} {answer.body[:300].decode(errors='replace')}")
    return json.loads(answer.body) if answer.body else {}


def expect(state: str, wanted: str) -> None:
    """Raises Unexpected where an operation is in another state."""
    if state != wanted:
        raise Unexpected(f"state {state}")
