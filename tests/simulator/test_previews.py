"""Previews: ``POST /v1/invoices/create_preview``. November has 30 days, its middle is the 16th."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licenzy_django.simulator import client_of
from licenzy_django.simulator.json_tree import snapshot
from licenzy_django.simulator.simulator import Simulator
from licenzy_django.simulator.stores.memory import MemoryStore
from tests.simulator.conftest import DAY, Json, Shop, make_shop

pytestmark = pytest.mark.once

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)
NOW = {"type": "now"}


@pytest.fixture
def shop() -> Shop:
    return make_shop(Simulator(MemoryStore(now=NOVEMBER)))


def monthly(shop: Shop, amount: int, **more: Any) -> Json:
    wanted = {"currency": "eur", "unit_amount": amount, "recurring": {"interval": "month"}}
    return shop.simulator.create_price(wanted | more)


class Billed:
    """A customer with a card and a monthly subscription, in the middle of November."""

    def __init__(self, shop: Shop, client: stripe.StripeClient, **more: Any) -> None:
        self.shop, self.client = shop, client
        self.customer = client.v1.customers.create({"payment_method": "pm_card_visa"}).id
        wanted = {"customer": self.customer, "items": [{"price": shop.month["id"]}]} | more
        made = client.v1.subscriptions.create(wanted)  # type: ignore[arg-type]
        self.id, self.item = made.id, made["items"].data[0].id
        shop.simulator.advance(15 * DAY)

    def preview(self, **details: Any) -> Json:
        wanted = {"subscription": self.id, "subscription_details": details}
        return self.client.v1.invoices.create_preview(wanted).to_dict()  # type: ignore[arg-type]

    def update(self, **changes: Any) -> Json:
        self.client.v1.subscriptions.update(self.id, changes)  # type: ignore[arg-type]
        return self.shop.simulator.get("subscription", self.id)

    def latest(self) -> Json:
        shown = self.shop.simulator.get("subscription", self.id)
        return self.shop.simulator.get("invoice", shown["latest_invoice"])


@pytest.fixture
def billed(shop: Shop, stripe_client: stripe.StripeClient) -> Billed:
    return Billed(shop, stripe_client)


def amounts(invoice: Json) -> list[int]:
    return [line["amount"] for line in invoice["lines"]["data"]]


def kept(shop: Shop) -> Any:
    store = shop.simulator.store
    assert isinstance(store, MemoryStore)
    return snapshot(store._things), store.now(), store._shared.counter


def test_an_upgrade_costs_what_its_preview_says_and_the_preview_leaves_nothing_behind(
    shop: Shop, billed: Billed
) -> None:
    """19 → 99 for half a month: −9.50 and +49.50."""
    dear = monthly(shop, 9900)
    before = kept(shop)
    change: Json = {"items": [{"id": billed.item, "price": dear["id"]}], "proration_behavior": "always_invoice"}
    preview = billed.preview(**change)
    assert kept(shop) == before

    assert amounts(preview) == [-950, 4950]
    assert (preview["total"], preview["amount_due"], preview["status"], preview["number"]) == (
        4000,
        4000,
        "draft",
        None,
    )
    assert preview["id"].startswith("upcoming_in")
    credit, debit = preview["lines"]["data"]
    assert credit["description"] == "Unused time on Product after 16 Nov 2026"
    assert debit["description"] == "Remaining time on Product after 16 Nov 2026"
    assert all(line["parent"]["subscription_item_details"]["proration"] for line in (credit, debit))
    billed.update(**change)
    real = billed.latest()
    assert (amounts(real), real["amount_paid"], real["billing_reason"]) == ([-950, 4950], 4000, "subscription_update")
    assert preview["billing_reason"] == real["billing_reason"]


def test_a_frozen_proration_date_keeps_the_amounts_for_a_later_change(shop: Shop, billed: Billed) -> None:
    """A day later the credit alone would be 14/30 of 19: 8.87."""
    dear = monthly(shop, 9900)
    change: Json = {
        "items": [{"id": billed.item, "price": dear["id"]}], "proration_behavior": "always_invoice",
        "proration_date": shop.simulator.now,
    }  # fmt: skip
    preview = billed.preview(**change)
    shop.simulator.advance(DAY)
    billed.update(**change)
    assert amounts(billed.latest()) == amounts(preview) == [-950, 4950]


def test_stripes_default_is_previewed_with_the_next_renewal(shop: Shop, billed: Billed) -> None:
    change: Json = {"items": [{"id": billed.item, "quantity": 3}]}
    preview = billed.preview(**change)
    assert (amounts(preview), preview["total"], preview["billing_reason"]) == (
        [-950, 2850, 5700],
        7600,
        "subscription_cycle",
    )
    assert datetime.fromtimestamp(preview["created"], UTC) == datetime(2026, 12, 1, tzinfo=UTC)
    billed.update(**change)
    assert amounts(shop.simulator.renew(billed.id)) == [-950, 2850, 5700]


def test_without_a_change_it_is_the_next_renewal_of_the_subscription_or_of_the_customer(
    shop: Shop, billed: Billed
) -> None:
    for wanted in ({"subscription": billed.id}, {"customer": billed.customer}):
        preview = billed.client.v1.invoices.create_preview(wanted).to_dict()  # type: ignore[arg-type]
        assert (preview["amount_due"], preview["customer"]) == (1900, billed.customer)
        assert preview["parent"]["subscription_details"]["subscription"] == billed.id


def test_a_year_instead_of_a_month_begins_now_where_the_anchor_is_reset(shop: Shop, billed: Billed) -> None:
    """Half of 19 back, a whole year of 190, and no proration among what is billed."""
    change: Json = {
        "items": [{"id": billed.item, "price": shop.year["id"]}], "proration_behavior": "always_invoice",
        "billing_cycle_anchor": NOW,
    }  # fmt: skip
    preview = billed.preview(**change)
    assert (amounts(preview), preview["amount_due"]) == ([-950, 19_000], 18_050)
    details = [line["parent"]["subscription_item_details"] for line in preview["lines"]["data"]]
    assert [detail["proration"] for detail in details] == [True, False]
    shown = billed.update(**change)
    assert billed.latest()["amount_paid"] == 18_050
    start = shown["items"]["data"][0]["current_period_start"]
    assert datetime.fromtimestamp(start, UTC) == datetime(2026, 11, 16, tzinfo=UTC)


def test_in_billing_mode_flexible_the_anchor_stays_where_nobody_resets_it(shop: Shop, billed: Billed) -> None:
    """docs.stripe.com/billing/billing-mode/compare: the year is that of the old anchor, 350 of 365 days are left."""
    change: Json = {
        "items": [{"id": billed.item, "price": shop.year["id"]}], "proration_behavior": "always_invoice",
    }  # fmt: skip
    assert amounts(billed.preview(**change)) == [-950, 18_219]
    shown = billed.update(**change)
    assert amounts(billed.latest()) == [-950, 18_219]
    [item] = shown["items"]["data"]
    assert datetime.fromtimestamp(item["current_period_end"], UTC) == datetime(2027, 11, 1, tzinfo=UTC)


def test_the_anchor_alone_can_be_reset(shop: Shop, billed: Billed) -> None:
    change: Json = {"billing_cycle_anchor": NOW, "proration_behavior": "always_invoice"}
    assert amounts(billed.preview(**change)) == [-950, 1900]
    billed.update(**change)
    assert amounts(billed.latest()) == [-950, 1900]


def test_the_customers_balance_is_used(shop: Shop, billed: Billed) -> None:
    dear = monthly(shop, 9900)
    billed.client.v1.customers.update(billed.customer, {"balance": -1500})
    change: Json = {"items": [{"id": billed.item, "price": dear["id"]}], "proration_behavior": "always_invoice"}
    preview = billed.preview(**change)
    assert (preview["starting_balance"], preview["total"], preview["amount_due"]) == (-1500, 4000, 2500)
    billed.update(**change)
    assert (billed.latest()["amount_paid"], shop.simulator.get("customer", billed.customer)["balance"]) == (2500, 0)


def test_an_unknown_card_is_no_obstacle_and_nothing_is_declined(shop: Shop, billed: Billed) -> None:
    shop.simulator.set_card(billed.customer, False)
    dear = monthly(shop, 9900)
    change: Json = {"items": [{"id": billed.item, "price": dear["id"]}], "proration_behavior": "always_invoice"}
    assert billed.preview(**change)["amount_due"] == 4000
    assert shop.simulator.get("subscription", billed.id)["status"] == "active"


def test_a_trial_that_ends_now_costs_its_new_price(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    billed = Billed(shop, stripe_client, trial_period_days=30)
    dear = monthly(shop, 9900)
    change: Json = {"items": [{"id": billed.item, "price": dear["id"]}], "trial_end": "now"}
    assert amounts(billed.preview(**change)) == [9900]
    billed.update(**change)
    assert (billed.latest()["amount_paid"], amounts(billed.latest())) == (9900, [9900])


def test_a_new_subscription_is_previewed_by_its_items(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    preview = stripe_client.v1.invoices.create_preview(
        {
            "customer": shop.customer["id"],
            "subscription_details": {"items": [{"price": shop.month["id"], "quantity": 2}]},
        }
    )
    assert (preview.amount_due, preview.billing_reason) == (3800, "subscription_create")
    assert shop.simulator.all("subscription") == []


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"proration_date": 1, "proration_behavior": "always_invoice"}, "within the current period"),
        ({"proration_date": 2_000_000_000, "proration_behavior": "always_invoice"}, "within the current period"),
        ({"proration_behavior": "none", "proration_date": "now"}, "`proration_behavior=none`"),
        (
            {"billing_cycle_anchor": NOW, "proration_date": "now", "proration_behavior": "always_invoice"},
            "You cannot specify `proration_date` when `billing_cycle_anchor=now`",
        ),
    ],
    ids=str,
)
def test_what_stripe_refuses_is_refused_by_preview_and_change(
    shop: Shop, billed: Billed, details: Json, words: str
) -> None:
    change = details | {"items": [{"id": billed.item, "quantity": 2}]}
    if change.get("proration_date") == "now":
        change["proration_date"] = shop.simulator.now
    for attempt in (billed.preview, billed.update):
        with pytest.raises(stripe.InvalidRequestError, match=words):
            attempt(**change)


def test_what_ends_has_no_next_invoice(shop: Shop, billed: Billed) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        billed.preview(cancel_at_period_end=True)
    assert (refused.value.http_status, refused.value.code) == (404, "invoice_upcoming_none")
    assert shop.simulator.get("subscription", billed.id)["cancel_at"] is None
    nobody = shop.simulator.create_customer({"email": "n@example.com"})
    with pytest.raises(stripe.InvalidRequestError, match="No upcoming invoices"):
        billed.client.v1.invoices.create_preview({"customer": nobody["id"]})


@pytest.mark.parametrize("name", ["resume_at", "schedule", "invoice_items"])
def test_what_is_not_simulated_is_refused_by_its_name(billed: Billed, name: str) -> None:
    wanted: Json = {"subscription": billed.id}
    wanted |= {
        "resume_at": {"subscription_details": {"resume_at": "now"}}, "schedule": {"schedule": "sub_sched_1"},
        "invoice_items": {"invoice_items": [{"amount": 100, "currency": "eur"}]},
    }[name]  # fmt: skip
    with pytest.raises(stripe.InvalidRequestError) as refused:
        billed.client.v1.invoices.create_preview(wanted)  # type: ignore[arg-type]
    assert refused.value.code == "not_simulated"
    assert name in str(refused.value.param)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_preview_is_its_invoice_to_the_cent(data: st.DataObject) -> None:
    shop = make_shop(Simulator(MemoryStore(now=NOVEMBER)))
    client = stripe.StripeClient("sk_test_simulator", http_client=client_of(shop.simulator))
    currency = data.draw(st.sampled_from(["eur", "jpy", "huf"]))
    mode = data.draw(st.sampled_from(["classic", "flexible"]))
    months = [monthly(shop, data.draw(st.integers(0, 9999)), currency=currency) for _ in range(3)]
    customer = client.v1.customers.create(
        {"payment_method": "pm_card_visa", "balance": data.draw(st.sampled_from([0, 0, -700, 900]))}
    )
    made = client.v1.subscriptions.create(
        {
            "customer": customer.id,
            "items": [{"price": months[0]["id"], "quantity": data.draw(st.integers(1, 4))}],
            "billing_mode": {"type": mode},
        }
    )
    item = made["items"].data[0].id
    for _ in range(data.draw(st.integers(1, 4))):
        shop.simulator.advance(data.draw(st.integers(1, 20 * DAY)))
        change: Json = {
            "items": [
                {
                    "id": item,
                    "price": data.draw(st.sampled_from(months))["id"],
                    "quantity": data.draw(st.integers(0, 5)),
                }
            ],
            "proration_behavior": data.draw(st.sampled_from(["always_invoice", "always_invoice", "create_prorations"])),
        }
        preview = client.v1.invoices.create_preview(
            {"subscription": made.id, "subscription_details": change}  # type: ignore[typeddict-item]
        )
        known = {invoice["id"] for invoice in shop.simulator.all("invoice")}
        client.v1.subscriptions.update(made.id, change)  # type: ignore[arg-type]
        new = [invoice for invoice in shop.simulator.all("invoice") if invoice["id"] not in known]
        if new:
            [real] = new
            found = (real["total"], real["amount_due"], amounts(real))
            assert (preview.total, preview.amount_due, [line.amount for line in preview.lines.data]) == found
        else:
            assert preview.billing_reason == "subscription_cycle"
