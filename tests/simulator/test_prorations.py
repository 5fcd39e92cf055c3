"""What a change in mid-period gives back and costs, by hand: November has 30 days, its middle is the 16th."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from licenzy_django.simulator.simulator import Simulator
from licenzy_django.simulator.stores.memory import MemoryStore
from tests.simulator.conftest import DAY, Json, Shop, make_shop

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def shop() -> Shop:
    return make_shop(Simulator(MemoryStore(now=NOVEMBER)))


def monthly(shop: Shop, amount: int) -> Json:
    return shop.simulator.create_price({"currency": "eur", "unit_amount": amount, "recurring": {"interval": "month"}})


def in_mid_period(shop: Shop, price: Json, *, mode: str = "flexible", quantity: int = 1) -> str:
    made = shop.simulator.subscribe(shop.customer["id"], [(price["id"], quantity)], billing_mode=mode)
    shop.simulator.advance(15 * DAY)
    shop.simulator.take_events()
    return str(made["id"])


def latest(shop: Shop, ref: str) -> Json:
    return shop.simulator.get("invoice", shop.simulator.get("subscription", ref)["latest_invoice"])


def amounts(invoice: Json) -> list[int]:
    return [line["amount"] for line in invoice["lines"]["data"]]


def details(line: Json) -> Json:
    found: Json = line["parent"]["subscription_item_details"]
    return found


def test_an_upgrade_at_once_bills_the_difference(shop: Shop) -> None:
    """19 → 99: −9.50 and +49.50 (docs.stripe.com/billing/subscriptions/prorations: −5 and +10 for 10 → 20)."""
    ref, dear = in_mid_period(shop, shop.month), monthly(shop, 9900)
    first = latest(shop, ref)
    changed = shop.simulator.swap_price(ref, dear, proration_behavior="always_invoice")

    invoice = latest(shop, ref)
    assert amounts(invoice) == [-950, 4950]
    assert (invoice["total"], invoice["amount_due"], invoice["amount_paid"], invoice["status"]) == (
        4000, 4000, 4000, "paid",
    )  # fmt: skip
    assert invoice["billing_reason"] == "subscription_update"
    credit, debit = invoice["lines"]["data"]
    assert credit["description"].startswith("Unused time on ")
    assert debit["description"].startswith("Remaining time on ")
    end = changed["items"]["data"][0]["current_period_end"]
    assert credit["period"] == debit["period"] == {"start": shop.simulator.now, "end": end}
    assert [line["pricing"]["price_details"]["price"] for line in (credit, debit)] == [shop.month["id"], dear["id"]]
    assert all(details(line)["proration"] and details(line)["invoice_item"] for line in (credit, debit))
    assert details(credit)["proration_details"]["credited_items"] == {
        "invoice": first["id"], "invoice_line_items": [first["lines"]["data"][0]["id"]],
    }  # fmt: skip
    assert details(debit)["proration_details"]["credited_items"] is None
    assert not any(line["discountable"] for line in (credit, debit))


def test_a_downgrade_at_once_fills_the_customers_balance(shop: Shop) -> None:
    dear = monthly(shop, 9900)
    ref = in_mid_period(shop, dear)
    shop.simulator.swap_price(ref, shop.month, proration_behavior="always_invoice")

    invoice = latest(shop, ref)
    assert amounts(invoice) == [-4950, 950]
    assert (invoice["total"], invoice["amount_due"], invoice["amount_paid"]) == (-4000, 0, 0)
    assert (invoice["status"], invoice["starting_balance"], invoice["ending_balance"]) == ("paid", 0, -4000)
    assert shop.simulator.get("customer", shop.customer["id"])["balance"] == -4000
    assert not shop.simulator.all("payment_intent", amount=0)

    renewal = shop.simulator.renew(ref)
    assert (renewal["total"], renewal["amount_due"], renewal["status"]) == (1900, 0, "paid")
    assert (renewal["starting_balance"], renewal["ending_balance"]) == (-4000, -2100)
    again = shop.simulator.renew(shop.simulator.get("subscription", ref))
    assert (again["amount_due"], again["ending_balance"]) == (0, -200)
    last = shop.simulator.renew(ref)
    assert (last["amount_due"], last["amount_paid"], last["ending_balance"]) == (1700, 1700, 0)
    moved = [(entry["type"], entry["amount"]) for entry in shop.simulator.all("customer_balance_transaction")]
    assert moved == [("applied_to_invoice", amount) for amount in (-4000, 1900, 1900, 200)]


def test_stripes_default_brings_the_lines_with_the_renewal(shop: Shop) -> None:
    ref = in_mid_period(shop, shop.month)
    shop.simulator.set_quantity(ref, 3, proration_behavior="create_prorations")
    assert shop.told() == ["customer.subscription.updated"]
    renewal = shop.simulator.renew(ref)
    assert amounts(renewal) == [-950, 2850, 5700]
    assert [details(line)["proration"] for line in renewal["lines"]["data"]] == [True, True, False]
    assert renewal["amount_paid"] == 7600
    assert amounts(shop.simulator.renew(ref)) == [5700]


def test_without_proration_nothing_is_billed(shop: Shop) -> None:
    ref = in_mid_period(shop, shop.month)
    shop.simulator.set_quantity(ref, 3)
    assert shop.told() == ["customer.subscription.updated"]
    assert amounts(shop.simulator.renew(ref)) == [5700]


@pytest.mark.parametrize(("mode", "credit", "total"), [("flexible", -333, 0), ("classic", -667, -334)])
def test_what_was_never_billed_is_credited_in_classic_mode_only(shop: Shop, mode: str, credit: int, total: int) -> None:
    """The example of docs.stripe.com/billing/subscriptions/prorations#credit-prorations, to the cent."""
    ten, twenty = monthly(shop, 1000), monthly(shop, 2000)
    ref = shop.simulator.subscribe(shop.customer["id"], [(ten["id"], 1)], billing_mode=mode)["id"]
    shop.simulator.advance(10 * DAY)
    shop.simulator.swap_price(ref, twenty)
    shop.simulator.advance(10 * DAY)
    shop.simulator.swap_price(ref, ten, proration_behavior="always_invoice")
    invoice = latest(shop, ref)
    assert amounts(invoice) == [credit, 333]
    assert invoice["total"] == total
    assert (details(invoice["lines"]["data"][0])["proration_details"]["credited_items"] is None) == (mode == "classic")


