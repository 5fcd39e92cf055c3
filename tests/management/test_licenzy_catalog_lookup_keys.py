"""Prices by lookup key, and what an entry of the catalog may say of its price."""

from __future__ import annotations

from typing import Any

import pytest

from licenzy_django import access, catalog
from licenzy_django.catalog import CatalogError, verdicts
from licenzy_django.catalog.amounts import written
from licenzy_django.models import Product
from licenzy_django.stripe import client
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.django_db

PRO: dict[str, Any] = {"mode": "test", "code": "PRO", "name": "Pro", "kind": "subscription"}
PASS: dict[str, Any] = {"mode": "test", "code": "WEEK", "name": "Week", "kind": "time_pass", "duration_days": 7}
BY_KEY = {**PRO, "stripe_lookup_key": "pro"}


@pytest.fixture
def stripe(stripe_double: StripeDouble) -> StripeDouble:
    return stripe_double


def price(stripe: StripeDouble, key: str, **wanted: Any) -> str:
    terms = {"currency": "eur", "unit_amount": 1900, "recurring": {"interval": "month"}, "lookup_key": key}
    return str(stripe.simulator.create_price({**terms, "transfer_lookup_key": True, **wanted})["id"])


def problems() -> list[str]:
    return [problem for verdict in verdicts("test") for problem in verdict.problems]


def test_a_lookup_key_is_resolved_and_kept(stripe: StripeDouble) -> None:
    made = price(stripe, "pro")

    catalog.load([BY_KEY])

    product = Product.objects.get()
    assert (product.stripe_price_id, product.stripe_lookup_key) == (made, "pro")
    assert catalog.dump([product]) == [{**BY_KEY, "features": [], "grace_days": 0}]
    assert catalog.load([BY_KEY])["unchanged"] == 1


def test_twenty_five_keys_cost_three_questions(stripe: StripeDouble) -> None:
    entries = [{**PRO, "code": f"PRO_{number}", "stripe_lookup_key": f"pro_{number}"} for number in range(25)]
    made = {entry["code"]: price(stripe, entry["stripe_lookup_key"]) for entry in entries}
    stripe.requests.clear()

    catalog.load(entries)

    assert dict(Product.objects.values_list("code", "stripe_price_id")) == made
    assert len(stripe.requests) == 3


@pytest.mark.parametrize("is_archived", [False, True])
def test_a_key_that_names_no_active_price_is_refused_with_product_and_key(
    stripe: StripeDouble, is_archived: bool
) -> None:
    if is_archived:
        price(stripe, "pro", active=False)
    known = price(stripe, "other")

    with pytest.raises(CatalogError, match=r"Product 2 \(PRO\): stripe_lookup_key: .*\bpro\b.* in test mode"):
        catalog.load([{**PASS, "stripe_price_id": known}, BY_KEY])

    assert not Product.objects.exists()


def test_a_mode_has_its_own_keys(stripe: StripeDouble) -> None:
    price(stripe, "pro")

    with pytest.raises(CatalogError, match=r"stripe_lookup_key of PRO \(live\)"):
        catalog.load([{**BY_KEY, "mode": "live"}])


def test_a_stripe_that_is_down_is_said_with_the_product(stripe: StripeDouble) -> None:
    stripe.faults.add("GET", "/v1/prices", "drop_before", times=9)

    with pytest.raises(CatalogError, match=r"stripe_lookup_key of PRO \(test\): Stripe could not be reached"):
        catalog.load([BY_KEY])


def test_a_file_without_lookup_keys_never_asks_stripe(stripe: StripeDouble) -> None:
    catalog.load([{**PRO, "stripe_price_id": "price_1"}])

    assert stripe.requests == []


def test_verify_says_that_a_key_has_moved_and_load_follows(stripe: StripeDouble) -> None:
    price(stripe, "pro")
    catalog.load([BY_KEY])
    stripe.buy("user_1", "PRO")
    moved = price(stripe, "pro", unit_amount=2900)
    assert problems() == [f"Its lookup key pro names the price {moved} by now: load the catalog again."]

    catalog.load([BY_KEY])

    assert Product.objects.get().stripe_price_id == moved
    assert problems() == []
    assert access.check("user_1", "PRO")


def test_verify_says_that_a_key_is_gone(stripe: StripeDouble) -> None:
    made = price(stripe, "pro")
    catalog.load([BY_KEY])
    unnamed: Any = {"lookup_key": ""}
    client.ask("test", lambda stripe: stripe.v1.prices.update(made, unnamed))

    assert problems() == ["No price at Stripe has its lookup key pro any more."]


def test_verify_says_that_the_amount_is_another_one(stripe: StripeDouble) -> None:
    made = price(stripe, "pro", unit_amount=2900)
    catalog.load([{**BY_KEY, "amount": 1900, "currency": "eur", "interval": "month"}])

    [problem] = problems()

    assert problem == (
        f"Its price {made} is 29.00 EUR a month, but the catalog says 19.00 EUR a month: run licenzy_catalog push."
    )


def test_verify_says_that_a_product_was_never_pushed(stripe: StripeDouble) -> None:
    catalog.load([{**BY_KEY, "amount": 1900, "currency": "eur", "interval": "month"}])

    assert problems() == ["It has no price at Stripe yet: run licenzy_catalog push."]


def test_verify_shows_the_other_currencies_of_a_price(stripe: StripeDouble) -> None:
    made = price(stripe, "pro", currency_options={"usd": {"unit_amount": 2100}, "jpy": {"unit_amount": 3000}})
    catalog.load([BY_KEY])

    [verdict] = verdicts("test")

    assert verdict.problems == []
    assert verdict.notes == [f"Its price {made} is 19.00 EUR a month, and also 3,000 JPY, 21.00 USD."]


