"""The door to Stripe: what answers may be a gateway, a proxy or somebody else's server."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from licenzy_django.exceptions import LicenzyError, StripeRefused, StripeUnavailable
from licenzy_django.models import Subject
from licenzy_django.stripe import client
from licenzy_django.testing import StripeDouble
from tests.backend import Backend, error_of
from tests.stripe import odd_answers

HTML = "<html><body><h1>It works!</h1></body></html>"
SESSION: dict[str, Any] = {"id": "cs_1", "object": "checkout.session", "status": "open", "url": "https://pay.example"}
LIST: dict[str, Any] = {"object": "list", "data": [], "has_more": False}


def text(value: Any) -> str:
    return json.dumps(value)


def refusal(status_type: str, message: str = "No.", **more: Any) -> str:
    return text({"error": {"type": status_type, "message": message, **more}})


UNAVAILABLE, REFUSED, REJECTED = StripeUnavailable, StripeRefused, client.StripeRejected
ODD: list[tuple[str, bytes | str, int, type[LicenzyError]]] = [
    ("a gateway's time-out", text({"error": "upstream request timeout"}), 504, UNAVAILABLE),
    ("the same with 200", text({"error": "upstream request timeout"}), 200, UNAVAILABLE),
    ("the same with 400", text({"error": "upstream request timeout"}), 400, REFUSED),
    ("an OAuth error", text({"error": "invalid_grant", "error_description": "no"}), 400, REFUSED),
    ("an empty list", "[]", 200, UNAVAILABLE),
    ("an empty list with 500", "[]", 500, UNAVAILABLE),
    ("an empty list with 404", "[]", 404, REFUSED),
    ("null", "null", 200, UNAVAILABLE),
    ("null with 403", "null", 403, REFUSED),
    ("an empty object", "{}", 200, UNAVAILABLE),
    ("an empty object with 503", "{}", 503, UNAVAILABLE),
    ("a number", "17", 200, UNAVAILABLE),
    ("a text", '"ok"', 200, UNAVAILABLE),
    ("nothing at all", "", 200, UNAVAILABLE),
    ("no content", "", 204, UNAVAILABLE),
    ("half of an answer", text(SESSION)[:40], 200, UNAVAILABLE),
    ("bytes that are not UTF-8", b'{"object": "\xff\xfe"}', 200, UNAVAILABLE),
    ("bytes that are not UTF-8, with 404", b"\xff\xfe", 404, REFUSED),
    ("a web page", HTML, 200, UNAVAILABLE),
    ("a web page with 502", HTML, 502, UNAVAILABLE),
    ("a web page with 404, of a wrong STRIPE_API_BASE", HTML, 404, REFUSED),
    ("another API's 404", text({"detail": "Not found."}), 404, REFUSED),
    ("another API's error", text({"error": {"code": 403, "message": "PERMISSION_DENIED"}}), 403, REFUSED),
    ("a proxy that wants a login", HTML, 407, REFUSED),
    ("a redirect", HTML, 302, REFUSED),
    ("a limit that is not Stripe's", text({"message": "slow down"}), 429, UNAVAILABLE),
    ("a list of errors", text({"error": ["no"]}), 400, REFUSED),
    ("deeply nested", "[" * 100_000, 200, UNAVAILABLE),
    ("an object without a kind", text({"id": "cs_1", "url": "https://pay.example"}), 200, UNAVAILABLE),
    ("a kind that is no text", text({"id": "cs_1", "object": 7}), 200, UNAVAILABLE),
    ("a session without an id", text({**SESSION, "id": None}), 200, UNAVAILABLE),
    ("a session without a url", text({**SESSION, "url": None}), 200, UNAVAILABLE),
    ("a session whose url is none", text({**SESSION, "url": "javascript:alert(1)"}), 200, UNAVAILABLE),
    ("a session without a status", text({"id": "cs_1", "object": "checkout.session"}), 200, UNAVAILABLE),
    ("a portal without a url", text({"id": "bps_1", "object": "billing_portal.session"}), 200, UNAVAILABLE),
    ("a customer without an id", text({"object": "customer"}), 200, UNAVAILABLE),
    ("a list without rows", text({"object": "list", "has_more": False}), 200, UNAVAILABLE),
    ("a list whose rows are a text", text({**LIST, "data": "none"}), 200, UNAVAILABLE),
    ("a list with a row that is none", text({**LIST, "data": [None]}), 200, UNAVAILABLE),
    ("Stripe's refusal of a parameter", refusal("invalid_request_error", param="line_items"), 400, REJECTED),
    ("Stripe's missing object", refusal("invalid_request_error", code="resource_missing"), 404, REFUSED),
    ("Stripe's refusal of a key", refusal("invalid_request_error"), 401, REFUSED),
    ("Stripe's missing permission", refusal("invalid_request_error"), 403, REFUSED),
    ("Stripe's own failure", refusal("api_error"), 500, UNAVAILABLE),
    ("Stripe's rate limit", refusal("invalid_request_error", code="rate_limit"), 429, UNAVAILABLE),
    ("an error without a message", text({"error": {"type": "invalid_request_error"}}), 400, REJECTED),
]
each_odd_answer = pytest.mark.parametrize(
    ("body", "status", "expected"), [row[1:] for row in ODD], ids=[row[0] for row in ODD]
)


@pytest.fixture
def answered(settings: Any) -> Callable[[bytes | str, int], None]:
    settings.LICENZY = {
        **settings.LICENZY,
        "TEST_SECRET_KEY": "sk_test_of_the_odd_answers",
        "STRIPE_HTTP_CLIENT": "tests.stripe.odd_answers.OddClient",
    }

    def answer(body: bytes | str, status: int) -> None:
        odd_answers.ANSWER[0] = (body, status)

    return answer


def open_page() -> dict[str, Any]:
    return client.ask("test", lambda stripe: stripe.v1.checkout.sessions.create({"mode": "payment"}))


@each_odd_answer
def test_an_odd_answer_is_an_error_of_ours(
    answered: Callable[[bytes | str, int], None], body: bytes | str, status: int, expected: type[LicenzyError]
) -> None:
    answered(body, status)

    with pytest.raises(expected) as raised:
        open_page()

    assert raised.value.status == (503 if expected is UNAVAILABLE else 502)
    assert (expected is REFUSED) <= (not isinstance(raised.value, REJECTED))


@pytest.mark.django_db
@each_odd_answer
def test_the_billing_page_never_fails_otherwise(
    answered: Callable[[bytes | str, int], None],
    backend: Backend,
    body: bytes | str,
    status: int,
    expected: type[LicenzyError],
) -> None:
    Subject.objects.create(mode="test", subject_ref="user_1", stripe_customer_id="cus_1")
    answered(body, status)

    said = backend.post("billing-portal/session", {"subject_ref": "user_1"})

    assert error_of(said) in ((502, "stripe_error"), (503, "stripe_unavailable"))


def test_a_good_answer_is_let_through(answered: Callable[[bytes | str, int], None]) -> None:
    answered(text(SESSION), 200)

    assert open_page()["url"] == "https://pay.example"


def test_the_log_has_stripes_own_sentence(
    answered: Callable[[bytes | str, int], None], caplog: pytest.LogCaptureFixture
) -> None:
    answered(refusal("invalid_request_error", "The price 'price_9' is inactive. " + "x" * 1000), 400)

    with caplog.at_level(logging.ERROR), pytest.raises(StripeRefused) as raised:
        open_page()

    assert "The price 'price_9' is inactive." in caplog.text
    assert "x" * 400 not in caplog.text
    assert "price_9" in str(raised.value)
    assert "price_9" not in raised.value.form["message"]


def test_a_key_is_never_in_the_log(
    answered: Callable[[bytes | str, int], None], caplog: pytest.LogCaptureFixture
) -> None:
    for status in (401, 403):
        answered(refusal("invalid_request_error", "Invalid API Key provided: sk_live_51secret"), status)
        with caplog.at_level(logging.ERROR), pytest.raises(StripeRefused) as raised:
            open_page()
        assert "51secret" not in caplog.text
        assert "51secret" not in str(raised.value)


def test_what_is_not_stripe_is_named_with_its_first_words(
    answered: Callable[[bytes | str, int], None], caplog: pytest.LogCaptureFixture
) -> None:
    answered(HTML, 404)

    with caplog.at_level(logging.ERROR), pytest.raises(StripeRefused):
        open_page()

    assert "status 404 is not Stripe's" in caplog.text
    assert "It works!" in caplog.text
    assert "STRIPE_API_BASE" in caplog.text


def test_while_the_simulator_is_in_use_the_log_does_not_name_stripe(
    stripe_double: StripeDouble, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, logger="stripe"):
        stripe_double.sell("PRO_MONTHLY")
        client.ask("test", lambda stripe: stripe.v1.customers.list())

    assert "http://stripe.simulator/v1/customers" in caplog.text
    assert "api.stripe.com" not in caplog.text
