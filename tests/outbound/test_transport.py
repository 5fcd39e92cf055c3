"""One POST, against a real socket on loopback."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from licenzy_django.outbound import transport
from tests.outbound.receiver import OK, Receiver, answer, receiving

pytestmark = pytest.mark.usefixtures("inside_allowed")


def test_what_is_posted_arrives_with_its_headers(receiver: Receiver) -> None:
    told = transport.post(f"{receiver.url}?token=a%20b", b'{"a":1}', {"webhook-id": "evt_1"})

    [request] = receiver.requests
    assert (told.status, told.error, told.is_success) == (200, "", True)
    assert (request.path, request.body) == ("/hook?token=a%20b", b'{"a":1}')
    assert request.headers["webhook-id"] == "evt_1"
    assert request.headers["host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_a_failure_and_is_not_followed(receiver: Receiver, status: int) -> None:
    with receiving() as inside:
        receiver.always = answer(status, Location=inside.url)

        told = transport.post(receiver.url, b"{}", {})

        assert (told.status, told.is_success) == (status, False)
        assert len(receiver.requests) == 1
        assert inside.requests == []


def test_a_refusal_says_what_it_said_in_one_line(receiver: Receiver) -> None:
    receiver.always = answer(500, "Sorry,\n\tthe <database> is\x00 down")

    assert transport.post(receiver.url, b"{}", {}).error == "HTTP 500: Sorry, the <database> is down"


def test_what_is_kept_of_an_answer_is_short_and_without_secrets(receiver: Receiver) -> None:
    secrets = ["whsec_abc+/=", "v1,c2lnbmF0dXJl=", "sk_live_123", "lz_test_456", "Bearer abc.def"]
    receiver.always = answer(400, " ".join(secrets) + " and " + "x" * 1000)

    error = transport.post(receiver.url, b"{}", {}).error

    assert not any(secret in error for secret in secrets)
    assert len(error) < 200


def test_no_more_than_four_kilobytes_of_an_answer_are_read(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver.always = answer(500, "x" * 1_000_000)
    asked: list[int] = []
    read = transport.http.client.HTTPResponse.read
    monkeypatch.setattr(
        transport.http.client.HTTPResponse, "read", lambda self, size=None: asked.append(size) or read(self, size)
    )

    assert transport.post(receiver.url, b"{}", {}).status == 500
    assert asked == [4096]


def test_a_connection_that_is_closed_without_a_word_is_a_failure(receiver: Receiver) -> None:
    receiver.always = None

    told = transport.post(receiver.url, b"{}", {})

    assert told.status is None
    assert "RemoteDisconnected" in told.error


def test_nobody_listening_is_a_failure(receiver: Receiver) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    assert "ConnectionRefusedError" in transport.post(f"http://127.0.0.1:{port}/", b"{}", {}).error


def test_a_name_that_does_not_exist_is_a_failure() -> None:
    assert "gaierror" in transport.post("https://hooks.invalid/", b"{}", {}).error


@pytest.mark.parametrize(
    "said",
    [b"HTTP/1.1 200 OK\r\nX-Drip: " + b"x" * 1000, b"HTTP/1.1 100 Continue\r\n\r\n" * 1000, b"x" * 1000],
    ids=["headers", "continue", "no http"],
)
def test_a_drip_that_never_stops_is_over_at_the_deadline(
    receiver: Receiver, said: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte comes well within any timeout for a byte."""
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 0.5)
    receiver.always, receiver.drip_seconds = said, 0.01
    began = time.monotonic()

    told = transport.post(receiver.url, b"{}", {})

    assert told.status is None
    assert "TimeoutError" in told.error
    assert time.monotonic() - began < 2


def test_a_success_counts_though_its_body_drips(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 2.0)
    receiver.always, receiver.drip_seconds = OK, 0.002

    assert transport.post(receiver.url, b"{}", {}).is_success


def test_a_refusal_counts_as_what_it_was_though_its_body_drips(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 0.5)
    receiver.always, receiver.drip_seconds = answer(410, "x" * 4000), 0.002

    assert transport.post(receiver.url, b"{}", {}).status == 410


def test_a_receiver_that_does_not_read_is_over_at_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        told = transport.post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"x" * 20_000_000, {})

    assert told.status is None
    assert "imed out" in told.error or "TimeoutError" in told.error


