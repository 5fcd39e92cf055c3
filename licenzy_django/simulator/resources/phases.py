"""The phases of a schedule: what a request may say of them, and what becomes of the subscription when one begins.

docs.stripe.com/billing/subscriptions/subscription-schedules#subscription-schedule-phases
"""

from __future__ import annotations

from ..json_tree import Json
from ..periods import period_around, period_end
from ..refusals import RefusalError, invalid
from ..world import World
from . import (
    billing,
    catalog,
    changes,
    customers,
    payment_methods,
    pending_updates,
    subscription_items,
    subscriptions,
    trials,
)
from .prorations import credits_of, debit_of
from .schedule_shapes import phase as phase_shape
from .subscription_items import rhythm


def read(world: World, schedule: Json, subscription: Json, wanted: list[Json]) -> list[Json]:
    """The phases of a request, with their dates. Raises RefusalError for what cannot be."""
    if "start_date" not in wanted[0]:
        raise invalid(
            "The subscription schedule update is missing at least one phase with a `start_date` to anchor end dates "
            "to.",
            "phases",
        )
    found: list[Json] = []
    for at, entry in enumerate(wanted):
        start: int = entry["start_date"] if "start_date" in entry else found[-1]["end_date"]
        following = wanted[at + 1].get("start_date") if at + 1 < len(wanted) else None
        _check_dates(entry, f"phases[{at}]", start, found)
        _check_items(world, subscription, entry, f"phases[{at}]")
        end: int = entry.get("end_date") or following or _end_by_duration(world, entry, start)
        if end <= start:
            raise invalid("A phase must end after it starts.", f"phases[{at}][end_date]")
        _check_discounts(subscription, entry, f"phases[{at}]")
        _check_method(world, subscription, entry, f"phases[{at}]")
        found.append(phase_shape(entry | {"currency": subscription["currency"]}, start, end))
    now = running(world, found)
    if now["start_date"] != schedule["current_phase"]["start_date"]:
        raise invalid("You can not modify the start date of the current phase.", "phases[0][start_date]")
    _check_trials(subscription, found, now)
    return found


def running(world: World, planned: list[Json]) -> Json:
    for phase in planned:
        if phase["start_date"] <= world.now < phase["end_date"]:
            return phase
    raise invalid("One of the phases must be the current one.", "phases")


def _check_dates(entry: Json, at: str, start: int | str, before: list[Json]) -> None:
    for name in ("start_date", "end_date"):
        if entry.get(name) == "now":
            raise RefusalError("The simulator takes timestamps here.", param=f"{at}[{name}]", code="not_simulated")
    if before and start != before[-1]["end_date"]:
        raise invalid("A phase starts when the one before it ends.", f"{at}[start_date]")
    if "end_date" in entry and "duration" in entry:
        raise invalid("You may only specify one of these parameters: duration, end_date.", f"{at}[duration]")


def _end_by_duration(world: World, entry: Json, start: int) -> int:
    """``duration``, or one interval of the first price."""
    price = world.find("price", entry["items"][0].get("price", ""), param="phases[0][items][0][price]")
    return period_end(start, entry.get("duration") or price["recurring"], start)


def _check_items(world: World, subscription: Json, entry: Json, at: str) -> None:
    """Its own prices a subscription can keep, also those that are archived."""
    if not entry["items"]:
        raise invalid("A phase must have at least one item.", f"{at}[items]")
    known = {item["price"]["id"]: item["price"] for item in subscription["items"]["data"]}
    for number, item in enumerate(entry["items"]):
        place = f"{at}[items][{number}][price]"
        price = known.get(item.get("price")) or catalog.price_named(world, item.get("price", ""), param=place)
        price = catalog.in_currency(price, subscription["currency"], param=place)
        if not price["recurring"]:
            raise invalid("The price specified is set to `type=one_time` but this field only accepts prices with "
                          "`type=recurring`.", place)  # fmt: skip
    subscription_items.check(subscription, [{"price": _price(world, subscription, item)} for item in entry["items"]])


def _check_discounts(subscription: Json, entry: Json, at: str) -> None:
    for number, discount in enumerate(entry.get("discounts") or []):
        if discount.get("discount") not in subscription["discounts"]:
            raise RefusalError(
                "The simulator takes the discounts that the subscription has.",
                param=f"{at}[discounts][{number}]", code="not_simulated",
            )  # fmt: skip


def _check_method(world: World, subscription: Json, entry: Json, at: str) -> None:
    if ref := entry.get("default_payment_method"):
        path = f"{at}[default_payment_method]"
        method = world.find("payment_method", ref, param=path)
        if method["customer"] not in (None, subscription["customer"]):
            raise invalid("The payment method belongs to another customer.", path)


def _check_trials(subscription: Json, planned: list[Json], now: Json) -> None:
    trial = subscription["trial_end"] if subscription["status"] == "trialing" else None
    for at, phase in enumerate(planned):
        if phase["trial_end"] not in (None, trial) or (phase["trial_end"] and phase is not now):
            raise RefusalError(
                "The simulator takes the `trial_end` of the trial that runs, in the current phase.",
                param=f"phases[{at}][trial_end]", code="not_simulated",
            )  # fmt: skip


def apply(world: World, schedule: Json, subscription: Json, phase: Json, behavior: str) -> None:
    """The current phase was changed: the subscription follows at once. A trial that it leaves out ends now."""
    _change(world, schedule, subscription, phase, behavior)
    if subscription["status"] == "trialing" and phase["trial_end"] is None:
        trials.end_trial(world, subscription, early=True)


