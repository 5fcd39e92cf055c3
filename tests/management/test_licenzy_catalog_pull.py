"""``licenzy_catalog pull``: a catalog from what is at Stripe, which ``load`` reads."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from licenzy_django import catalog
from licenzy_django.catalog.pull import as_code
from licenzy_django.models import Product
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.django_db
MONTHLY = {"recurring": {"interval": "month"}}


@pytest.fixture
def stripe(stripe_double: StripeDouble) -> StripeDouble:
    return stripe_double


def price(stripe: StripeDouble, name: str, **wanted: Any) -> str:
    terms = {"currency": "eur", "unit_amount": 1900, "product_name": name}
    return str(stripe.simulator.create_price({**terms, **wanted})["id"])


def pull() -> tuple[list[dict[str, Any]], str]:
    """The entries, and what was said beside them."""
    out, err = StringIO(), StringIO()
    call_command("licenzy_catalog", "pull", stdout=out, stderr=err)
    return json.loads(out.getvalue()), err.getvalue()


def test_an_account_becomes_a_file_that_load_reads(stripe: StripeDouble) -> None:
    price(stripe, "Pro", lookup_key="pro-monthly", **MONTHLY)
    yearly = price(stripe, "Pro", recurring={"interval": "year"})
    once = price(stripe, "Größe 2")

    entries, said = pull()

    assert entries == [
        {"mode": "test", "code": "PRO_MONTHLY", "name": "Pro", "kind": "subscription",
         "stripe_lookup_key": "pro-monthly", "amount": 1900, "currency": "eur", "interval": "month"},
        {"mode": "test", "code": "PRO_YEARLY", "name": "Pro", "kind": "subscription", "stripe_price_id": yearly},
        {"mode": "test", "code": "GROSSE_2", "name": "Größe 2", "kind": "time_pass", "stripe_price_id": once,
         "duration_days": 30},
    ]  # fmt: skip
    assert f"GROSSE_2: Stripe does not say what {once} gives (19.00 EUR once): a time_pass of 30 days" in said
    assert not Product.objects.exists()
    assert catalog.load(entries)["created"] == 3
    assert [step.is_done for step in catalog.push_plan("test")] == [True]


def test_a_second_pull_is_the_same(stripe: StripeDouble) -> None:
    price(stripe, "Pro", **MONTHLY)
    price(stripe, "Pro", **MONTHLY)
    price(stripe, "Zwölf")

    assert pull() == pull()


def test_what_the_catalog_knows_keeps_its_entry(stripe: StripeDouble) -> None:
    stripe.sell("CREDITS", kind="usage_pack", units=500, features=["export"])
    stripe.sell("PRO", group="plans", trial_days=14)
    entries = catalog.dump(Product.objects.order_by("pk"))

    assert pull() == (entries, "")
    assert catalog.load(pull()[0])["unchanged"] == 2


def test_former_and_other_prices_of_a_product_are_no_products(stripe: StripeDouble) -> None:
    product = stripe.sell("PRO")
    old, other, new = product.stripe_price_id, price(stripe, "Pro", **MONTHLY), price(stripe, "Pro", **MONTHLY)
    product.stripe_price_id, product.other_price_ids = new, [other]
    product.save()

    entries, said = pull()

    assert [entry["stripe_price_id"] for entry in entries] == [new]
    assert (old in said, said) == (False, "")


def test_what_was_pushed_has_its_code_again_in_an_empty_database(stripe: StripeDouble) -> None:
    entry = {"mode": "test", "code": "Pro:m", "name": "Pro", "kind": "subscription", "stripe_lookup_key": "k",
             "amount": 5, "currency": "eur", "interval": "month"}  # fmt: skip
    catalog.load([entry])
    catalog.carry_out(catalog.push_plan("test")[0])
    Product.objects.all().delete()

    assert pull()[0] == [entry]


def test_a_product_that_waits_for_its_push_keeps_its_entry(stripe: StripeDouble) -> None:
    entry = {"mode": "test", "code": "PRO", "name": "Pro", "kind": "subscription", "stripe_lookup_key": "pro",
             "amount": 2900, "currency": "eur", "interval": "month", "features": [], "grace_days": 0}  # fmt: skip
    catalog.load([entry])
    price(stripe, "Pro", lookup_key="pro", **MONTHLY)

    assert pull() == ([entry], "")


def test_two_prices_never_get_one_code(stripe: StripeDouble) -> None:
    price(stripe, "Pro", **MONTHLY)
    second = price(stripe, "Pro", **MONTHLY)

    codes = [entry["code"] for entry in pull()[0]]

    assert codes == ["PRO_MONTHLY", f"PRO_MONTHLY_{second[-8:]}"]


def test_a_code_of_the_catalog_is_never_given_another_price(stripe: StripeDouble) -> None:
    stripe.sell("PRO_MONTHLY", stripe_price_id="price_x")
    price(stripe, "Pro", **MONTHLY)

    catalog.load(pull()[0])

    assert Product.objects.get(code="PRO_MONTHLY").stripe_price_id == "price_x"
    assert Product.objects.count() == 2


def test_two_monthly_prices_of_one_product_are_pointed_at(stripe: StripeDouble) -> None:
    product = stripe.simulator.get("price", price(stripe, "Pro", **MONTHLY))["product"]
    stripe.simulator.create_price({"currency": "eur", "unit_amount": 900, "product": product, **MONTHLY})

    entries, said = pull()

    assert f"{entries[1]['code']}: it is a price of the same product as PRO_MONTHLY" in said


@pytest.mark.parametrize(
    ("wanted", "keys"),
    [
        ({"recurring": {"interval": "month", "interval_count": 3}}, {"stripe_lookup_key"}),
        ({"currency": "kwd", "unit_amount": 1905, **MONTHLY}, {"stripe_lookup_key"}),
        ({"unit_amount": 0, **MONTHLY}, {"stripe_lookup_key", "amount", "currency", "interval"}),
    ],
    ids=["every three months", "thousandths", "free of charge"],
)
def test_an_amount_that_push_would_not_make_is_left_out(stripe: StripeDouble, wanted: Any, keys: set[str]) -> None:
    price(stripe, "Pro", lookup_key="pro", **wanted)

    [entry], said = pull()

    assert entry.keys() == {"mode", "code", "name", "kind", *keys}
    assert ("the entry has no amount" in said) is ("amount" not in keys)
    assert catalog.load([entry])["created"] == 1


def test_a_trial_of_the_price_itself_is_pointed_at(stripe: StripeDouble) -> None:
    price(stripe, "Pro", recurring={"interval": "month", "trial_period_days": 14})

    assert "PRO_MONTHLY: price_" in pull()[1]
    assert "has a trial of its own, which Checkout ignores: set trial_days" in pull()[1]


def test_what_is_archived_is_left_out(stripe: StripeDouble) -> None:
    price(stripe, "Old", active=False)
    archived = price(stripe, "Older")
    product = stripe.simulator.get("price", archived)["product"]
    from licenzy_django.stripe import client

    gone: Any = {"active": False}
    client.ask("test", lambda stripe: stripe.v1.products.update(product, gone))

    assert pull() == ([], f"{archived} is left out: its product is archived. (test)\n")


def test_more_prices_than_a_page_holds(stripe: StripeDouble) -> None:
    for number in range(101):
        price(stripe, f"Plan {number}", **MONTHLY)

    entries = pull()[0]

    assert len({entry["code"] for entry in entries}) == 101


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("pro_monthly", "PRO_MONTHLY"),
        ("Größe XL (neu!)", "GROSSE_XL_NEU"),
        ("プロ", ""),
        ("x" * 80, "X" * 64),
        ("  ", ""),
        ("--a--", "A"),
    ],
)
def test_a_code_is_made_of_letters_and_digits(text: str, code: str) -> None:
    assert as_code(text) == code


def test_a_name_without_latin_letters_gives_the_rhythm_or_the_id(stripe: StripeDouble) -> None:
    price(stripe, "プロ", **MONTHLY)
    once = price(stripe, "プロ")

    entries = pull()[0]

    assert [entry["code"] for entry in entries] == ["MONTHLY", as_code(once)]
    assert catalog.load(entries)["created"] == 2


def test_a_stripe_that_is_down_is_said_in_a_sentence(stripe: StripeDouble) -> None:
    stripe.faults.add("GET", "/v1/prices", "drop_before", times=9)

    with pytest.raises(CommandError, match="test mode: Stripe could not be reached"):
        pull()
