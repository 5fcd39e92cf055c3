"""Which addresses may be spoken to. An endpoint's URL is somebody's input, and we stand inside the network.

A name is resolved once, every answer is tested, and the connection is made to what was tested. ``ipaddress`` is not
asked whether an address is private: its answer differs between Python versions (100.64/10, 192.0.0.8, NAT64, 6to4).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urlsplit

from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import InvalidRequest

MAX_URL_LENGTH = 2000

# https://www.iana.org/assignments/iana-ipv4-special-registry, and what clouds use besides.
NOT_PUBLIC_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this network; 0.0.0.0 is this machine
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT, and Alibaba's metadata
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services
        "169.254.0.0/16",  # link-local, and the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments, and Oracle's metadata
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# https://www.iana.org/assignments/iana-ipv6-special-registry. Everything outside is refused: loopback, link-local,
# unique local, multicast, IPv4-mapped, NAT64.
PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
NOT_PUBLIC_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo
        "2001:db8::/32",
        "2002::/16",  # 6to4, which carries any IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)

# What some resolvers read as a number: 2130706433, 0x7f.1, 0177.0.0.1. A URL means a name or four decimal numbers.
ENDS_IN_A_NUMBER = re.compile(r"(\A|\.)(\d+|0x[0-9a-f]*)\.?\Z", re.IGNORECASE)
PRINTABLE = re.compile(r"[!-~]+")


class AddressRefused(ValueError):
    """This address is not spoken to. The message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a checked URL leads. ``host`` is ASCII, as it is looked up and as the certificate has to name it."""

    is_https: bool
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Address:
    """One answer of the resolver, as a socket takes it."""

    family: int
    socket_address: tuple[Any, ...]


def checked_url(url: str) -> str:
    """The URL itself, if it may be an endpoint's; the name in it is not resolved yet.

    Raises InvalidRequest naming the field.
    """
    try:
        target_of(url)
    except AddressRefused as refusal:
        raise InvalidRequest(f"url: {refusal}", fields={"url": [str(refusal)]}) from None
    return url


def target_of(url: str) -> Target:
    """Raises AddressRefused for what is not a plain address of the outside world."""
    parts = split(url)
    allows_http = licenzy_settings().OUTBOUND_ALLOW_HTTP
    if parts.scheme != "https" and not (parts.scheme == "http" and allows_http):
        raise AddressRefused("This must begin with https://.")
    if "@" in parts.netloc:
        raise AddressRefused("There must be no user name or password in it.")
    try:
        port = parts.port
    except ValueError:
        raise AddressRefused("This port does not exist.") from None
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    if port == 0 or parts.netloc.endswith(":"):
        raise AddressRefused("This port does not exist.")
    host = checked_host(parts.hostname or "")
    if "[" in parts.netloc and ":" not in host:
        raise AddressRefused("In brackets there must be an IPv6 address.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not PRINTABLE.fullmatch(path):
        raise AddressRefused("Everything behind the host must be percent-encoded.")
    return Target(parts.scheme == "https", host, port, path)


def split(url: str) -> SplitResult:
    if len(url) > MAX_URL_LENGTH:
        raise AddressRefused(f"This must be an address of at most {MAX_URL_LENGTH:,} characters.")
    # urlsplit strips some of these silently, and other programs read a backslash as a slash.
    if any(character <= " " or character in "\\\x7f" for character in url):
        raise AddressRefused("There must be no blanks, control characters or backslashes in it.")
    try:
        return urlsplit(url)
    except ValueError:
        raise AddressRefused("This is not an address.") from None


def checked_host(host: str) -> str:
    if ":" not in host:
        try:
            host = host.encode("idna").decode().lower()
        except UnicodeError:
            raise AddressRefused("This host name is not valid.") from None
    if not host or not re.fullmatch(r"[a-z0-9._:-]+", host):
        raise AddressRefused("This host name is not valid.")
    if ":" in host or ENDS_IN_A_NUMBER.search(host):
        refuse_unless_public(ip_in(host))
    return host


def ip_in(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise AddressRefused("This is neither a host name nor an IP address in its usual form.") from None


def is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in NOT_PUBLIC_V4)
    return ip in PUBLIC_V6 and not any(ip in network for network in NOT_PUBLIC_V6)


def refuse_unless_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    if not is_public(ip) and not licenzy_settings().OUTBOUND_ALLOW_PRIVATE:
        raise AddressRefused(f"{ip} is not an address on the public internet.")


def addresses_of(target: Target) -> list[Address]:
    """Resolve the name once. One answer inside the network refuses all, since only an attacker mixes them.

    Raises AddressRefused, or OSError if the name does not resolve.
    """
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    for *_, socket_address in found:
        refuse_unless_public(ip_in(str(socket_address[0]).partition("%")[0]))
    return [Address(family, socket_address) for family, _, _, _, socket_address in found]
