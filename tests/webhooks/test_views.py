"""The door that Stripe knocks on: 400 for what it did not sign, 2xx only for what is kept."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client, override_settings
from stripe import WebhookSignature

from licenzy_django import access
from licenzy_django.models import CheckoutAttempt, Entitlement, StripeEvent, StripeFact
from licenzy_django.testing import WEBHOOK_SECRET, StripeDouble

URL = "/v1/webhooks/stripe"
BODY = json.dumps({"id": "evt_1", "object": "event", "type": "invoice.upcoming", "created": 1, "livemode": False,
                   "data": {"object": {"id": "in_1", "object": "invoice"}}}).encode()  # fmt: skip

pytestmark = pytest.mark.usefixtures("stripe_double")


def signed(body: bytes, *, secret: str = WEBHOOK_SECRET, at: float | None = None) -> str:
    return str(
        WebhookSignature.generate_signature_header(body.decode("utf-8", "replace"), secret, int(at or time.time()))
    )


def post(body: bytes, signature: str | None = None, *, url: str = URL, client: Client | None = None) -> HttpResponse:
    """A request as Stripe sends it, through all of the host's middleware."""
    headers = {} if signature is None else {"Stripe-Signature": signature}
    return (client or Client()).post(url, body, content_type="application/json", headers=headers)


def event(**changes: Any) -> bytes:
    return json.dumps({**json.loads(BODY), **changes}).encode()


# --- what Stripe did not sign, or what is no event: 400 and no row ----------------------------------------------------

FORGED = {
    "no signature": None,
    "an empty signature": "",
    "nonsense": "nonsense",
    "another secret": signed(BODY, secret="whsec_of_somebody_else"),
    "an empty secret": signed(BODY, secret=""),
    "the letter that a secret begins with": signed(BODY, secret="w"),
    "another body": signed(BODY + b" "),
    "six minutes old": signed(BODY, at=time.time() - 360),
    "no time": signed(BODY).partition(",")[2],
    "a time that is no number": "t=now," + signed(BODY).partition(",")[2],
    "another scheme": signed(BODY).replace("v1=", "v0="),
    "not ASCII": "t=1,v1=ünïcode",
    "a signature that is not ASCII": signed(BODY)[:-1] + "é",
    "very long": "t=1," + "v1=0," * 2000,
}


@pytest.mark.parametrize("signature", FORGED.values(), ids=FORGED.keys())
def test_what_stripe_did_not_sign_is_refused_and_leaves_nothing(signature: str | None) -> None:
    answer = post(BODY, signature)

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"
    assert not StripeEvent.objects.exists()


NO_EVENTS: dict[str, bytes] = {
    "empty": b"",
    "a list": b"[]",
    "null": b"null",
    "a number": b"1",
    "an empty object": b"{}",
    "not JSON": b"{not json",
    "not UTF-8": b'{"id": "\xff"}',
    "too deep": b"[" * 100_000 + b"]" * 100_000,
    "too deep an object": b'{"data":' * 90_000 + b"1" + b"}" * 90_000,
    "without data": event(data=None),
    "without an object": event(data={}),
    "without an id": event(id=None),
    "an empty id": event(id=""),
    "an id that is a number": event(id=5),
    "NUL in the id": event(id="evt_\x00"),
    "half a character in the id": event(id="evt_\ud800"),
    "an endless id": event(id="e" * 101),
    "without a type": event(type=None),
    "without a time": event(created=None),
    "a time that is text": event(created="now"),
}


@pytest.mark.parametrize("body", NO_EVENTS.values(), ids=NO_EVENTS.keys())
def test_what_is_no_event_is_refused_even_if_it_is_signed(body: bytes) -> None:
    answer = post(body, signed(body))

    assert answer.status_code == 400
    assert not StripeEvent.objects.exists()


