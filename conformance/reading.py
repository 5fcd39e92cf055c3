"""What of Stripe's objects is compared, in short."""

from __future__ import annotations

from typing import Any

from conformance.account import START, Json

Line = tuple[int, int, int, bool]


def day(at: int | None) -> float | None:
    """How many days after the beginning, which is the same whenever a scenario runs."""
    return None if at is None else (at - START) / 86_400


def lines(invoice: Json) -> list[Line]:
    """Amount, begin and end in days, and whether it is a proration; the smallest amount first."""
    return sorted(line(each) for each in invoice["lines"]["data"])


def line(each: Json) -> Line:
    period = each["period"]
    return each["amount"], int(day(period["start"]) or 0), int(day(period["end"]) or 0), is_proration(each)


def is_proration(each: Json) -> bool:
    parent = each["parent"] or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    return bool(details.get("proration"))


def amounts(invoice: Json) -> list[int]:
    return [amount for amount, *_ in lines(invoice)]


def amounts_of_items(subscription: Json) -> list[tuple[int, int]]:
    """The amount of one, and how many, of each item."""
    return sorted((each["price"]["unit_amount"], each["quantity"]) for each in subscription["items"]["data"])


def period(subscription: Json) -> tuple[float | None, float | None]:
    """Of its first item, in days."""
    first = subscription["items"]["data"][0]
    return day(first["current_period_start"]), day(first["current_period_end"])


def bill(invoice: Json) -> tuple[Any, ...]:
    """Why it was made, its status, and what it comes to."""
    return invoice["billing_reason"], invoice["status"], invoice["total"], invoice["amount_paid"]


def item_of(subscription: Json) -> str:
    name: str = subscription["items"]["data"][0]["id"]
    return name
