"""How long it takes to derive a subscription of five years: 60 monthly invoices and 60 changes, all paid.

    .venv/bin/python -m benchmarks.derivation

No database: the facts are made here, as they are stored. Processor time, the best of several rounds and the median.
"""

from __future__ import annotations

import statistics
import time

from licenzy_django.entitlements.subscription_states import derive_subscription
from licenzy_django.entitlements.terms import Terms
from licenzy_django.stripe.objects import Fact

DAY = 86_400
MONTHS = 60
ROUNDS = 200
PRICES = ("price_pro", "price_max")
TERMS = {price: Terms(product_id=number, kind="subscription") for number, price in enumerate(PRICES, 1)}


def line(price: str, amount: int, start: int, end: int, *, proration: bool) -> dict[str, object]:
    billed = {"item": "si_1", "price": price, "quantity": 1, "amount": amount, "net": amount}
    return {**billed, "start": start * DAY, "end": end * DAY, "proration": proration}


def invoice(name: str, day: int, *lines: dict[str, object]) -> list[Fact]:
    """A paid invoice, and its payment."""
    total = sum(int(str(each["amount"])) for each in lines)
    state = {
        "status": "paid",
        "paid_at": day * DAY,
        "created": day * DAY,
        "amount_paid": max(0, total),
        "currency": "eur",
        "total": total,
        "starting_balance": 0,
        "credited_before_payment": 0,
        "credited_after_payment": 0,
        "lines": list(lines),
    }
    payment = {"invoice_id": name, "payment_intent_id": f"pi_{name}"}
    return [
        Fact("invoice", name, state, {"invoice_id": name}),
        Fact("invoice_payment", f"inpay_{name}", {"status": "paid", "amount_paid": max(0, total)}, payment),
    ]


def history() -> tuple[Fact, list[Fact]]:
    """A renewal at the start of each month, and an upgrade or downgrade in its middle."""
    facts = []
    for month in range(MONTHS):
        before, after = PRICES[month % 2], PRICES[(month + 1) % 2]
        start, middle, end = month * 30, month * 30 + 15, month * 30 + 30
        facts += invoice(f"in_{month}", start, line(before, 3000, start, end, proration=False))
        credit, debit = line(before, -1500, middle, end, proration=True), line(after, 1500, middle, end, proration=True)
        facts += invoice(f"in_{month}_change", middle, credit, debit)
    facts += [
        Fact("subscription_price", price, {"price": price, "quantity": 1, "seen_at": number * 15 * DAY})
        for number, price in enumerate(PRICES)
    ]
    period = {"period_start": (MONTHS - 1) * 30 * DAY, "period_end": MONTHS * 30 * DAY}
    state = {
        "status": "active",
        "created": 0,
        "items": [{"id": "si_1", "price": PRICES[0], "quantity": 1, "created": 0} | period],
        "cancel_at": None,
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "latest_invoice": f"in_{MONTHS - 1}_change",
        "trial_start": None,
        "trial_end": None,
        "seen_at": None,
    }
    return Fact("subscription", "sub_1", state), facts


def main() -> None:
    subscription, facts = history()
    took = []
    for _ in range(ROUNDS):
        began = time.process_time()
        states = derive_subscription(subscription, facts, lambda price, at: TERMS.get(price), leeway=DAY)
        took.append((time.process_time() - began) * 1000)
        assert any(state.grants_access for state in states)
    print(f"{len(facts)} facts: best {min(took):.2f} ms, median {statistics.median(took):.2f} ms of {ROUNDS} rounds")


if __name__ == "__main__":
    main()