def test_a_huge_body_is_refused_before_it_is_looked_at() -> None:
    body = b" " * 1_000_000 + BODY

    answer = post(body, signed(body))
    assert answer.status_code == 400
    assert "too large" in answer.json()["message"]
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10):
        assert post(BODY, signed(BODY)).status_code == 400
    assert not StripeEvent.objects.exists()


def test_a_deep_event_is_kept_as_far_as_it_matters() -> None:
    deep: Any = {"id": "in_1"}
    for _ in range(150):
        deep = {"object": deep}
    body = event(data={"object": {**deep, "id": "in_1"}}, type="invoice.paid")

    assert post(body, signed(body)).status_code == 200


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_a_type_that_we_do_not_act_on_is_recorded_with_the_reason() -> None:
    answer = post(BODY, signed(BODY))

    row = StripeEvent.objects.get()
    assert (answer.status_code, row.status) == (200, "ignored")
    assert row.outcome
    assert row.payload is None


@pytest.mark.parametrize(
    "changes",
    [{"livemode": True}, {"livemode": None}, {"object": "v2.core.event", "data": None}],
    ids=str,
)
def test_what_is_not_for_us_is_recorded_and_ignored(changes: dict[str, Any]) -> None:
    body = event(type="checkout.session.completed", **changes)

    assert post(body, signed(body)).status_code == 200
    row = StripeEvent.objects.get()
    assert (row.status, bool(row.outcome)) == ("ignored", True)


def test_a_live_event_with_a_test_secret_grants_nothing(stripe_double: StripeDouble) -> None:
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.simulator.pay(stripe_double.checkout("user_1", "PRO_MONTHLY"))
    events = [{**told, "livemode": True} for told in stripe_double.take_events()]

    assert set(stripe_double.deliver(events)) == {200}

    assert not access.check("user_1", mode="test")
    assert not access.check("user_1", mode="live")
    assert not Entitlement.objects.exists()
    assert not StripeFact.objects.filter(object="checkout.session").exists()


def test_an_event_of_a_connected_account_is_recorded_and_grants_nothing(stripe_double: StripeDouble) -> None:
    stripe_double.sell("CREDITS", kind="usage_pack")
    stripe_double.simulator.pay(stripe_double.checkout("user_1", "CREDITS"))

    assert set(stripe_double.deliver([{**told, "account": "acct_1"} for told in stripe_double.take_events()])) == {200}

    assert not access.check("user_1")
    assert set(StripeEvent.objects.values_list("status", flat=True)) == {"ignored"}


def test_the_same_event_again_changes_nothing(stripe_double: StripeDouble) -> None:
    stripe_double.sell("CREDITS", kind="usage_pack")
    stripe_double.simulator.pay(stripe_double.checkout("user_1", "CREDITS"))

    assert set(stripe_double.deliver(times=3)) == {200}

    assert access.summary("user_1").usage_remaining == 1000
    assert {row.tries for row in StripeEvent.objects.all()} == {1}


def test_every_secret_of_a_mode_is_good_while_one_is_being_replaced() -> None:
    with override_settings(LICENZY={"TEST_WEBHOOK_SECRETS": ["whsec_old", "whsec_new"]}):
        for number, secret in enumerate(["whsec_old", "whsec_new"]):
            body = event(id=f"evt_{number}")
            assert post(body, signed(body, secret=secret)).status_code == 200
    with override_settings(LICENZY={"TEST_WEBHOOK_SECRETS": ["whsec_new"]}):
        assert post(BODY, signed(BODY, secret="whsec_old")).status_code == 400


def test_a_header_with_two_signatures_needs_one_of_ours() -> None:
    theirs = signed(BODY, secret="whsec_rolled").partition("v1=")[2]

    assert post(BODY, f"{signed(BODY)},v1={theirs}").status_code == 200


