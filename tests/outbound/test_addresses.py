"""An endpoint's URL is somebody's input, and we stand inside the network."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest

from licenzy_django.conf import licenzy_settings
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.outbound import transport
from licenzy_django.outbound.addresses import addresses_of, checked_url, is_public, target_of
from tests.outbound.receiver import Receiver

HOSTILE_URLS = [
    "",
    "hooks.example.com",
    "//hooks.example.com/",
    "http://hooks.example.com/",  # not https
    "ftp://hooks.example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "javascript:alert(1)",
    "https://",
    "https:///path",
    "https://user@hooks.example.com/",
    "https://user:password@hooks.example.com/",
    "https://hooks.example.com@127.0.0.1/",
    "https://hooks.example.com\\@127.0.0.1/",
    "https://hooks.example.com:0/",
    "https://hooks.example.com:65536/",
    "https://hooks.example.com:port/",
    "https://hooks.example.com:/",
    "https://hooks.example.com/a b",
    "https://hooks.example.com/\r\nX-Injected: 1",
    "https://hooks.example.com/\u00e4",
    "https://hooks..example.com/",
    "https://hooks.exam%70le.com/",
    "https://" + "a" * 64 + ".example.com/",
    "https://hooks.example.com/" + "a" * 2000,
    "https://127.0.0.1/",
    "https://127.0.0.1./",
    "https://127.1/",
    "https://127.0.0.1.0/",
    "https://0/",
    "https://0.0.0.0/",
    "https://2130706433/",  # 127.0.0.1 as one number
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0x7f.0.0.0x1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://\uff11\uff12\uff17.0.0.1/",  # full-width digits
    "https://127\u30020\u30020\u30021/",  # ideographic full stops
    "https://\u2460\u2461\u2466.0.0.1/",  # circled digits
    "https://10.0.0.1/",
    "https://100.64.0.1/",
    "https://100.100.100.200/",  # Alibaba's metadata
    "https://168.63.129.16/",  # Azure's
    "https://169.254.169.254/latest/meta-data/",
    "https://172.16.0.1/",
    "https://192.0.0.8/",
    "https://192.168.1.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[::]/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::127.0.0.1]/",  # NAT64
    "https://[64:ff9b:1::a00:1]/",
    "https://[2002:7f00:1::]/",  # 6to4
    "https://[2001:0:7f00:1::]/",  # Teredo
    "https://[2001:db8::1]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",  # AWS's metadata
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[::1/",
    "https://[v1.a]/",
]

HOSTILE_ANSWERS = [
    ["127.0.0.1"],
    ["127.9.9.9"],
    ["0.0.0.0"],
    ["10.1.2.3"],
    ["100.64.0.1"],
    ["100.127.255.255"],
    ["169.254.169.254"],
    ["172.31.255.255"],
    ["192.0.0.8"],
    ["192.0.0.192"],
    ["192.168.0.1"],
    ["198.19.255.255"],
    ["239.255.255.250"],
    ["240.0.0.1"],
    ["255.255.255.255"],
    ["::"],
    ["::1"],
    ["::ffff:127.0.0.1"],
    ["::ffff:169.254.169.254"],
    ["::ffff:0:127.0.0.1"],
    ["::127.0.0.1"],
    ["64:ff9b::a9fe:a9fe"],
    ["64:ff9b:1::1"],
    ["100::1"],
    ["2001::1"],
    ["2001:10::1"],
    ["2001:db8::1"],
    ["2002:a9fe:a9fe::1"],
    ["3fff::1"],
    ["5f00::1"],
    ["fc00::1"],
    ["fd00:ec2::254"],
    ["fe80::1%lo"],
    ["fec0::1"],
    ["ff02::1"],
    # Rebinding tries: one good answer does not excuse a bad one, in either order.
    ["93.184.216.34", "127.0.0.1"],
    ["127.0.0.1", "93.184.216.34"],
    ["93.184.216.34", "2606:2800:220:1::1", "::1"],
]


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """The resolver gives one answer after the other, and then the last one again. Returns what it was asked."""
    asked: list[str] = []

    def getaddrinfo(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        answer = answers[min(len(asked), len(answers)) - 1]
        return [
            (socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in answer
        ]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def no_connection(*_: Any, **__: Any) -> Any:
    raise AssertionError("A connection was made.")


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_a_hostile_url_is_refused_before_anything_is_asked(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = resolving(monkeypatch, ["127.0.0.1"])
    monkeypatch.setattr(socket, "socket", no_connection)

    with pytest.raises(InvalidRequest) as refusal:
        checked_url(url)
    answer = transport.post(url, b"{}", {})

    assert "url" in refusal.value.extra["fields"]
    assert (answer.status, asked) == (None, [])
    assert answer.error


@pytest.mark.parametrize("answer", HOSTILE_ANSWERS, ids=",".join)
def test_a_name_that_resolves_into_the_network_is_refused(answer: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, answer)
    monkeypatch.setattr(socket, "socket", no_connection)

    told = transport.post("https://hooks.example.com/", b"{}", {})

    assert told.status is None
    assert "public internet" in told.error


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com",
        "https://hooks.example.com/a/b?token=c%20d",
        "https://HOOKS.example.com:8443/",
        "https://hooks.example.com./",
        "https://b\u00fccher.example/",
        "https://hook_1.example.com/",
        "https://1password.com/",
        "https://8.8.8.8/",
        "https://[2606:4700:4700::1111]/",
    ],
)
def test_an_ordinary_url_is_accepted(url: str) -> None:
    assert checked_url(url) == url


@pytest.mark.parametrize("ip", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "100.128.0.1", "172.32.0.1", "192.0.1.1"])
def test_public_ipv4_is_public(ip: str) -> None:
    assert is_public(ipaddress.ip_address(ip))


@pytest.mark.parametrize("ip", ["2606:4700:4700::1111", "2a00:1450:4001::200e", "2001:4860:4860::8888"])
def test_public_ipv6_is_public(ip: str) -> None:
    assert is_public(ipaddress.ip_address(ip))


def test_the_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second answer would be loopback: nobody may ask for it."""
    asked = resolving(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    connected: list[Any] = []

    class Recorder(socket.socket):
        def connect(self, address: Any) -> None:
            connected.append(address)
            raise ConnectionRefusedError("recorded")

    monkeypatch.setattr(socket, "socket", Recorder)

    answer = transport.post("https://hooks.example.com:8443/", b"{}", {})

    assert asked == ["hooks.example.com"]
    assert connected == [("93.184.216.34", 8443)]
    assert "recorded" in answer.error


def test_a_private_address_is_allowed_only_where_the_setting_says_so(
    receiver: Receiver, inside_allowed: None, settings: Any
) -> None:
    assert licenzy_settings().OUTBOUND_ALLOW_PRIVATE
    assert addresses_of(target_of(receiver.url))
    assert transport.post(receiver.url, b"{}", {}).status == 200

    settings.LICENZY = settings.LICENZY | {"OUTBOUND_ALLOW_PRIVATE": False}
    assert transport.post(receiver.url, b"{}", {}).status is None

    settings.LICENZY = settings.LICENZY | {"OUTBOUND_ALLOW_PRIVATE": True, "OUTBOUND_ALLOW_HTTP": False}
    assert transport.post(receiver.url, b"{}", {}).status is None
    assert len(receiver.requests) == 1


def test_strange_numbers_are_refused_even_where_private_addresses_are_allowed(inside_allowed: None) -> None:
    for url in ("http://2130706433/", "http://0x7f.1/", "http://0177.0.0.1/"):
        with pytest.raises(InvalidRequest):
            checked_url(url)
