"""What a change is: what it leaves, and whether it is now or at the period's end. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from licenzy_django.stripe.objects.subscription import RUNNING

NOW, PERIOD_END = "now", "period_end"
WHENS = (NOW, PERIOD_END)
# How long an interval is, in parts of an hour: a year is twelve months, whatever the calendar says.
LENGTHS: Mapping[str, int] = {"day": 48, "week": 7 * 48, "month": 1461, "year": 12 * 1461}
# https://docs.stripe.com/billing/subscriptions/pending-updates: these debits are not paid or refused at once, so a
# change cannot wait for them.
CANNOT_WAIT = frozenset(
    {"acss_debit", "au_becs_debit", "bacs_debit", "nz_bank_account", "sepa_debit", "us_bank_account"}
)
PAUSED = "This subscription is paused."
UNPAID = "Its current period is not paid."


@dataclass(frozen=True, slots=True)
class Price:
    """Attributes:
    amount: of one, in the currency's smallest unit.
    """

    id: str
    amount: Decimal
    currency: str
    interval: str
    interval_count: int = 1
    is_active: bool = True

    @property
    def rhythm(self) -> tuple[str, int]:
        return self.interval, self.interval_count

    @property
    def length(self) -> int:
        return LENGTHS.get(self.interval, 0) * self.interval_count

    @classmethod
    def of(cls, price: Mapping[str, Any], *, currency: str = "") -> Price:
        """From Stripe's object, in a currency that it has besides its own. What has no amount (tiers) counts as 0."""
        option = (price.get("currency_options") or {}).get(currency)
        if option and currency != price.get("currency"):
            price = {**price, **option, "currency": currency}
        amount = price.get("unit_amount")
        recurring = price.get("recurring") or {}
        return cls(
            id=price["id"],
            amount=Decimal(str(price.get("unit_amount_decimal") or 0)) if amount is None else Decimal(amount),
            currency=price.get("currency") or "",
            interval=recurring.get("interval") or "",
            interval_count=recurring.get("interval_count") or 1,
            is_active=price.get("active") is not False,
        )


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a subscription. Without ``id`` it is one that Stripe has yet to make."""

    id: str
    price: Price
    quantity: int


Items = tuple[Item, ...]


def changed(items: Items, item_id: str, *, price: Price, quantity: int, added: Iterable[Item] = ()) -> Items:
    """The items with one of them changed, and with more of the added prices."""
    after = [replace(item, price=price, quantity=quantity) if item.id == item_id else item for item in items]
    for new in added:
        position = next((at for at, item in enumerate(after) if item.price.id == new.price.id), None)
        if position is None:
            after.append(new)
        else:
            after[position] = replace(after[position], quantity=after[position].quantity + new.quantity)
    return tuple(after)


def without(items: Items, item_id: str) -> Items:
    return tuple(item for item in items if item.id != item_id)


def pairs(before: Items, after: Items) -> Iterator[tuple[Item, Item]]:
    """Each item that stays, as it was and as it will be."""
    later = {item.id: item for item in after if item.id}
    return ((item, later[item.id]) for item in before if item.id in later)


def is_now(before: Items, after: Items, *, wanted: str = "", is_trial: bool = False) -> bool:
    """Whether a change happens at once. Left open: a longer interval, or at the same interval a higher price."""
    if is_trial or wanted:
        return is_trial or wanted == NOW
    stays = list(pairs(before, after))
    if any(new.price.length > old.price.length for old, new in stays):
        return True
    if any(new.price.length < old.price.length for old, new in stays):
        return False
    return total(after) > total(before)


def restarts(before: Items, after: Items) -> bool:
    """Whether the period begins anew: flexible billing keeps the anchor, so another interval has to say so.

    https://docs.stripe.com/billing/subscriptions/billing-cycle
    """
    return any(old.price.rhythm != new.price.rhythm for old, new in pairs(before, after))


def total(items: Items) -> Decimal:
    return sum((item.price.amount * item.quantity for item in items), Decimal(0))


def has_several_rhythms(items: Items) -> bool:
    return len({item.price.rhythm for item in items}) > 1


def is_unpaid(invoices: Sequence[Mapping[str, Any]], *, waiting: str = "") -> bool:
    """Whether one of a subscription's invoices since the beginning of its period still waits for its money.

    A change that was never paid is undone: its invoice is void, or it is the one that still waits.

    Args:
        waiting: the invoice of a change that waits for its payment.
    """
    return any(is_open_bill(invoice) for invoice in invoices if invoice.get("id") != waiting or not waiting)


def is_open_bill(invoice: Mapping[str, Any]) -> bool:
    reason, status = invoice.get("billing_reason"), invoice.get("status")
    is_undone = reason == "subscription_update" and status == "void"
    return status != "paid" and reason != "manual" and not is_undone


def refusal(subscription: Mapping[str, Any], *, is_own_schedule: bool) -> str:
    """Why a subscription cannot be changed as it is now, in a sentence for a person; empty if it can."""
    status = subscription.get("status")
    if status == "paused" or subscription.get("pause_collection"):
        return PAUSED
    if status == "incomplete":
        return "The first payment of this subscription has not arrived yet."
    if subscription.get("schedule") and not is_own_schedule:
        return "A schedule that was made at Stripe decides about this subscription."
    if subscription.get("collection_method") == "send_invoice":
        return "Its invoices are sent and paid later, so it is changed by hand."
    if status not in RUNNING:
        return UNPAID
    return ""


def refusal_of_items(after: Items, *, currency: str) -> str:
    """Why a subscription cannot have these items; empty if it can."""
    if any(item.price.currency != currency for item in after):
        return "It is billed in another currency."
    if has_several_rhythms(after):
        return "Its other items are billed at another interval."
    return ""
