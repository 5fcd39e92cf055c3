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
    lambda shop, ref: shop.simulator.set_quantity(ref, 2, proration_behavior="create_prorations"),
    lambda shop, ref: shop.simulator.set_quantity(ref, 1, proration_behavior="always_invoice"),
    lambda shop, ref: shop.simulator.set_quantity(ref, 6, proration_behavior="always_invoice", paid=False),
    lambda shop, ref: shop.simulator.swap_price(ref, shop.year, proration_behavior="create_prorations"),
    lambda shop, ref: shop.simulator.swap_price(
        ref, shop.month, proration_behavior="always_invoice", billing_cycle_anchor="unchanged"
    ),
    lambda shop, ref: shop.simulator.remove_item(
        ref, item=shop.simulator.get("subscription", ref)["items"]["data"][0], proration_behavior="always_invoice"
    ),
    lambda shop, ref: shop.simulator.propose_update(ref, price=shop.year, requires_action=True),
    lambda shop, ref: shop.simulator.expire_update(ref),
    lambda shop, ref: shop.simulator.bill_by_hand(ref, shop.pack),
    lambda shop, ref: shop.simulator.end_trial(ref, early=True),
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
        lambda shop, ref: shop.simulator.fail_invoice(ref, requires_action=True),
        lambda shop, ref: shop.simulator.pay_part(ref, 300),
        lambda shop, ref: shop.simulator.finalize_invoice(ref),
        lambda shop, ref: shop.simulator.fail_finalization(ref),
        lambda shop, ref: shop.simulator.credit_invoice(ref),
        lambda shop, ref: shop.simulator.credit_invoice(ref, amount=250, credit_amount=100),
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
    "credit_note": [lambda shop, ref: shop.simulator.void_credit_note(ref)],
    "price": [lambda shop, ref: shop.simulator.move_price(ref, shop.year["id"])],
    "customer": [
        lambda shop, ref: shop.simulator.subscribe(ref, [(shop.month["id"], 2)], by_invoice=True),
        lambda shop, ref: shop.simulator.subscribe(
            ref, [(shop.month["id"], 1)], billing_cycle_anchor=shop.simulator.now + 9 * DAY, proration_behavior="none"
        ),
        lambda shop, ref: shop.simulator.subscribe(
            ref, [(shop.year["id"], 1), (shop.month["id"], 1)], backdate_start_date=shop.simulator.now - 50 * DAY
        ),
        lambda shop, ref: shop.simulator.subscribe(ref, [(shop.month["id"], 1)], billing_mode="classic", trial_days=5),
        lambda shop, ref: shop.simulator.accept_quote(ref, [(shop.month["id"], 1)], paid=False),
        lambda shop, ref: shop.simulator.hand_made_invoice(ref, shop.pack["id"]),
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
        check_invoice(simulator, invoice)
    check_balances(simulator)
    for subscription in simulator.all("subscription"):
        check_subscription(simulator, subscription)
    for event in simulator.events():
        if "previous_attributes" in event["data"]:
            assert event["data"]["previous_attributes"]
            assert event["type"].endswith(("updated", "reauthorized"))
        for version in ("2024-06-20", None):
            simulator.render(event, version)


def check_invoice(simulator: Simulator, invoice: Json) -> None:
    """What is due is paid or remains, and every amount can be found in the lines, the balance and the credit notes."""
    assert invoice["total"] == sum(line["amount"] for line in invoice["lines"]["data"])
    assert invoice["amount_due"] == invoice["amount_paid"] + invoice["amount_remaining"]
    assert invoice["amount_paid"] >= 0
    assert invoice["amount_remaining"] >= 0
    if invoice["status"] == "paid":
        assert invoice["amount_remaining"] == 0
    if invoice["status"] != "draft":
        owed = invoice["total"] + invoice["starting_balance"] - invoice["pre_payment_credit_notes_amount"]
        assert owed == invoice["amount_due"] + invoice["ending_balance"]
    paid = simulator.all("invoice_payment", invoice=invoice["id"], status="paid")
    brought = sum(payment["amount_paid"] for payment in paid)
    assert brought + invoice["amount_paid_off_stripe"] == invoice["amount_paid"]
    credited = [line for line in invoice["lines"]["data"] if line["amount"] < 0]
    assert all(line["parent"]["subscription_item_details"]["proration"] for line in credited)


def check_balances(simulator: Simulator) -> None:
    """A customer's balance is the sum of its transactions; nobody is given back more than was ever billed."""
    for customer in simulator.all("customer"):
        if not customer.get("deleted"):
            moved = simulator.all("customer_balance_transaction", customer=customer["id"])
            assert customer["balance"] == sum(transaction["amount"] for transaction in moved)
    lines = [line for invoice in simulator.all("invoice") if invoice["status"] != "void"
             for line in invoice["lines"]["data"]]  # fmt: skip
    debits = {line["id"]: line["amount"] for line in lines}
    seen: list[str] = []
    for line in lines:
        details = line["parent"]["subscription_item_details"] or {}
        credited = (details.get("proration_details") or {}).get("credited_items")
        if credited:
            [debit] = credited["invoice_line_items"]
            assert debit not in seen, "given back twice"
            seen.append(debit)
            assert -line["amount"] <= debits.get(debit, 10**9)


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
        assert item["current_period_start"] < item["current_period_end"], subscription