def test_an_item_that_was_never_billed_gives_nothing_back_in_flexible_mode(shop: Shop) -> None:
    ref = in_mid_period(shop, shop.month)
    other = monthly(shop, 3000)
    item = shop.simulator.add_item(ref, other)["items"]["data"][-1]
    shop.simulator.remove_item(ref, item=item, proration_behavior="always_invoice")
    assert latest(shop, ref)["billing_reason"] == "subscription_create"


def test_each_debit_is_credited_by_a_line_of_its_own(shop: Shop) -> None:
    """Two seats were billed with the period, the change to four later: both have to be given back once, not twice."""
    ref = in_mid_period(shop, shop.month, quantity=2)
    shop.simulator.set_quantity(ref, 4, proration_behavior="always_invoice")
    assert amounts(latest(shop, ref)) == [-1900, 3800]
    shop.simulator.advance(5 * DAY)
    shop.simulator.set_quantity(ref, 1, proration_behavior="always_invoice")
    assert amounts(latest(shop, ref)) == [-2533, 633]


def test_a_debit_that_waits_is_credited_too_and_comes_on_the_same_invoice(shop: Shop) -> None:
    ref = in_mid_period(shop, shop.month)
    shop.simulator.set_quantity(ref, 2, proration_behavior="create_prorations")
    shop.simulator.set_quantity(ref, 1, proration_behavior="create_prorations")
    renewal = shop.simulator.renew(ref)
    assert amounts(renewal) == [-1900, 950, -950, 1900, 1900]
    credited = details(renewal["lines"]["data"][0])["proration_details"]["credited_items"]
    assert credited == {"invoice": renewal["id"], "invoice_line_items": [renewal["lines"]["data"][3]["id"]]}


def test_an_item_added_and_removed_in_mid_period(shop: Shop) -> None:
    ref, seats = in_mid_period(shop, shop.month), monthly(shop, 3000)
    item = shop.simulator.add_item(ref, seats, quantity=2, proration_behavior="always_invoice")["items"]["data"][-1]
    assert amounts(latest(shop, ref)) == [3000]
    shop.simulator.advance(10 * DAY)
    shop.simulator.remove_item(ref, item=item, proration_behavior="always_invoice")
    assert amounts(latest(shop, ref)) == [-1000]
    assert latest(shop, ref)["status"] == "paid"


def test_a_replaced_item_is_credited_and_its_successor_debited(shop: Shop) -> None:
    ref = in_mid_period(shop, shop.month)
    shop.simulator.replace_item(ref, monthly(shop, 9900), proration_behavior="always_invoice")
    assert amounts(latest(shop, ref)) == [-950, 4950]


@pytest.mark.parametrize("mode", ["flexible", "classic"])
def test_another_interval_begins_a_whole_period_that_is_no_proration(shop: Shop, mode: str) -> None:
    ref = in_mid_period(shop, shop.month, mode=mode)
    changed = shop.simulator.swap_price(ref, shop.year, proration_behavior="create_prorations")
    invoice = latest(shop, ref)
    assert amounts(invoice) == [-950, 19_000]
    assert [details(line)["proration"] for line in invoice["lines"]["data"]] == [True, False]
    now = shop.simulator.now
    [item] = changed["items"]["data"]
    assert changed["billing_cycle_anchor"] == item["current_period_start"] == now
    assert invoice["lines"]["data"][1]["period"] == {"start": now, "end": now + 365 * DAY}


def test_without_a_reset_a_yearly_price_follows_the_anchor_in_flexible_mode(shop: Shop) -> None:
    """ "The ``billing_cycle_anchor`` is never automatically reset" (…/billing-mode/compare)."""
    ref = in_mid_period(shop, shop.month)
    changed = shop.simulator.swap_price(
        ref, shop.year, proration_behavior="always_invoice", billing_cycle_anchor="unchanged"
    )
    [item] = changed["items"]["data"]
    year_later = int(datetime(2027, 11, 1, tzinfo=UTC).timestamp())
    assert (changed["billing_cycle_anchor"], item["current_period_end"]) == (int(NOVEMBER.timestamp()), year_later)
    assert amounts(latest(shop, ref)) == [-950, 18_219]  # 350 of 365 days


def test_prorations_follow_the_date_that_was_previewed(shop: Shop) -> None:
    ref = in_mid_period(shop, shop.month)
    frozen = shop.simulator.now
    shop.simulator.advance(600)
    terms: dict[str, Any] = {"proration_behavior": "always_invoice", "proration_date": frozen}
    shop.simulator.swap_price(ref, monthly(shop, 9900), **terms)
    assert amounts(latest(shop, ref)) == [-950, 4950]


def test_a_change_during_a_trial_bills_nothing(shop: Shop) -> None:
    made = shop.simulator.subscribe(shop.customer["id"], [(shop.month["id"], 1)], trial_days=14)
    before = made["latest_invoice"]
    changed = shop.simulator.swap_price(made, monthly(shop, 9900), proration_behavior="always_invoice")
    assert (changed["status"], changed["latest_invoice"]) == ("trialing", before)