def test_the_mode_of_an_event_is_that_of_its_secret() -> None:
    both = {"TEST_WEBHOOK_SECRETS": ["whsec_test"], "LIVE_WEBHOOK_SECRETS": ["whsec_live"]}
    with override_settings(LICENZY=both):
        for secret, livemode in [("whsec_test", False), ("whsec_live", True)]:
            body = event(livemode=livemode)
            assert post(body, signed(body, secret=secret)).status_code == 200

    rows = StripeEvent.objects.order_by("id").values_list("event_id", "mode")
    assert list(rows) == [("evt_1", "test"), ("evt_1", "live")]


def test_a_secret_given_as_a_text_is_one_secret_and_not_its_letters() -> None:
    with override_settings(LICENZY={"TEST_WEBHOOK_SECRETS": "whsec_text"}):
        assert post(BODY, signed(BODY, secret="w")).status_code == 400
        assert post(BODY, signed(BODY, secret="whsec_text")).status_code == 200


def test_without_a_secret_everything_is_refused() -> None:
    for nothing in ([], [""], "", None):
        with override_settings(LICENZY={"TEST_WEBHOOK_SECRETS": nothing}):
            assert post(BODY, signed(BODY, secret="")).status_code == 400


# --- what is stored ---------------------------------------------------------------------------------------------------


def test_nothing_that_describes_a_person_is_stored(stripe_double: StripeDouble) -> None:
    secret_words = ["ada@example.com", "Lovelace", "St James", "+4412345", "4242-hers", "her order", "ada-by-link"]
    person = {"email": "ada@example.com", "name": "Ada Lovelace", "phone": "+4412345",
              "address": {"line1": "St James Square"}}  # fmt: skip
    stripe_double.sell("PRO_MONTHLY")
    stripe_double.simulator.pay(stripe_double.checkout("user_1", "PRO_MONTHLY"))
    events = stripe_double.take_events()
    for told in events:
        thing = told["data"]["object"]
        thing |= {"customer_details": person, "customer_email": person["email"], "receipt_email": person["email"]}
        thing |= {"billing_details": person, "shipping": person, "description": "her order"}
        thing |= {"client_reference_id": "ada-by-link", "payment_method_details": {"card": {"last4": "4242-hers"}}}
        thing["metadata"] = {**(thing.get("metadata") or {}), "reason": "her order", "customer": "Ada Lovelace"}

    assert set(stripe_double.deliver(events)) == {200}

    assert access.check("user_1")
    kept = json.dumps([*StripeEvent.objects.values(), *StripeFact.objects.values()], default=str)
    assert [word for word in secret_words if word in kept] == []


def test_nul_and_half_characters_do_not_stop_an_event(stripe_double: StripeDouble) -> None:
    stripe_double.sell("PRO_MONTHLY")
    session = stripe_double.checkout("user_1", "PRO_MONTHLY")
    strange = {"id": "cs_\x00\ud83d", "object": "checkout.session", "mode": "payment", "status": "complete",
               "payment_status": "paid", "currency": "e\x00u\ud800", "metadata": {"licenzy_attempt": "att\x00\udfff"},
               "customer": "cus\x00", "livemode": False}  # fmt: skip
    body = event(type="checkout.session.completed", data={"object": strange}, api_version="\x00" * 90)

    assert post(body, signed(body)).status_code == 200
    assert CheckoutAttempt.objects.get().stripe_session_id == session["id"]


# --- where it hangs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [URL, f"{URL}/", f"{URL}/tenant", f"{URL}/tenant/"])
def test_it_answers_with_and_without_a_slash_and_under_tenant(url: str) -> None:
    assert post(BODY, signed(BODY), url=url).status_code == 200


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options"])
def test_it_takes_nothing_but_post(method: str) -> None:
    assert getattr(Client(), method)(URL).status_code == 405


def test_it_works_behind_csrf_protection_and_a_login_for_everything() -> None:
    behind_login = [*django_settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    with override_settings(MIDDLEWARE=behind_login):
        assert post(BODY, signed(BODY), client=Client(enforce_csrf_checks=True)).status_code == 200
