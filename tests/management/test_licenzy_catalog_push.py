"""``licenzy_catalog push``: one file sets up a Stripe account, and nothing that is there is lost."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from licenzy_django import access, catalog, checkout
from licenzy_django.catalog import CatalogError
from licenzy_django.exceptions import ProductNotFound
from licenzy_django.models import Product
from licenzy_django.stripe import client
from licenzy_django.testing import StripeDouble

pytestmark = pytest.mark.django_db

PRO = {"mode": "test", "code": "PRO_MONTHLY", "name": "Pro, monthly", "kind": "subscription",
       "stripe_lookup_key": "pro_monthly", "amount": 1900, "currency": "eur", "interval": "month"}  # fmt: skip
WEEK = {"mode": "test", "code": "WEEK", "name": "One week", "kind": "time_pass", "duration_days": 7,
        "stripe_lookup_key": "week", "amount": 500, "currency": "jpy"}  # fmt: skip
CATALOG = [PRO, WEEK]


@pytest.fixture
def stripe(stripe_double: StripeDouble) -> StripeDouble:
    return stripe_double


def push(*arguments: str) -> str:
    said = StringIO()
    call_command("licenzy_catalog", "push", *arguments, stdout=said, stderr=said)
    return said.getvalue()


def set_up(entries: list[dict[str, Any]]) -> str:
    catalog.load(entries)
    return push()


def prices(stripe: StripeDouble) -> list[dict[str, Any]]:
    return stripe.simulator.all("price")


def change_price(price_id: str, **wanted: Any) -> None:
    changes: Any = wanted
    client.ask("test", lambda stripe: stripe.v1.prices.update(price_id, changes))


def test_one_file_sets_up_an_empty_account(stripe: StripeDouble, tmp_path: Path) -> None:
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(CATALOG))

    call_command("licenzy_catalog", "load", str(file), stdout=StringIO())
    said = push()

    month, week = prices(stripe)
    assert (month["unit_amount"], month["currency"], month["recurring"]["interval"]) == (1900, "eur", "month")
    assert (week["unit_amount"], week["currency"], week["recurring"]) == (500, "jpy", None)
    assert [price["metadata"] for price in (month, week)] == [{"licenzy_code": "PRO_MONTHLY"}, {"licenzy_code": "WEEK"}]
    names = [stripe.simulator.get("product", price["product"])["name"] for price in (month, week)]
    assert names == ["Pro, monthly", "One week"]
    assert "19.00 EUR a month" in said
    assert "500 JPY once" in said
    assert said.endswith("2 made, 0 found by lookup key, 0 unchanged\n")
    stripe.buy("user_1", "PRO_MONTHLY")
    assert access.check("user_1", "PRO_MONTHLY")


def test_the_second_run_does_nothing(stripe: StripeDouble) -> None:
    set_up(CATALOG)
    stripe.requests.clear()

    assert push() == "0 made, 0 found by lookup key, 2 unchanged\n"
    assert catalog.load(CATALOG)["unchanged"] == 2

    assert {request.method for request in stripe.requests} == {"GET"}


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(stripe: StripeDouble) -> None:
    catalog.load(CATALOG)

    said = push("--dry-run")

    assert "PRO_MONTHLY (test): would be: a price of 19.00 EUR a month and a product “Pro, monthly”" in said
    assert said.endswith("2 to make, 0 found by lookup key, 0 unchanged\n")
    assert prices(stripe) == []
    assert set(Product.objects.values_list("stripe_price_id", flat=True)) == {""}


def test_what_has_not_been_pushed_is_not_for_sale(stripe: StripeDouble) -> None:
    catalog.load(CATALOG)

    with pytest.raises(ProductNotFound):
        checkout.start("user_1", "PRO_MONTHLY", idempotency_key="order-1")


def test_without_a_lookup_key_the_code_is_the_key(stripe: StripeDouble) -> None:
    set_up([{name: value for name, value in PRO.items() if name != "stripe_lookup_key"}])

    assert prices(stripe)[0]["lookup_key"] == "PRO_MONTHLY"


# --- another amount ---------------------------------------------------------------------------------------------------


@pytest.fixture
def dearer(stripe: StripeDouble) -> dict[str, Any]:
    """PRO was pushed, somebody bought it, and the file asks for more now."""
    set_up(CATALOG)
    stripe.buy("user_1", "PRO_MONTHLY")
    entry = {**PRO, "amount": 2900}
    catalog.load([entry])
    return entry


def test_another_amount_is_a_new_price_that_takes_the_lookup_key(stripe: StripeDouble, dearer: Any) -> None:
    old = Product.objects.get(code="PRO_MONTHLY").stripe_price_id

    said = push()

    new = Product.objects.get(code="PRO_MONTHLY").stripe_price_id
    before, after = stripe.simulator.get("price", old), stripe.simulator.get("price", new)
    assert f"the lookup key pro_monthly moves there from {old} (19.00 EUR a month)" in said
    assert (before["unit_amount"], before["active"], before["lookup_key"]) == (1900, True, None)
    assert (after["unit_amount"], after["lookup_key"], after["product"]) == (2900, "pro_monthly", before["product"])
    assert push() == "0 made, 0 found by lookup key, 2 unchanged\n"
    assert catalog.load([dearer])["unchanged"] == 1


def test_who_has_the_old_price_keeps_the_product(stripe: StripeDouble, dearer: Any) -> None:
    push()

    stripe.advance(days=31)

    assert access.check("user_1", "PRO_MONTHLY")


def test_until_the_push_the_old_price_is_for_sale(stripe: StripeDouble, dearer: Any) -> None:
    session = stripe.checkout("user_2", "PRO_MONTHLY")
    assert session["amount_total"] == 1900


@pytest.mark.parametrize("change", [{"currency": "usd"}, {"interval": "year"}], ids=repr)
def test_another_currency_or_interval_is_a_new_price(stripe: StripeDouble, change: dict[str, Any]) -> None:
    set_up(CATALOG)

    said = set_up([{**PRO, **change}])

    assert "1 made" in said
    assert len(prices(stripe)) == 3


def test_a_price_of_three_months_is_not_the_one_of_a_month(stripe: StripeDouble) -> None:
    stripe.simulator.create_price({"currency": "eur", "unit_amount": 1900, "lookup_key": "pro_monthly",
                                   "recurring": {"interval": "month", "interval_count": 3}})  # fmt: skip

    assert "(19.00 EUR every 3 months)" in set_up([PRO])


def test_amounts_in_other_currencies_are_not_lost_in_silence(stripe: StripeDouble) -> None:
    stripe.simulator.create_price({"currency": "eur", "unit_amount": 1500, "lookup_key": "pro_monthly",
                                   "recurring": {"interval": "month"},
                                   "currency_options": {"usd": {"unit_amount": 1700}}})  # fmt: skip
    catalog.load([PRO])

    assert "has amounts in usd too; the new price will not have them" in push("--dry-run")


def test_a_new_price_keeps_tax_behavior_and_metadata(stripe: StripeDouble) -> None:
    stripe.simulator.create_price({"currency": "eur", "unit_amount": 1500, "lookup_key": "pro_monthly",
                                   "recurring": {"interval": "month"}, "tax_behavior": "inclusive",
                                   "metadata": {"team": "red"}})  # fmt: skip

    set_up([PRO])

    new = prices(stripe)[-1]
    assert (new["tax_behavior"], new["metadata"]) == ("inclusive", {"team": "red", "licenzy_code": "PRO_MONTHLY"})


# --- what is there already --------------------------------------------------------------------------------------------


def test_another_installation_finds_the_prices_by_their_lookup_keys(stripe: StripeDouble) -> None:
    set_up(CATALOG)
    Product.objects.all().delete()

    catalog.load(CATALOG)

    assert push() == "0 made, 0 found by lookup key, 2 unchanged\n"


def test_a_price_made_between_load_and_push_is_taken(stripe: StripeDouble) -> None:
    catalog.load([PRO])
    made = stripe.simulator.create_price({"currency": "eur", "unit_amount": 1900, "lookup_key": "pro_monthly",
                                          "recurring": {"interval": "month"}})  # fmt: skip

    assert push().endswith("0 made, 1 found by lookup key, 0 unchanged\n")

    assert Product.objects.get().stripe_price_id == made["id"]


def test_an_archived_price_stays_archived_and_loses_its_key(stripe: StripeDouble) -> None:
    set_up([PRO])
    [old] = prices(stripe)
    change_price(old["id"], active=False)

    assert "1 made" in push()

    archived, new = prices(stripe)
    assert (archived["active"], archived["lookup_key"]) == (False, None)
    assert Product.objects.get().stripe_price_id == new["id"]


def test_a_product_with_a_price_id_gets_its_next_price_in_the_same_product(stripe: StripeDouble) -> None:
    sold = stripe.sell("PRO_MONTHLY")

    set_up([PRO])

    old, new = prices(stripe)
    assert old["id"] == sold.stripe_price_id
    assert new["product"] == old["product"]


def test_what_is_not_sold_any_more_is_not_made(stripe: StripeDouble) -> None:
    assert set_up([{**PRO, "is_active": False}]) == "0 made, 0 found by lookup key, 0 unchanged\n"
    assert prices(stripe) == []


# --- interruptions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["drop_before", "drop_after"])
def test_an_answer_that_never_came_makes_no_second_price(stripe: StripeDouble, how: str) -> None:
    catalog.load(CATALOG)
    stripe.faults.add("POST", "/v1/prices", how, times=9)
    with pytest.raises(CommandError, match="test mode: Stripe could not be reached"):
        push()
    stripe.faults.clear()

    push()

    assert len(prices(stripe)) == 2
    assert len(stripe.simulator.all("product")) == 2


@pytest.mark.parametrize("change", [{}, {"amount": 2900}], ids=["first", "replaced"])
def test_a_push_that_dies_before_it_saves_is_finished_by_the_next_one(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    if change:
        set_up([PRO])
    catalog.load([{**PRO, **change}])
    with monkeypatch.context() as patched:
        patched.setattr("licenzy_django.catalog.push.put_on_sale", died)
        with pytest.raises(KeyboardInterrupt):
            push()

    push()

    assert len(prices(stripe)) == 1 + bool(change)
    assert Product.objects.get().stripe_price_id == prices(stripe)[-1]["id"]


def died(*_: object) -> None:
    raise KeyboardInterrupt


def test_two_pushes_at_once_make_one_new_price(stripe: StripeDouble) -> None:
    set_up([PRO])
    catalog.load([{**PRO, "amount": 2900}])
    [mine], [other] = catalog.push_plan("test"), catalog.push_plan("test")

    assert catalog.carry_out(mine) == catalog.carry_out(other)

    assert len(prices(stripe)) == 2


def test_two_first_pushes_at_once_make_one_price(stripe: StripeDouble) -> None:
    catalog.load([PRO])
    [mine], [other] = catalog.push_plan("test"), catalog.push_plan("test")
    catalog.carry_out(mine)

    assert catalog.carry_out(other) == prices(stripe)[0]["id"]

    assert len(prices(stripe)) == 1


def test_a_product_that_was_changed_meanwhile_keeps_what_it_has(stripe: StripeDouble) -> None:
    catalog.load([PRO])
    [step] = catalog.push_plan("test")
    catalog.load([{**PRO, "stripe_lookup_key": "other"}])

    with pytest.raises(CatalogError, match="its lookup key was changed meanwhile; push again"):
        catalog.carry_out(step)

    assert Product.objects.get().stripe_price_id == ""


def test_a_lookup_key_that_was_moved_by_hand_is_not_fought_for(stripe: StripeDouble) -> None:
    set_up([PRO])
    [old] = prices(stripe)
    catalog.load([{**PRO, "amount": 2900}])
    push()
    change_price(old["id"], lookup_key="pro_monthly", transfer_lookup_key=True)

    with pytest.raises(CommandError, match="somebody moved it at Stripe"):
        push()


def test_a_price_that_is_another_products_is_not_taken(stripe: StripeDouble) -> None:
    catalog.load([PRO])
    made = stripe.simulator.create_price({"currency": "eur", "unit_amount": 1900, "lookup_key": "pro_monthly",
                                          "recurring": {"interval": "month"}})  # fmt: skip
    catalog.load([{"mode": "test", "code": "OLD", "name": "Old", "kind": "subscription",
                   "stripe_price_id": made["id"]}])  # fmt: skip

    with pytest.raises(CommandError, match=r"PRO_MONTHLY \(test\): stripe_price_id: .* is a price of OLD"):
        push()


def test_a_mode_without_a_key_is_said_in_a_sentence(stripe: StripeDouble) -> None:
    catalog.load([PRO])
    Product.objects.update(mode="live")

    with pytest.raises(CommandError, match="live mode: There are no Stripe credentials for this mode"):
        push()
    assert push("--mode", "test") == "0 made, 0 found by lookup key, 0 unchanged\n"


def test_the_test_kit_sells_what_a_file_says(stripe: StripeDouble, tmp_path: Path) -> None:
    by_key = {"mode": "test", "code": "TEAM", "name": "Team", "kind": "subscription", "stripe_lookup_key": "team",
              "units": 1000, "units_every": "month"}  # fmt: skip
    by_id = {"mode": "test", "code": "DAY", "name": "Day", "kind": "time_pass", "duration_days": 1,
             "stripe_price_id": "price_day"}  # fmt: skip
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps([PRO, by_key, by_id, {**PRO, "mode": "live"}]))

    products = stripe.sell_catalog(file)

    assert {product.code for product in products} == {"PRO_MONTHLY", "TEAM", "DAY"}
    assert {product.code: product.units for product in products} == {"PRO_MONTHLY": None, "TEAM": 1000, "DAY": None}
    paid = {product.code: stripe.buy("user_1", product.code)["amount_total"] for product in products}
    assert paid == {"PRO_MONTHLY": 1900, "TEAM": 1900, "DAY": 1900}
