"""Whatever is done to it in whatever order, the simulator refuses or stays consistent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from licenzy_django.simulator.json_tree import snapshot
from licenzy_django.simulator.refusals import RefusalError
from licenzy_django.simulator.simulator import Simulator
from tests.simulator.conftest import DAY, Json, Shop, make_shop

Act = Callable[[Shop, str], Any]
ON_SESSIONS: list[Act] = [
    lambda shop, ref: shop.simulator.pay(ref),
    lambda shop, ref: shop.simulator.pay(ref, card=False),
    lambda shop, ref: shop.simulator.pay_by_bank(ref),
    lambda shop, ref: shop.simulator.pay_by_bank(ref, subscription_status="active"),
    lambda shop, ref: shop.simulator.settle_bank(ref),
    lambda shop, ref: shop.simulator.bounce_bank(ref),
    lambda shop, ref: shop.simulator.decline(ref),
    lambda shop, ref: shop.simulator.expire(ref),
    lambda shop, ref: shop.simulator.refund(ref, amount=300),
    lambda shop, ref: shop.simulator.refund(ref, status="pending"),
    lambda shop, ref: shop.simulator.dispute(ref),
]
ON_SUBSCRIPTIONS: list[Act] = [
    lambda shop, ref: shop.simulator.roll_period(ref),
    lambda shop, ref: shop.simulator.renew(ref),
    lambda shop, ref: shop.simulator.renew(ref, paid=False),
    lambda shop, ref: shop.simulator.retry(ref, paid=False),
    lambda shop, ref: shop.simulator.recover(ref),
    lambda shop, ref: shop.simulator.cancel(ref),
    lambda shop, ref: shop.simulator.cancel_at_period_end(ref),
    lambda shop, ref: shop.simulator.cancel_at_period_end(ref, way="classic"),
    lambda shop, ref: shop.simulator.uncancel(ref),
    lambda shop, ref: shop.simulator.pause(ref),
    lambda shop, ref: shop.simulator.resume(ref),
    lambda shop, ref: shop.simulator.resume(ref, paid=False),
    lambda shop, ref: shop.simulator.pause_collection(ref, behavior="void"),
    lambda shop, ref: shop.simulator.unpause_collection(ref),
    lambda shop, ref: shop.simulator.end_trial(ref),
    lambda shop, ref: shop.simulator.swap_price(ref, shop.year),
    lambda shop, ref: shop.simulator.swap_price(ref, shop.month, paid=False, invoice_now=True),
    lambda shop, ref: shop.simulator.replace_item(ref, shop.year),
    lambda shop, ref: shop.simulator.add_item(ref, shop.year),
    lambda shop, ref: shop.simulator.set_quantity(ref, 3),
    lambda shop, ref: shop.simulator.propose_update(ref, quantity=5),
    lambda shop, ref: shop.simulator.apply_update(ref),
    lambda shop, ref: shop.simulator.refund(ref),
    lambda shop, ref: shop.simulator.dispute(ref, status="warning_needs_response"),
]
ON_OTHERS: dict[str, list[Act]] = {
    "invoice": [
        lambda shop, ref: shop.simulator.pay_invoice(ref),
        lambda shop, ref: shop.simulator.fail_invoice(ref),
        lambda shop, ref: shop.simulator.pay_invoice(ref, out_of_band=True),
        lambda shop, ref: shop.simulator.write_off_invoice(ref, "void"),
        lambda shop, ref: shop.simulator.write_off_invoice(ref, "uncollectible"),
    ],
    "refund": [
        lambda shop, ref: shop.simulator.settle_refund(ref),
        lambda shop, ref: shop.simulator.fail_refund(ref),
    ],
    "dispute": [
        lambda shop, ref: shop.simulator.update_dispute(ref, "under_review"),
        lambda shop, ref: shop.simulator.close_dispute(ref, "lost"),
        lambda shop, ref: shop.simulator.win_dispute_late(ref),
    ],
    "customer": [
        lambda shop, ref: shop.simulator.set_card(ref, False),
        lambda shop, ref: shop.simulator.delete_customer(ref),
    ],
}
VERBS: list[tuple[str, Act]] = (
    [("checkout.session", act) for act in ON_SESSIONS]
    + [("subscription", act) for act in ON_SUBSCRIPTIONS]
    + [(kind, act) for kind, acts in ON_OTHERS.items() for act in acts]
)
steps = st.lists(st.tuples(st.integers(0, len(VERBS) + 4), st.integers(0, 3)), max_size=25)


@given(steps=steps, after=st.sampled_from(["cancel", "unpaid", "past_due"]))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_history_is_refused_or_consistent(steps: list[tuple[int, int]], after: str) -> None:
    shop = make_shop(Simulator(after_retries=after))
    for price in (shop.pack, shop.month, shop.year):
        shop.session(price)
    shop.session(shop.month, subscription_data={"trial_period_days": 7})
    for number, which in steps:
        step(shop, number, which)
    shop.simulator.advance(60 * DAY)
    check(shop.simulator)


def step(shop: Shop, number: int, which: int) -> None:
    if number >= len(VERBS):
        shop.simulator.advance((number - len(VERBS)) * 9 * DAY + 3600)
        return
    kind, act = VERBS[number]
    found = shop.simulator.store.all(kind)
    if not found:
        return
    before = [snapshot(thing) for thing in found]
    try:
        act(shop, found[which % len(found)]["id"])
    except RefusalError:
        assert found == before, "A refusal has changed something."


def check(simulator: Simulator) -> None:
    created = [event["created"] for event in simulator.events()]
    assert created == sorted(created)
    for charge in simulator.all("charge"):
        assert 0 <= charge["amount_refunded"] <= charge["amount"]
    for invoice in simulator.all("invoice"):
        assert invoice["amount_paid"] == (invoice["total"] if invoice["status"] == "paid" else 0)
    for subscription in simulator.all("subscription"):
        check_subscription(simulator, subscription)
    for event in simulator.events():
        if "previous_attributes" in event["data"]:
            assert event["data"]["previous_attributes"]
            assert event["type"].endswith(("updated", "reauthorized"))
        for version in ("2024-06-20", None):
            simulator.render(event, version)


def check_subscription(simulator: Simulator, subscription: Json) -> None:
    """The last event about it shows it as it is."""
    about = [
        event["data"]["object"]
        for event in simulator.events()
        if event["type"].startswith("customer.subscription.") and event["data"]["object"]["id"] == subscription["id"]
    ]
    shown = {name: value for name, value in about[-1].items() if name[0] != "_"}
    assert shown == subscription
    for item in subscription["items"]["data"]:
        assert item["current_period_start"] < item["current_period_end"]
