"""A receiver on loopback that answers as it is told, and keeps what it was sent."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def answer(status: int, text: str = "", **headers: str) -> bytes:
    """A whole HTTP answer; ``Retry_After="60"`` is a header."""
    lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {len(text.encode())}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n" + text).encode()


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass
class Receiver:
    """Answers with ``answers`` one after the other, then with ``always``. None closes the connection without a word.

    ``drip_seconds`` puts that long a pause before each byte.
    """

    server: socket.socket
    always: bytes | None = OK
    answers: list[bytes | None] = field(default_factory=list)
    drip_seconds: float = 0.0
    requests: list[Request] = field(default_factory=list)
    is_closing: threading.Event = field(default_factory=threading.Event)

    @property
    def port(self) -> int:
        return int(self.server.getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.requests]

    def serve(self) -> None:
        while not self.is_closing.is_set():
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.handle, args=(connection,), daemon=True).start()

    def handle(self, connection: socket.socket) -> None:
        with connection:
            try:
                request = read_request(connection)
                if request is None:
                    return
                self.requests.append(request)
                said = self.answers.pop(0) if self.answers else self.always
                self.say(connection, said)
            except OSError:
                return

    def say(self, connection: socket.socket, said: bytes | None) -> None:
        if said is None:
            return
        if not self.drip_seconds:
            connection.sendall(said)
            return
        for byte in said:
            if self.is_closing.wait(self.drip_seconds):
                return
            connection.sendall(bytes([byte]))


def read_request(connection: socket.socket) -> Request | None:
    connection.settimeout(10)
    received = b""
    while b"\r\n\r\n" not in received:
        received += (part := connection.recv(65536))
        if not part:
            return None
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += (part := connection.recv(65536))
        if not part:
            return None
    return Request(first.split()[1], headers, body)


@contextmanager
def receiving(host: str = "127.0.0.1") -> Iterator[Receiver]:
    with socket.create_server((host, 0), backlog=256) as server:
        receiver = Receiver(server)
        thread = threading.Thread(target=receiver.serve, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.is_closing.set()
            server.shutdown(socket.SHUT_RDWR)
            time.sleep(0)
            thread.join(5)
