"""A second opinion: what must have come out, summed by hand over Stripe's own objects and not by our algebra.

It judges what a few lines can judge, and abstains from the rest.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from licenzy_django.access.availability import availability_of
from licenzy_django.clock import from_timestamp
from licenzy_django.models import Entitlement, Pack
from licenzy_django.testing import StripeDouble

Json = dict[str, Any]

RUNNING = ("active", "trialing")
INCLUDED: dict[str, dict[str, Any]] = {
    "PRO_MONTHLY": {"units": 1000, "rollover_units": 300, "rollover_windows": 2},
    "PRO_YEARLY": {"units": 1000, "units_every": "month"},
    "SEATS": {"units": 100},
}
"""The units that come with the subscriptions of the random histories."""


class Books:
    """
    Args:
        unbilled: subscriptions that were changed without an invoice of its own: Stripe's word is followed there.
        proposed: invoices of updates that waited for their payment.
        imported: price and quantity with which a subscription began for which nothing was billed.
    """

    def __init__(
        self, stripe: StripeDouble, *, unbilled: set[str], proposed: set[str], imported: dict[str, tuple[str, int]]
    ) -> None:
        self.stripe, self.all, self.get = stripe, stripe.simulator.all, stripe.simulator.get
        self.now = stripe.now.timestamp()
        self.unbilled, self.proposed, self.imported = unbilled, proposed, imported

    def agree(self) -> Counter[str]:
        """Asserts, and returns how often it could judge what."""
        self.judged: Counter[str] = Counter()
        for session in self.all("checkout.session", mode="payment"):
            self.purchase_agrees(session)
        for subscription in self.all("subscription"):
            self.subscription_agrees(subscription)
        return self.judged

    def purchase_agrees(self, session: Json) -> None:
        if session["payment_status"] == "paid":
            [row] = Entitlement.objects.filter(source_id=session["id"])
            assert row.grants_access is not self.went_back(session["payment_intent"]), session["id"]
        else:
            assert not Entitlement.objects.filter(source_id=session["id"]).exists()

    def subscription_agrees(self, subscription: Json) -> None:
        on: Counter[str] = Counter()
        for row in Entitlement.objects.filter(source_id=subscription["id"]):
            if availability_of(row, self.stripe.now).available:
                on[row.stripe_price_id] += row.quantity
        invoices = self.invoices_of(subscription)
        if self.must_be_off(subscription, invoices):
            self.judged["off"] += 1
            assert not on, ("nothing may be on", subscription["id"], on)
        elif self.must_be_on(subscription, invoices):
            self.judged["on"] += 1
            assert on == self.reported(subscription), ("all must be on", subscription["id"], on)
        elif (paid := self.newest_money(subscription, invoices)) is not None:
            self.judged["newest money"] += 1
            assert on >= paid, ("paid by the newest invoice", subscription["id"], on, paid)
        self.units_agree(subscription, invoices)
        if on and subscription["id"] not in self.unbilled:
            self.judged["exactly what was billed"] += 1
            self.is_billed(subscription, invoices, on)

    # --- money, by hand -----------------------------------------------------------------------------------------------

    def went_back(self, payment_intent: str) -> bool:
        """Refunded in full, or disputed and not won; an inquiry is harmless, what we do not know is not."""
        return self.refunded(payment_intent) >= self.get("payment_intent", payment_intent)["amount"] or self.disputed(
            payment_intent
        )

    def refunded(self, payment_intent: str) -> int:
        refunds = self.all("refund", payment_intent=payment_intent)
        return sum(refund["amount"] for refund in refunds if refund["status"] not in ("failed", "canceled"))

    def disputed(self, payment_intent: str) -> bool:
        disputes = {dispute["status"] for dispute in self.all("dispute", payment_intent=payment_intent)}
        return any(status != "won" and not status.startswith("warning_") for status in disputes)

    def is_reversed(self, invoice: Json) -> bool:
        """All that was paid for it went back by refunds or credit notes, or a payment is disputed."""
        intents = self.payments_of(invoice)
        if any(map(self.disputed, intents)):
            return True
        notes = [note for note in self.all("credit_note", invoice=invoice["id"]) if note["status"] != "void"]
        beside = sum(note["post_payment_amount"] - sum(r["amount_refunded"] for r in note["refunds"]) for note in notes)
        back: int = sum(map(self.refunded, intents)) + beside
        paid: int = invoice["amount_paid"] or invoice["total"]
        return 0 < back >= paid

    def is_touched(self, invoice: Json) -> bool:
        """Whether anything of it ever went back, came back, or was credited by a note."""
        intents = self.payments_of(invoice)
        back = any(self.all(kind, payment_intent=intent) for intent in intents for kind in ("refund", "dispute"))
        return back or bool(self.all("credit_note", invoice=invoice["id"]))

    def payments_of(self, invoice: Json) -> list[str]:
        payments = self.all("invoice_payment", invoice=invoice["id"], status="paid")
        return [payment["payment"]["payment_intent"] for payment in payments if payment["payment"]["payment_intent"]]

    def stands(self, invoice: Json) -> bool:
        """It is paid, and by hand nothing speaks against it. What credit paid may stand: others judge that."""
        return was_paid(invoice) and not self.is_reversed(invoice)

    def has_own_money(self, invoice: Json) -> bool:
        return self.stands(invoice) and (invoice["amount_paid"] > 0 or self.is_free(invoice))

    def is_free(self, invoice: Json) -> bool:
        """Nothing was to be collected: a trial, or less than the least charge. No credit is in it."""
        has_credit = any(line["amount"] < 0 for line in invoice["lines"]["data"])
        return not has_credit and not invoice["amount_due"] and invoice["starting_balance"] >= 0

    def customer_paid(self, customer: str) -> bool:
        """Whether any money of a customer's stands, or none was required, of which credit could come.

        A credit note to the balance gave money back as credit. If the payment is then refunded too, the seller gave it
        twice: the balance is the customer's own all the same.
        """
        notes = self.all("credit_note", customer=customer)
        if any(note["status"] != "void" and note["customer_balance_transaction"] for note in notes):
            return True
        return any(self.has_own_money(invoice) for invoice in self.all("invoice", customer=customer))

    # --- what follows -------------------------------------------------------------------------------------------------

    def must_be_off(self, subscription: Json, invoices: list[Json]) -> bool:
        """Dead; or nobody's money stands for anything in it; or the money of its only period went back."""
        is_gone = bool(self.get("customer", subscription["customer"]).get("deleted"))
        if is_gone or subscription["status"] not in (*RUNNING, "past_due", "unpaid"):
            return True
        if subscription["id"] in self.imported:
            return False
        if not any(map(self.stands, invoices)) or not self.customer_paid(subscription["customer"]):
            return True
        if len(subscription["items"]["data"]) > 1 or subscription["id"] in self.unbilled:
            return False
        [item] = subscription["items"]["data"]
        current = [invoice for invoice in invoices if self.bills_after(invoice, item["current_period_start"])]
        is_paid_back = any(invoice["status"] == "paid" and self.is_reversed(invoice) for invoice in current)
        return is_paid_back and not any(map(self.stands, current))

    def must_be_on(self, subscription: Json, invoices: list[Json]) -> bool:
        """Active, neither over nor cancelled by the clock; all that was billed is paid, and nothing was given back."""
        if not self.is_running(subscription) or not self.reported(subscription):
            return False
        of_customer = self.all("invoice", customer=subscription["customer"])
        return bool(invoices) and all(
            invoice["status"] == "paid" and not self.is_touched(invoice)
            for invoice in of_customer
            if invoice["id"] not in self.proposed or invoice["status"] == "paid"
        )

    def newest_money(self, subscription: Json, invoices: list[Json]) -> Counter[str] | None:
        """What the newest invoice bills of that which Stripe reports, if money came for it after all that went back."""
        if not self.is_running(subscription) or not invoices:
            return None
        newest = invoices[-1]
        paid_at = newest["status_transitions"]["paid_at"] or 0
        others = [invoice for invoice in invoices[:-1] if self.last_touched(invoice) >= paid_at]
        ties = [invoice for invoice in invoices[:-1] if invoice["created"] == newest["created"]]
        if newest["amount_paid"] <= 0 or not self.stands(newest) or others or ties or self.is_touched(newest):
            return None
        billed = [
            (line["pricing"]["price_details"]["price"], line["quantity"])
            for line in newest["lines"]["data"]
            if line["amount"] > 0 and line["period"]["start"] <= self.now < line["period"]["end"]
        ]
        found = [
            (item["price"]["id"], item["quantity"])
            for item in subscription["items"]["data"]
            if (item["price"]["id"], item["quantity"]) in billed
        ]
        return Counter(dict(found)) if found else None

    def last_touched(self, invoice: Json) -> int:
        things = [thing for intent in self.payments_of(invoice) for kind in ("refund", "dispute")
                  for thing in self.all(kind, payment_intent=intent)]  # fmt: skip
        things += self.all("credit_note", invoice=invoice["id"])
        return max((thing["created"] for thing in things), default=0)

    def is_billed(self, subscription: Json, invoices: list[Json], on: Counter[str]) -> None:
        """Where every change was billed, a paid line that stands bills just what is on, or it began so for nothing."""
        started = self.imported.get(subscription["id"])
        billed = ({started} if started else set()) | {
            (line["pricing"]["price_details"]["price"], line["quantity"])
            for invoice in invoices
            if self.stands(invoice)
            for line in invoice["lines"]["data"]
            if line["amount"] >= 0 and line["period"]["end"] > line["period"]["start"]
        }
        for price, quantity in on.items():
            parts = sorted((count for name, count in billed if name == price), reverse=True)
            assert quantity in parts or quantity <= sum(parts), ("on without a paid line", subscription["id"], on)
            several = sum(item["price"]["id"] == price for item in subscription["items"]["data"]) > 1
            assert several or quantity in parts, ("more is on than was paid", subscription["id"], on, billed)

    def is_running(self, subscription: Json) -> bool:
        ends = [item["current_period_end"] for item in subscription["items"]["data"]]
        ends += [subscription["cancel_at"]] if subscription["cancel_at"] else []
        is_gone = bool(self.get("customer", subscription["customer"]).get("deleted"))
        return subscription["status"] in RUNNING and min(ends) > self.now and not is_gone

    def reported(self, subscription: Json) -> Counter[str]:
        found: Counter[str] = Counter()
        for item in subscription["items"]["data"]:
            found[item["price"]["id"]] += item["quantity"]
        return found

    def bills_after(self, invoice: Json, moment: int) -> bool:
        return any(line["amount"] >= 0 and line["period"]["end"] > moment for line in invoice["lines"]["data"])

    def invoices_of(self, subscription: Json) -> list[Json]:
        return invoices_of(self.stripe, subscription["id"])

    # --- units that come with it ------------------------------------------------------------------------------------

    def units_agree(self, subscription: Json, invoices: list[Json]) -> None:
        """Each window that one whole line opened and that no proration touched grants what the line pays for."""
        lines = [(invoice, line) for invoice in invoices if was_paid(invoice) for line in invoice["lines"]["data"]]
        for invoice, line in lines:
            units, start, end = self.units_of(line), line["period"]["start"], line["period"]["end"]
            others = [other for _, other in lines if other is not line and self.overlap(other, start, end)]
            if units is None or is_proration(line) or others or self.has_credit(invoice) or self.was_extended(line):
                continue
            granted = self.granted(subscription, start)
            if self.is_reversed(invoice):
                self.judged["units of an invoice that went back"] += 1
                assert granted == 0, ("units without money", subscription["id"], start, granted)
            elif invoice["amount_paid"] > 0 and not self.is_touched(invoice):
                self.judged["units of a paid window"] += 1
                assert granted == units, ("units of a window", subscription["id"], start, granted, units)

    def units_of(self, line: Json) -> int | None:
        """By the price: of one window, as ``test_laws.INCLUDED`` sells them."""
        included = INCLUDED.get(line["pricing"]["price_details"]["price"].removeprefix("price_").upper())
        return None if included is None or line["amount"] <= 0 else included["units"] * line["quantity"]

    def overlap(self, line: Json, start: int, end: int) -> bool:
        return bool(line["period"]["start"] < end and start < line["period"]["end"])

    def has_credit(self, invoice: Json) -> bool:
        return any(line["amount"] < 0 for line in invoice["lines"]["data"]) or invoice["starting_balance"] != 0

    def was_extended(self, line: Json) -> bool:
        """Whether its time has the length of a trial, or none."""
        return bool(line["period"]["end"] - line["period"]["start"] < 27 * 86_400)

    def granted(self, subscription: Json, start: int) -> int:
        """What the window that begins at this moment grants, in both its parts."""
        begins = from_timestamp(start)
        packs = Pack.objects.filter(source_id=subscription["id"], starts_at=begins)
        return sum(pack.units_granted - pack.units_voided for pack in packs)


def invoices_of(stripe: StripeDouble, subscription_id: str) -> list[Json]:
    return [invoice for invoice in stripe.simulator.all("invoice") if subscription_of(invoice) == subscription_id]


def was_paid(invoice: Json) -> bool:
    """Not only called so, after a credit note brought what was still open to nothing."""
    return invoice["status"] == "paid" and not invoice["pre_payment_credit_notes_amount"] >= invoice["total"] > 0


def subscription_of(invoice: Json) -> str:
    """By its parent, or by its lines alone."""
    details = (invoice["parent"] or {}).get("subscription_details")
    names = [details["subscription"]] if details else [line["subscription"] for line in invoice["lines"]["data"]]
    return next(filter(None, names), "")


def is_proration(line: Json) -> bool:
    parent = line["parent"]
    details = parent["subscription_item_details"] or parent["invoice_item_details"] or {}
    return bool(details.get("proration"))
