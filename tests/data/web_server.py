"""A web server for tests that does exactly what it is told, also what no server should do."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable


def answer(status: int, body: bytes, *headers: tuple[bytes, bytes], length: int | None = None) -> bytes:
    """A whole HTTP answer; `length` is what it says about itself."""
    lines = [b"HTTP/1.1 %d Word" % status, b"Content-Length: %d" % (len(body) if length is None else length)]
    lines += [name + b": " + value for name, value in headers]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


class WebServer:
    """`pages` maps a path to a function of it: bytes to send, or a generator of bytes; "/" stands for all others.

    `asked` lists the paths in the order they came, `most` is how many were answered at the same time, `connections` how
    many there were in all.
    """

    def __init__(self) -> None:
        self.pages: dict[str, Callable] = {}
        self.asked: list[str] = []
        self.heads: list[bytes] = []
        self.most = 0
        self.connections = 0
        self._now = 0
        self._lock = threading.Lock()
        self._open = True
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._socket.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> WebServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._open = False
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def _serve(self) -> None:
        while self._open:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while self._open and (head := self._head(connection)):
                path = head.split(b" ")[1].decode()
                with self._lock:
                    self.asked.append(path)
                    self.heads.append(head)
                    self._now += 1
                    self.most = max(self.most, self._now)
                page = self.pages.get(path) or self.pages.get("/") or (lambda _: answer(404, b""))
                try:
                    sent = page(path)
                    for part in () if isinstance(sent, bytes) else sent:
                        connection.sendall(part)
                finally:
                    with self._lock:
                        self._now -= 1
                if isinstance(sent, bytes):  # counted out before: who has it may ask for the next at once
                    connection.sendall(sent)
                if not isinstance(sent, bytes):  # such an answer ends with its connection
                    return

    @staticmethod
    def _head(connection: socket.socket) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head:
            part = connection.recv(4096)
            if not part:
                return b""
            head += part
            if head.startswith(b"\x16"):  # somebody begins to speak TLS
                return b"TLS /tls"
        return head


def slowly(*parts: bytes, wait_s: float):
    """Parts with a wait after each, for ever: the last one is repeated."""

    def page(_: str):
        yield from parts[:-1]
        while True:
            yield parts[-1]
            time.sleep(wait_s)

    return page
