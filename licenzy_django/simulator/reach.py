"""Which addresses events are posted to: those that outbound deliveries may reach, and this machine while it is ours."""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import time
from collections.abc import Mapping

from django.conf import settings

from licenzy_django.outbound.addresses import Address, AddressRefused, Target, addresses_of, split, target_of
from licenzy_django.outbound.transport import connected, exchange

from .conf import simulator_settings

TIMEOUT_SECONDS = 10.0


def check(url: str) -> None:
    """Raises AddressRefused for what is never posted to. Names are not resolved yet, and plain HTTP is not judged."""
    if not _is_loopback(url):
        target_of(re.sub(r"\Ahttp:", "https:", url))


def post(url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int | None, str]:
    """The status, or None and why there is none."""
    try:
        target, addresses = _loopback(url) if _is_loopback(url) else _outside(url)
        ends_at = time.monotonic() + TIMEOUT_SECONDS
        with connected(target, addresses, ends_at) as connection:
            answer = exchange(connection, target, body, headers, ends_at)
    except (AddressRefused, OSError, http.client.HTTPException, ValueError) as error:
        return None, f"{type(error).__name__}: {error}"
    return answer.status, answer.error


def _outside(url: str) -> tuple[Target, list[Address]]:
    target = target_of(url)
    return target, addresses_of(target)


def _is_loopback(url: str) -> bool:
    """Whether it names this machine, and this machine is a developer's or a test's."""
    if not (settings.DEBUG or simulator_settings().ALLOW_WITHOUT_DEBUG):
        return False
    host = split(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_own(ip: str | int) -> bool:
    return ipaddress.ip_address(ip).is_loopback


def _loopback(url: str) -> tuple[Target, list[Address]]:
    parts = split(url)
    if parts.scheme not in ("http", "https"):
        raise AddressRefused("This must begin with http:// or https://.")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    addresses = [
        Address(family, place) for family, _, _, _, place in found if ipaddress.ip_address(place[0]).is_loopback
    ]
    return Target(parts.scheme == "https", parts.hostname or "", port, path), addresses