def test_two_products_exchange_their_lookup_keys(stripe: StripeDouble) -> None:
    first, second = price(stripe, "a"), price(stripe, "b")
    catalog.load([{**PRO, "stripe_lookup_key": "a"}, {**PRO, "code": "MAX", "stripe_lookup_key": "b"}])

    catalog.load([{**PRO, "stripe_lookup_key": "b"}, {**PRO, "code": "MAX", "stripe_lookup_key": "a"}])

    assert dict(Product.objects.values_list("code", "stripe_price_id")) == {"PRO": second, "MAX": first}


def test_a_product_goes_from_a_price_id_to_a_lookup_key_and_back(stripe: StripeDouble) -> None:
    made = price(stripe, "pro")
    by_id = {**PRO, "stripe_price_id": made}

    catalog.load([by_id])
    catalog.load([BY_KEY])
    catalog.load([by_id])

    product = Product.objects.get()
    assert (product.stripe_price_id, product.stripe_lookup_key) == (made, "")
    assert product.prices.count() == 1


MONTHLY = {"amount": 1900, "currency": "eur", "interval": "month"}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "both": ({**BY_KEY, "stripe_price_id": "price_1"}, "stripe_lookup_key: give it or stripe_price_id, not both"),
    "neither": (PRO, "keys are missing: stripe_price_id"),
    "an empty key": ({**PRO, "stripe_lookup_key": ""}, "stripe_lookup_key must be"),
    "a key that is a number": ({**PRO, "stripe_lookup_key": 5}, "stripe_lookup_key must be"),
    "an endless key": ({**PRO, "stripe_lookup_key": "k" * 201}, "stripe_lookup_key must be"),
    "a key with a new line": ({**PRO, "stripe_lookup_key": "pro\n"}, "stripe_lookup_key must be"),
    "an amount for a price id": ({**PRO, "stripe_price_id": "price_1", **MONTHLY}, "amount: .*stripe_lookup_key"),
    "an amount that is a text": ({**BY_KEY, **MONTHLY, "amount": "19.00"}, "amount must be a whole number"),
    "an amount with cents": ({**BY_KEY, **MONTHLY, "amount": 19.0}, "amount must be a whole number"),
    "an amount that is true": ({**BY_KEY, **MONTHLY, "amount": True}, "amount must be a whole number"),
    "an amount below nothing": ({**BY_KEY, **MONTHLY, "amount": -1}, "amount must be a whole number"),
    "an amount without end": ({**BY_KEY, **MONTHLY, "amount": 10**12}, "amount must be a whole number"),
    "no currency": ({**BY_KEY, "amount": 1900, "interval": "month"}, "keys are missing: currency"),
    "no interval": ({**BY_KEY, "amount": 1900, "currency": "eur"}, "keys are missing: interval"),
    "currency alone": ({**BY_KEY, "currency": "eur"}, "currency: it goes with an amount"),
    "interval alone": ({**BY_KEY, "interval": "month"}, "interval: it goes with an amount"),
    "large letters": ({**BY_KEY, **MONTHLY, "currency": "EUR"}, "currency must be three small letters"),
    "a sign": ({**BY_KEY, **MONTHLY, "currency": "€"}, "currency must be three small letters"),
    "a quarter": ({**BY_KEY, **MONTHLY, "interval": "quarter"}, "interval must be one of day, week, month, year"),
    "an interval in a list": ({**BY_KEY, **MONTHLY, "interval": ["month"]}, "interval must be one of"),
    "an interval of a pass": ({**PASS, "stripe_lookup_key": "w", **MONTHLY}, "do not apply to a time_pass: interval"),
    "thousandths": ({**BY_KEY, **MONTHLY, "amount": 1905, "currency": "kwd"}, "amount: 1.905 KWD .* multiple of 10"),
    "a part of a krona": ({**BY_KEY, **MONTHLY, "amount": 550, "currency": "isk"}, "amount: 5.50 ISK .* of 100"),
}


@pytest.mark.parametrize(("entry", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_fit_is_refused_with_product_and_key(entry: dict[str, Any], why: str) -> None:
    with pytest.raises(CatalogError, match=rf"Product 1 \({entry['code']}\): .*{why}"):
        catalog.load([entry])


def test_one_lookup_key_is_one_product(stripe: StripeDouble) -> None:
    price(stripe, "pro")

    with pytest.raises(CatalogError, match=r"Product 2 \(MAX\): stripe_lookup_key: pro is the lookup key of PRO"):
        catalog.load([BY_KEY, {**BY_KEY, "code": "MAX"}])


def test_a_lookup_key_of_a_product_that_is_not_in_the_file_is_refused(stripe: StripeDouble) -> None:
    price(stripe, "pro")
    catalog.load([BY_KEY])

    with pytest.raises(CatalogError, match=r"Product 1 \(MAX\): .*lookup key"):
        catalog.load([{**BY_KEY, "code": "MAX"}])


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        (1900, "eur", "19.00 EUR"),
        (1900, "jpy", "1,900 JPY"),
        (1900, "kwd", "1.900 KWD"),
        (500, "isk", "5.00 ISK"),
        (0, "usd", "0.00 USD"),
        (123456789, "idr", "1,234,567.89 IDR"),
    ],
)
def test_amounts_are_written_in_their_currency(amount: int, currency: str, words: str) -> None:
    assert written(amount, currency) == words