def enter(world: World, schedule: Json, subscription: Json, phase: Json) -> None:
    """At the end of the period the renewal has the new items; in mid-period it is a change like any other.

    A pending update "expires … when a new phase starts" (docs.stripe.com/billing/subscriptions/pending-updates).
    """
    if subscription["pending_update"]:
        pending_updates.expire(world, subscription)
    ends = min(item["current_period_end"] for item in subscription["items"]["data"])
    if ends > world.now or subscription["status"] not in ("active", "past_due", "trialing", "unpaid"):
        _change(world, schedule, subscription, phase, phase["proration_behavior"])
        return
    items, lines, anchor = _at_renewal(world, subscription, phase)

    def put() -> None:
        _set(schedule, subscription, phase)
        subscription["billing_cycle_anchor"] = anchor
        subscription_items.put(subscription, items)
        if lines:
            subscription["_prorations"] = lines + subscription.get("_prorations", [])

    if any(item["current_period_end"] <= world.now for item in items):
        billing.roll_period(world, subscription, first=put)
        return
    with world.changing(subscription, subscriptions.UPDATED):
        put()
    if lines and phase["proration_behavior"] == "always_invoice":
        waiting = subscription.pop("_prorations")
        period = subscriptions.period_of(subscription)
        invoice = billing.bill(world, subscription, "subscription_update", waiting, period)
        billing.charge(world, invoice, paid=customers.card_works(world, subscription["customer"]))


def _at_renewal(world: World, subscription: Json, phase: Json) -> tuple[list[Json], list[Json], int]:
    """Items, the lines of what is no whole period, and the anchor.

    ``phase_start`` "sets the anchor to the start of the phase"; ``automatic`` changes it "if needed", which billing
    mode ``flexible`` never does by itself (…/billing-mode/compare): a year in place of a month then runs from the old
    anchor, and nobody is billed for what is left of it where ``proration_behavior`` is ``none``.
    """
    now, old = world.now, {item["price"]["id"]: item for item in subscription["items"]["data"]}
    prorated = phase["proration_behavior"] != "none"
    changes_rhythm = {rhythm(item["price"]) for item in old.values()} != {
        rhythm(_price(world, subscription, entry)) for entry in phase["items"]
    }
    restarts = phase["billing_cycle_anchor"] == "phase_start" or (
        changes_rhythm and subscription["billing_mode"]["type"] == "classic"
    )
    anchored = subscription | {"billing_cycle_anchor": now if restarts else subscription["billing_cycle_anchor"]}
    gone = [item for price, item in old.items() if price not in {entry["price"] for entry in phase["items"]}]
    lines = [
        line for item in gone if prorated and item["current_period_end"] > now
        for line in credits_of(world, subscription, item, now)
    ]  # fmt: skip
    items = []
    for entry in phase["items"]:
        item = old.get(entry["price"])
        if item is None:
            item = subscription_items.new(world, anchored, _price(world, subscription, entry), entry["quantity"])
            if period_around(now, item["price"]["recurring"], anchored["billing_cycle_anchor"])[0] == now:
                item |= {"current_period_start": now, "current_period_end": now}
            elif prorated:
                lines.append(debit_of(world, anchored, item, now))
        items.append(item | {"quantity": entry["quantity"]})
    return items, lines, anchored["billing_cycle_anchor"]


def _price(world: World, subscription: Json, entry: Json) -> Json:
    return catalog.in_currency(world.find("price", entry["price"]), subscription["currency"], param="phases")


def _change(world: World, schedule: Json, subscription: Json, phase: Json, behavior: str) -> None:
    with world.changing(subscription, subscriptions.UPDATED):
        _set(schedule, subscription, phase)
    edits = _edits(subscription, phase)
    restarts = phase["billing_cycle_anchor"] == "phase_start" and phase["start_date"] == world.now
    if not edits and not restarts:
        return
    flexible = subscription["billing_mode"]["type"] == "flexible"
    changes.update(
        world, subscription, edits, proration_behavior=behavior,
        billing_cycle_anchor="now" if restarts else "unchanged" if flexible else "",
        paid=customers.card_works(world, subscription["customer"]),
        requires_action=payment_methods.asks(world, subscription["customer"]),
    )  # fmt: skip


def _set(schedule: Json, subscription: Json, phase: Json) -> None:
    """What the phase leaves out is gone; metadata alone is merged (…/subscription_schedules/update)."""
    had, defaults = subscription["default_payment_method"], schedule["default_settings"]
    subscription["default_payment_method"] = phase["default_payment_method"] or defaults["default_payment_method"]
    subscription["description"] = phase["description"] or defaults["description"]
    subscription["discounts"] = [entry["discount"] for entry in phase["discounts"]]
    merged = subscription["metadata"] | phase["metadata"]
    subscription["metadata"] = {name: value for name, value in merged.items() if value != ""}
    if had and not subscription["default_payment_method"]:
        subscription["_lost_method"] = True


def _edits(subscription: Json, phase: Json) -> list[Json]:
    """A phase names prices, not items: an item whose price goes is another one afterwards."""
    wanted = {entry["price"]: entry["quantity"] for entry in phase["items"]}
    have = {item["price"]["id"]: item for item in subscription["items"]["data"]}
    edits: list[Json] = [{"id": item["id"], "deleted": True} for price, item in have.items() if price not in wanted]
    edits += [
        {"id": have[price]["id"], "quantity": quantity}
        for price, quantity in wanted.items()
        if price in have and have[price]["quantity"] != quantity
    ]
    return edits + [{"price": price, "quantity": quantity} for price, quantity in wanted.items() if price not in have]