def test_proxies_of_the_environment_are_ignored(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)

        assert transport.post(receiver.url, b"{}", {}).is_success
        assert (len(receiver.requests), len(proxy.requests)) == (1, 0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("120", 120.0), ("0", 0.0), ("-1", None), ("soon", None), ("9" * 40, None), ("", None)],
)
def test_retry_after_in_seconds(receiver: Receiver, header: str, seconds: float | None) -> None:
    receiver.always = answer(503, Retry_After=header)

    assert transport.post(receiver.url, b"{}", {}).retry_after == seconds


def test_retry_after_as_a_date(receiver: Receiver) -> None:
    receiver.always = answer(
        503, Retry_After=format_datetime(timezone.now() + timezone.timedelta(hours=1), usegmt=True)
    )

    retry_after = transport.post(receiver.url, b"{}", {}).retry_after

    assert retry_after is not None
    assert 3590 < retry_after <= 3600


def test_a_date_without_a_zone_is_utc(receiver: Receiver) -> None:
    in_an_hour = timezone.now() + timezone.timedelta(hours=1)
    receiver.always = answer(503, Retry_After=f"{in_an_hour:%a, %d %b %Y %H:%M:%S}")

    retry_after = transport.post(receiver.url, b"{}", {}).retry_after

    assert retry_after is not None
    assert 3590 < retry_after <= 3600


@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize("year", ["99999999999", "9" * 5000, "0"])
def test_a_year_that_no_calendar_has_asks_for_nothing(receiver: Receiver, status: int, year: str) -> None:
    receiver.always = answer(status, Retry_After=f"Mon, 01 Jan {year} 00:00:00 GMT")

    assert (said := transport.post(receiver.url, b"{}", {})).status == status
    assert not said.retry_after


# --- TLS --------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Of hooks.example.com, by nobody."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("The openssl program makes the certificate.")
    folder = tmp_path_factory.mktemp("tls")
    key, chain = folder / "key.pem", folder / "chain.pem"
    name = "hooks.example.com"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(key), "-out", str(chain), "-days", "2", "-subj", f"/CN={name}"]
    subprocess.run([*command, "-addext", f"subjectAltName=DNS:{name}"], check=True, capture_output=True)
    return key, chain


@pytest.fixture
def tls_receiver(receiver: Receiver, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The receiver speaks TLS; every name leads to it. Returns the names that clients asked for (SNI)."""
    key, chain = certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    names: list[Any] = []
    context.sni_callback = lambda _, name, __: names.append(name)
    handle = receiver.handle

    def handle_tls(connection: socket.socket) -> None:
        try:
            handle(context.wrap_socket(connection, server_side=True))
        except OSError:
            connection.close()

    monkeypatch.setattr(receiver, "handle", handle_tls)
    loopback = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.port))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: loopback)
    return names


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(cafile=str(certificate[1]))
    monkeypatch.setattr(transport, "tls_context", lambda: context)


def test_the_certificate_is_checked_against_the_name_though_the_address_is_connected_to(
    receiver: Receiver, tls_receiver: list[str], trusted: None
) -> None:
    told = transport.post("https://hooks.example.com/hook", b"{}", {})

    assert (told.status, told.error) == (200, "")
    assert tls_receiver == ["hooks.example.com"]
    assert receiver.requests[0].headers["host"] == "hooks.example.com"


def test_a_certificate_of_another_name_is_refused(receiver: Receiver, tls_receiver: list[str], trusted: None) -> None:
    told = transport.post("https://other.example.com/hook", b"{}", {})

    assert told.status is None
    assert "certificate" in told.error.lower()
    assert receiver.requests == []


def test_a_certificate_by_nobody_we_trust_is_refused(receiver: Receiver, tls_receiver: list[str]) -> None:
    told = transport.post("https://hooks.example.com/hook", b"{}", {})

    assert told.status is None
    assert "certificate" in told.error.lower()
    assert receiver.requests == []


def test_a_handshake_that_never_ends_is_over_at_the_deadline(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This one waits for an HTTP request, and so never answers the handshake."""
    monkeypatch.setattr(transport, "CONNECT_SECONDS", 0.3)
    began = time.monotonic()

    told = transport.post(receiver.url.replace("http:", "https:"), b"{}", {})

    assert told.status is None
    assert "timed out" in told.error
    assert time.monotonic() - began < 2
