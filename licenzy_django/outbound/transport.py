"""One POST to one checked address: no redirects, no proxies, and it ends when it has to.

``http.client`` from the standard library, because the connection has to go to the very address that was checked while
the certificate has to name the host; the usual clients resolve the name again.
"""

from __future__ import annotations

import http.client
import io
import re
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Any

from django.utils import timezone

from licenzy_django.outbound.addresses import Address, AddressRefused, Target, addresses_of, target_of

CONNECT_SECONDS = 5.0
TOTAL_SECONDS = 15.0
"""For everything after the name was resolved, however slowly the other side drips."""

MAX_ANSWER_BYTES = 4096
MAX_STORED_CHARACTERS = 160
MAX_ADDRESSES = 3
SECRETS = re.compile(r"whsec_[\w+/=-]*|v1a?,[\w+/=-]+|(sk|rk|lz)_(test|live)_\w*|Bearer\s+\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``status`` is None if nothing did.

    Attributes:
        error: empty for a 2xx; else one line for the operator.
        retry_after: seconds that the other side asked for.
    """

    status: int | None = None
    error: str = ""
    retry_after: float | None = None

    @property
    def is_success(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send it. Never raises for what the other side, the network or the address does wrong."""
    try:
        target = target_of(url)
        addresses = addresses_of(target)
        ends_at = time.monotonic() + TOTAL_SECONDS
        with connected(target, addresses, ends_at) as connection:
            return exchange(connection, target, body, headers, ends_at)
    except AddressRefused as refusal:
        return Answer(error=str(refusal))
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Answer(error=in_one_line(f"{type(error).__name__}: {error}"))


def connected(target: Target, addresses: list[Address], ends_at: float) -> socket.socket:
    """A connection to one of the checked addresses, and to nothing else."""
    failure: OSError = OSError("The name has no address.")
    for address in addresses[:MAX_ADDRESSES]:
        connection = socket.socket(address.family, socket.SOCK_STREAM)
        try:
            connection.settimeout(min(CONNECT_SECONDS, left(ends_at)))
            connection.connect(address.socket_address)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if target.is_https:
                return tls_context().wrap_socket(connection, server_hostname=target.host)
            return connection
        except OSError as error:
            connection.close()
            failure = error
    raise failure


@cache
def tls_context() -> ssl.SSLContext:
    """Certificates and host names are verified. Reading the authorities takes a while, so once."""
    return ssl.create_default_context()


def exchange(
    connection: socket.socket, target: Target, body: bytes, headers: Mapping[str, str], ends_at: float
) -> Answer:
    kind = http.client.HTTPSConnection if target.is_https else http.client.HTTPConnection
    client = kind(target.host, target.port)
    client.sock = TimedSocket(connection, ends_at)
    client.request("POST", target.path, body, {**headers, "Connection": "close"})
    response = client.getresponse()
    answer = Answer(response.status, retry_after=seconds_in(response.getheader("Retry-After")))
    if answer.is_success:
        return answer
    return Answer(response.status, f"HTTP {response.status}{said(response)}", answer.retry_after)


def said(response: http.client.HTTPResponse) -> str:
    """The beginning of what a refusal says, for the operator; without anything that looks like a secret."""
    try:
        text = response.read(MAX_ANSWER_BYTES).decode("utf-8", "replace")
    except (OSError, http.client.HTTPException, ValueError):
        return ""
    line = in_one_line(text)
    return f": {line}" if line else ""


def in_one_line(text: str) -> str:
    printable = "".join(character if character.isprintable() else " " for character in SECRETS.sub("…", text))
    return " ".join(printable.split())[:MAX_STORED_CHARACTERS]


def seconds_in(retry_after: str | None) -> float | None:
    """Of a Retry-After header, in either of its two forms: https://www.rfc-editor.org/rfc/rfc9110#field.retry-after

    None for what is neither; also a year without end, which the parser does not survive.
    """
    if not retry_after:
        return None
    if retry_after.strip().isdecimal() and len(retry_after) < 12:
        return float(retry_after)
    try:
        at = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    # A date without a zone is UTC.
    at = at if timezone.is_aware(at) else at.replace(tzinfo=UTC)
    return max(0.0, (at - timezone.now()).total_seconds())


def left(ends_at: float) -> float:
    seconds = ends_at - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("The whole answer took too long.")
    return seconds


class TimedSocket:
    """What ``http.client`` needs of a socket, with one deadline for all: a plain timeout begins anew with each byte."""

    def __init__(self, connection: socket.socket, ends_at: float) -> None:
        self.connection = connection
        self.ends_at = ends_at

    def sendall(self, content: bytes) -> None:
        self.connection.settimeout(left(self.ends_at))
        self.connection.sendall(content)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(TimedReader(self.connection, self.ends_at))

    def close(self) -> None:
        """``connected`` gave the connection out in a ``with``, which closes it."""


class TimedReader(io.RawIOBase):
    def __init__(self, connection: socket.socket, ends_at: float) -> None:
        self.connection = connection
        self.ends_at = ends_at

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.connection.settimeout(left(self.ends_at))
        return self.connection.recv_into(buffer)
