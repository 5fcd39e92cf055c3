"""A paid price that the catalog does not know gives nothing, is shown, and gives access once it is loaded."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django import access, catalog
from licenzy_django.entitlements import catalog_changes
from licenzy_django.models import Product, StripeEvent, Subject, UnknownPrice
from licenzy_django.testing import StripeDouble

pytestmark = [pytest.mark.django_db, pytest.mark.sells("PRO_MONTHLY", "SUPPORT")]


@pytest.fixture(autouse=True)
def unknown_price(stripe: StripeDouble) -> None:
    stripe.simulator.create_price(
        {"id": "price_new", "currency": "eur", "unit_amount": 2900, "recurring": {"interval": "month"}}
    )


def moved(stripe: StripeDouble, subject: str = "user_1") -> str:
    subscription: str = stripe.buy(subject, "PRO_MONTHLY")["subscription"]
    stripe.advance(days=1)
    stripe.simulator.swap_price(subscription, "price_new")
    stripe.deliver()
    return subscription


def load_the_price() -> None:
    [entry] = catalog.dump(Product.objects.filter(code="PRO_MONTHLY"))
    catalog.load([{**entry, "stripe_price_id": "price_new"}])


def test_an_unknown_price_gives_nothing_and_the_event_says_so(stripe: StripeDouble) -> None:
    subscription = moved(stripe)

    assert not access.check("user_1")
    outcomes = StripeEvent.objects.filter(type="customer.subscription.updated").values_list("outcome", flat=True)
    assert f"subscription {subscription}; no product has the price price_new" in outcomes
    waiting = UnknownPrice.objects.get()
    assert (waiting.subscription_id, waiting.stripe_price_id) == (subscription, "price_new")
    assert Subject.objects.get(subject_ref="user_1").has_unknown_prices


def test_loading_the_price_gives_access_without_any_further_event(stripe: StripeDouble) -> None:
    moved(stripe)

    load_the_price()

    assert access.check("user_1", "PRO_MONTHLY")
    assert not UnknownPrice.objects.exists()
    assert not Subject.objects.filter(has_unknown_prices=True).exists()


def test_whoever_saves_the_product_gives_access(stripe: StripeDouble, django_capture_on_commit_callbacks: Any) -> None:
    moved(stripe)
    product = Product.objects.get(code="PRO_MONTHLY")
    product.other_price_ids = ["price_new"]

    with django_capture_on_commit_callbacks(execute=True):
        product.save()

    assert access.check("user_1", "PRO_MONTHLY")


def test_an_interrupted_load_is_finished_by_the_next_one(stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        moved(stripe, f"user_{number}")
    original, calls = catalog_changes.rebuild_subscription, []

    def dies_after_one(*args: Any, **kwargs: Any) -> Any:
        if calls:
            raise KeyboardInterrupt
        calls.append(args)
        return original(*args, **kwargs)

    with monkeypatch.context() as dying:
        dying.setattr(catalog_changes, "rebuild_subscription", dies_after_one)
        with pytest.raises(KeyboardInterrupt):
            load_the_price()
    assert UnknownPrice.objects.count() == 2

    load_the_price()

    assert not UnknownPrice.objects.exists()
    assert [bool(access.check(f"user_{number}")) for number in range(3)] == [True] * 3


def test_what_ended_or_was_moved_back_waits_for_nothing(stripe: StripeDouble) -> None:
    first, second = moved(stripe, "user_1"), moved(stripe, "user_2")
    moved(stripe, "user_3")

    stripe.cancel(first)
    stripe.simulator.delete_customer(Subject.objects.get(subject_ref="user_3").stripe_customer_id)
    stripe.simulator.swap_price(second, "price_pro_monthly")
    stripe.deliver()

    assert not UnknownPrice.objects.exists()
