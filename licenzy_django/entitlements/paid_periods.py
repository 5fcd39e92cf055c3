"""What was paid for an item of a subscription, and which of it is the current payment. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from licenzy_django.entitlements.refunds import Payments, Reversal
from licenzy_django.stripe.translate import Fact, State, paid_at_of


@dataclass(frozen=True, slots=True)
class PaidPeriod:
    """The time that a confirmed invoice pays for; 0 to 0 for a session of whose invoice we do not know the lines."""

    starts_at: int
    ends_at: int
    reversal: Reversal | None


def current_periods(item: State, items: Sequence[State], facts: Sequence[Fact]) -> list[PaidPeriod]:
    """What one of a subscription's items rests on: the period that started last. Several where some start together.

    Not the one that ends last: who went from a year to a month has paid for the month, and a trial may be cut short.
    Where only prorations count, the one that brought the item in: later ones only change its quantity.
    No period at all means: no money yet, no access.
    """
    payments = Payments(facts)
    paid = [fact for fact in facts if fact.object == "invoice" and fact.state.get("paid_at") is not None]
    others = {other["id"] for other in items} - {item["id"]}
    counting = what_counts(item, others, paid)
    periods = on_credit(
        (invoice, PaidPeriod(*span_of(lines), payments.reversal_of_invoice(invoice.links["invoice_id"], invoice.state)))
        for invoice, lines in counting
    )
    known = {invoice.stripe_id for invoice, _ in counting}
    for session in facts:
        if session.object == "checkout.session" and paid_at_of(session) is not None:
            invoice_id = session.links.get("invoice_id", "")
            if invoice_id not in known:
                periods.append(PaidPeriod(0, 0, payments.reversal_of_invoice(invoice_id, session.state)))
    starts = [period.starts_at for period in periods]
    is_whole = any(not line.get("proration") for _, lines in counting for line in lines)
    current = max(starts, default=0) if is_whole else min(filter(None, starts), default=0)
    return [period for period in periods if period.starts_at == current]


def on_credit(periods: Iterable[tuple[Fact, PaidPeriod]]) -> list[PaidPeriod]:
    """A period that cost nothing because the rest of another one was credited stands and falls with that one's payment.

    So it is when a yearly price is swapped for a monthly one: https://docs.stripe.com/billing/subscriptions/prorations
    """
    found: list[PaidPeriod] = []
    for invoice, period in sorted(periods, key=lambda each: (each[1].starts_at, each[0].stripe_id)):
        is_credited = not invoice.state["amount_paid"] and any(line.get("proration") for line in lines_of(invoice))
        if is_credited and period.reversal is None and found:
            period = replace(period, reversal=found[-1].reversal)
        found.append(period)
    return found


def what_counts(item: State, others: set[str], paid: Sequence[Fact]) -> list[tuple[Fact, list[State]]]:
    """The invoices that paid for the item, each with the lines that say for what time.

    An item that has replaced another one rests on what was paid for that one, unless that time is over. A proration
    pays for a change within a period that another line has paid: it counts for an item that came in mid-period beside
    others, and as long as there is nothing else. An item that no invoice names yet rests on what others paid for. What
    an operator put on an invoice by hand belongs to no item, and pays for none.
    """
    wholes_of_others = [
        line for invoice in paid for line in lines_of(invoice) if line["item"] in others and not line.get("proration")
    ]
    newest_of_others = max((start_of(line) for line in wholes_of_others), default=0)

    def is_its_own(line: State) -> bool:
        return bool(line["item"] == item["id"] or (not line["item"] and line["price"] == item["price"]))

    def is_its_own_change(line: State) -> bool:
        # By the price alone an item that was removed and added again would have the old one's.
        return is_its_own(line) and start_of(line) >= (item["created"] or 0)

    def is_of_a_former_item(line: State) -> bool:
        is_former = bool(line["item"]) and line["item"] not in others
        return is_former and (start_of(line) >= newest_of_others or line["end"] == item["period_end"])

    def is_of_an_item(line: State) -> bool:
        return bool(line["item"])

    def is_whole(line: State) -> bool:
        return not line.get("proration")

    for counts in (
        lambda line: is_its_own(line) and is_whole(line),
        lambda line: is_of_a_former_item(line) and is_whole(line),
        is_its_own_change,
        lambda line: is_of_an_item(line) and is_whole(line),
        is_of_an_item,
    ):
        found = [(invoice, [line for line in lines_of(invoice) if counts(line)]) for invoice in paid]
        if any(lines for _, lines in found):
            return [(invoice, lines) for invoice, lines in found if lines]
    return []


def start_of(line: State) -> int:
    return line["start"] or 0


def lines_of(invoice: Fact) -> list[State]:
    return invoice.state.get("lines") or []


def span_of(lines: Sequence[State]) -> tuple[int, int]:
    """From when to when the last of the lines pays."""
    return max(((start_of(line), line["end"] or 0) for line in lines), default=(0, 0))


def first_use_of(price: str, facts: Sequence[Fact]) -> int | None:
    starts = [
        line["start"]
        for fact in facts
        if fact.object == "invoice" and fact.state.get("paid_at") is not None
        for line in lines_of(fact)
        if line["price"] == price and line["start"] is not None
    ]
    return min(starts, default=None)
