"""The host's own metadata of a purchase: kept, shown, told, and never trusted."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from licenzy_django import checkout
from licenzy_django.admin.links import page_of
from licenzy_django.exceptions import IdempotencyKeyReused, InvalidRequest
from licenzy_django.models import CheckoutAttempt, OutboundEndpoint, OutboundEvent, Subject
from licenzy_django.outbound import endpoints
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.django_db

ORDER = {"order": "42", "campaign": "spring"}


@pytest.fixture
def stripe(stripe_double: StripeDouble) -> StripeDouble:
    stripe_double.sell("PRO")
    stripe_double.sell("CREDITS", kind="usage_pack")
    return stripe_double


@pytest.fixture
def endpoint(db: None) -> OutboundEndpoint:
    return endpoints.create("test", "https://erp.example.com/events/")[0]


def start(**given: Any) -> CheckoutAttempt:
    started = checkout.start("user_1", "PRO", **{"idempotency_key": "k", **given})
    return CheckoutAttempt.objects.get(public_id=started.attempt_id)


def test_it_is_kept_and_stays_here(stripe: StripeDouble) -> None:
    attempt = start(metadata=ORDER)

    assert attempt.metadata == ORDER
    assert all("spring" not in sent.body for sent in stripe.requests)


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize("code", ["PRO", "CREDITS"])
def test_every_event_of_the_purchase_tells_it(stripe: StripeDouble, code: str) -> None:
    session = stripe.buy("user_1", code, metadata=ORDER)
    if code == "PRO":
        stripe.renew(session)
        stripe.cancel(session)

    told = {event.type: event.payload["metadata"] for event in OutboundEvent.objects.all()}

    assert "purchase.finalized" in told
    assert len(told) >= (4 if code == "PRO" else 2)
    assert {str(metadata) for metadata in told.values()} == {str(ORDER)}


@pytest.mark.usefixtures("endpoint")
def test_without_any_it_is_null(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "PRO")

    assert {event.payload["metadata"] for event in OutboundEvent.objects.all()} == {None}


def test_the_subjects_page_shows_it(stripe: StripeDouble, admin_client: Client) -> None:
    start(metadata={"order": "<b>42</b>"})

    page = admin_client.get(page_of(Subject.objects.get().pk)).content.decode()

    assert "order: &lt;b&gt;42&lt;/b&gt;" in page


def test_it_finds_nothing(stripe: StripeDouble) -> None:
    victim = start(metadata={}, idempotency_key="victim")

    session = stripe.buy("user_2", "PRO", metadata={"licenzy_attempt": victim.public_id, "subject_ref": "user_1"})

    victim.refresh_from_db()
    assert victim.status == "created"
    assert session["metadata"] == {"licenzy_attempt": CheckoutAttempt.objects.latest("pk").public_id}


def test_as_much_as_stripe_allows(stripe: StripeDouble) -> None:
    most = {f"{number:040}": "ü" * 500 for number in range(50)}

    assert start(metadata=most).metadata == most


@pytest.mark.parametrize(
    "metadata",
    [
        {str(number): "" for number in range(51)},
        {"x" * 41: ""},
        {"": "empty"},
        {"order": "x" * 501},
        {"order": 42},
        {"order": None},
        {"order": {"id": "42"}},
        {42: "order"},
        {"order": "a\x00b"},
        {"order": "\ud800"},
        ["order"],
        "order",
    ],
    ids=lambda given: str(given)[:20].encode(errors="replace").decode(),
)
def test_more_than_that_is_refused(stripe: StripeDouble, metadata: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        start(metadata=metadata)

    assert [*refused.value.extra["fields"]] == ["metadata"]
    assert CheckoutAttempt.objects.count() == 0


def test_the_same_key_with_other_metadata_is_another_request(stripe: StripeDouble) -> None:
    start(metadata=ORDER)

    assert start(metadata=dict(reversed(ORDER.items()))).metadata == ORDER
    with pytest.raises(IdempotencyKeyReused):
        start(metadata={"order": "43"})


def test_a_key_of_before_there_was_metadata_means_the_same(stripe: StripeDouble) -> None:
    before = start()

    assert start(metadata=None, locale="", optional_items=()) == before
