"""HTTP/1.1 over a kept connection with as little work as it takes: the load generator shares the processors."""

import socket

from mobileid.sdk.transport import Answer

TIMEOUT_SECONDS = 60.0


class Connection:
    """One request at a time to a server of this machine; `OSError` when it breaks."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None
        self._left = b""

    def send(self, method: str, target: str, body: bytes = b"", headers: str = "") -> Answer:
        """Once more on a new connection where the kept one was closed meanwhile."""
        head = f"{method} {target} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nContent-Length: {len(body)}\r\n{headers}"
        message = head.encode() + b"\r\n" + body
        if self._socket is not None:
            try:
                return self._exchange(message)
            except ConnectionError:
                self.close()
        self._socket = socket.create_connection(("127.0.0.1", self._port), TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._exchange(message)

    def close(self) -> None:
        """The next request opens it anew."""
        if self._socket is not None:
            self._socket.close()
        self._socket, self._left = None, b""

    def _exchange(self, message: bytes) -> Answer:
        self._connected().sendall(message)
        first, *lines = self._until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _colon, value in pairs}
        if headers.get("transfer-encoding") == "chunked":
            body = self._chunks()
        else:
            body = self._exactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "") == "close":
            self.close()
        return Answer(int(first[9:12]), headers, body)

    def _connected(self) -> socket.socket:
        assert self._socket is not None
        return self._socket

    def _more(self) -> None:
        told = self._connected().recv(65536)
        if not told:
            raise ConnectionResetError("The server closed the connection.")
        self._left += told

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._left:
            self._more()
        found, _mark, self._left = self._left.partition(mark)
        return found

    def _exactly(self, count: int) -> bytes:
        while len(self._left) < count:
            self._more()
        found, self._left = self._left[:count], self._left[count:]
        return found

    def _chunks(self) -> bytes:
        body = b""
        while size := int(self._until(b"\r\n"), 16):
            body += self._exactly(size)
            self._until(b"\r\n")
        self._until(b"\r\n")
        return body


def json_headers(token: str) -> str:
    """Of a call of the REST API with a JSON body."""
    return f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
