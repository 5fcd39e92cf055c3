"""Short builders for the tables about money. Times are days, amounts are of no currency in particular."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from licenzy_django.entitlements.paid_time import Evidence
from licenzy_django.entitlements.refunds import Payments
from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.invoice import Invoice, Line
from licenzy_django.stripe.objects.session import Session
from licenzy_django.stripe.objects.subscription import FreeStart, Item, Subscription

DAY = 86_400


def seconds(day: float | None) -> Any:
    return None if day is None else int(day * DAY)


def days(at: int | None) -> Any:
    """The day of a time, whole where it is."""
    day = None if at is None else at / DAY
    return int(day) if day is not None and day == int(day) else day


def line(
    net: int = 1000, start: float = 0, end: float = 30, price: str = "pro", quantity: int = 1, **more: Any
) -> Line:
    """What a line bills of item ``si``: the time from one day to another, as no proration."""
    known = {"item": "si", "amount": net, "proration": False} | more
    return Line(price=price, quantity=quantity, net=net, start=seconds(start), end=seconds(end), **known)


def change(net: int, start: float, end: float = 30, price: str = "max", quantity: int = 1, **more: Any) -> Line:
    """A proration; below zero it is the credit of a change."""
    return line(net, start, end, price, quantity, **{"proration": True} | more)


def invoice(name: str, *lines: Line, on: float | None = None, **more: Any) -> Invoice:
    """Made when its last line begins, and paid then by money, unless it says otherwise.

    Args:
        on: the day on which it was made.
        more: ``paid`` is the day on which it was paid, None for never; ``money`` what arrived; the rest as in Invoice.
    """
    made = on if on is not None else max((each.start for each in lines), default=0) / DAY
    total = more.pop("total", sum(each.net for each in lines))
    paid = more.pop("paid", made)
    known: dict[str, Any] = {
        "status": "open" if paid is None else "paid",
        "paid_at": seconds(paid),
        "amount_paid": more.pop("money", 0 if paid is None else max(0, total)),
        "currency": "eur",
        "total": total,
        "starting_balance": 0,
        "credited_before_payment": 0,
        "credited_after_payment": 0,
        "lines": lines,
    }
    return Invoice(id=name, created=seconds(made), **known | more)


def unpaid(name: str, *lines: Line, **more: Any) -> Invoice:
    return invoice(name, *lines, paid=None, **more)


def refunded(name: str, amount: int, on: float) -> list[Fact]:
    """The facts of an invoice's payment that went back."""
    payment = {"invoice_id": name, "payment_intent_id": f"pi_{name}"}
    state = {"status": "succeeded", "amount": amount, "currency": "eur", "created": seconds(on)}
    return [
        Fact("invoice_payment", f"inpay_{name}", {"status": "paid", "amount_paid": amount}, payment),
        Fact("refund", f"re_{name}", state, {"payment_intent_id": f"pi_{name}"}),
    ]


def disputed(name: str, amount: int, on: float) -> list[Fact]:
    payment, _ = refunded(name, amount, on)
    return [payment, Fact("dispute", f"dp_{name}", {"status": "lost", "created": seconds(on)}, payment.links)]


def item(
    price: str = "pro", quantity: int = 1, period: tuple[float | None, float | None] = (0, 30), **more: Any
) -> Item:
    """The item ``si``, made on day 0."""
    name, made = more.pop("name", "si"), more.pop("made", 0)
    return Item(name, price, quantity, seconds(made), seconds(period[0]), seconds(period[1]))


def subscription(*items: Item, status: str = "active", latest: str = "", **more: Any) -> Subscription:
    """Made on day 0. ``trial`` is from one day to another."""
    trial = more.pop("trial", (None, None))
    known: dict[str, Any] = {
        "created": 0,
        "cancel_at": seconds(more.pop("cancel_at", None)),
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "trial_start": seconds(trial[0]),
        "trial_end": seconds(trial[1]),
        "seen_at": None,
    }
    return Subscription(id="sub_1", status=status, items=items, latest_invoice=latest, **known | more)


def session(invoice_id: str = "", amount: int = 1000, paid: float | None = 0) -> Session:
    return Session("cs_1", seconds(paid), amount, "eur", "pi_1", invoice_id, ())


def free_start(until: float, *items: Item) -> FreeStart:
    return FreeStart(seconds(until), tuple((item.id, item.price, item.quantity) for item in items))


def evidence(
    of: Subscription,
    *invoices: Invoice,
    back: Sequence[Fact] = (),
    sessions: Sequence[Session] = (),
    seen: Mapping[tuple[str, int], float] | None = None,
    free_until: float | None = None,
    free: Sequence[Item] | None = None,
) -> Evidence:
    """All that is known of a subscription.

    Args:
        back: the facts of what went back.
        seen: the day on which Stripe first reported each price and quantity.
        free_until: the last day of a start without an invoice, of the items that ``free`` names, or of those now.
    """
    first_seen = {what: seconds(day) for what, day in (seen or {}).items()}
    return Evidence(
        subscription=of,
        invoices=invoices,
        sessions=sessions,
        payments=Payments(back),
        first_seen=first_seen,
        free_start=None if free_until is None else free_start(free_until, *(free or of.items)),
    )
