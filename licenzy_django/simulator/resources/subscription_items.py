"""The items of a subscription: their periods, and what one subscription can hold."""

from __future__ import annotations

from ..json_tree import Json
from ..periods import period_around
from ..refusals import invalid
from ..world import World


def new(world: World, subscription: Json, price: Json, quantity: int) -> Json:
    """An item that its subscription does not have yet.

    Its period is the one that the anchor gives it; during a trial, all periods end with the trial
    (docs.stripe.com/billing/subscriptions/mixed-interval).
    """
    start, end = period_of(subscription, price, world.now)
    return {
        "id": world.new_id("si"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": world.now,
        "current_period_end": end,
        "current_period_start": start,
        "current_trial": None,
        "discounts": [],
        "metadata": {},
        "price": shown_price(price),
        "quantity": quantity,
        "subscription": subscription["id"],
        "tax_rates": [],
    }


def period_of(subscription: Json, price: Json, at: int) -> tuple[int, int]:
    if subscription["status"] == "trialing":
        return subscription["trial_start"], subscription["trial_end"]
    start, end = period_around(at, price["recurring"], subscription["billing_cycle_anchor"])
    return max(start, min(subscription["start_date"], at)), end


def shown_price(price: Json) -> Json:
    return {key: value for key, value in price.items() if key[0] != "_" or key == "_own"}


def put(subscription: Json, items: list[Json]) -> None:
    check(subscription, items)
    subscription["items"] |= {"data": items, "total_count": len(items)}


def check(subscription: Json, items: list[Json]) -> None:
    """Refuses what one subscription cannot hold.

    docs.stripe.com/billing/subscriptions/mixed-interval: several intervals only in billing mode ``flexible``, each "a
    multiple of the shortest price interval in the subscription".
    """
    prices = [item["price"] for item in items]
    if len({price["id"] for price in prices}) < len(prices):
        twice = next(price["id"] for price in prices if sum(other["id"] == price["id"] for other in prices) > 1)
        raise invalid(f"Cannot add multiple subscription items with the same plan: {twice}", "items")
    if len({price["currency"] for price in prices}) > 1:
        raise invalid("All prices on a subscription must have the same currency.", "items")
    if len({rhythm(price) for price in prices}) > 1 and subscription["billing_mode"]["type"] == "classic":
        raise invalid(
            "Currency and interval fields must match across all plans on this subscription. Found mismatch in interval "
            "field.", "items",
        )  # fmt: skip
    if not fit_together([rhythm(price) for price in prices]):
        raise invalid("All prices must have an interval that is a multiple of the shortest one.", "items")


_DAYS, _MONTHS = {"day": 1, "week": 7}, {"month": 1, "year": 12}


def fit_together(rhythms: list[tuple[str, int]]) -> bool:
    """Days and weeks with one another, months and years with one another; a single day goes with all."""
    in_days = [count * _DAYS[interval] for interval, count in rhythms if interval in _DAYS]
    in_months = [count * _MONTHS[interval] for interval, count in rhythms if interval in _MONTHS]
    if in_days and in_months and min(in_days) != 1:
        return False
    shortest = min(in_days or in_months, default=1)
    return all(length % shortest == 0 for length in in_days or in_months)


def rhythm(price: Json) -> tuple[str, int]:
    return price["recurring"]["interval"], price["recurring"]["interval_count"]
