"""What the seller makes at Stripe without Checkout: subscriptions, quotes, invoices; and what the seller deletes."""

from __future__ import annotations

from ..json_tree import Json
from ..periods import period_around, share_of
from ..refusals import RefusalError, invalid
from ..world import DAY, Ref, World
from . import billing, catalog, change_rules, changes, discounts, invoices, subscriptions
from .invoice_lines import item_line, loose_line
from .invoice_shapes import Heading

Priced = list[tuple[Ref, int]]


def subscribe(
    world: World, customer: str, prices: Priced, *, metadata: Json | None = None, status: str = "active",
    billing_mode: str = "flexible", trial_days: int = 0, by_invoice: bool = False, days_until_due: int = 30,
    billing_cycle_anchor: int | None = None, backdate_start_date: int | None = None,
    proration_behavior: str = "create_prorations", paid: bool = True, trial_end: int | None = None,
    leave_open: bool = False, shown: Json | None = None, coupons: list[Json] | None = None,
) -> Json:  # fmt: skip
    """A subscription made without Checkout, in the Dashboard say. ``incomplete``: its first payment failed.

    ``leave_open``: nobody has tried to pay yet (``payment_behavior=default_incomplete``). ``shown`` decorates.
    ``by_invoice``: active at once, its first invoice is sent and open (``collection_method=send_invoice``).
    ``billing_cycle_anchor`` (ahead): the time until then is billed as a part; with ``proration_behavior="none"`` it is
    free, which "doesn't generate an invoice at all until the first billing period" (…/subscriptions/billing-cycle).
    ``backdate_start_date``: the time since then is billed too (…/subscriptions/backdating). ``coupons`` as the API's
    ``discounts``: each names a ``coupon`` or a ``promotion_code``.
    """
    lines = [(catalog.price_named(world, price, param="items[0][price]"), quantity) for price, quantity in prices]
    _check_coupons(world, customer, lines, coupons or [], in_parts=bool(billing_cycle_anchor or backdate_start_date))
    _check_times(world, billing_cycle_anchor, backdate_start_date, billing_mode, proration_behavior)
    trial_end = world.now + trial_days * DAY if trial_days else trial_end
    status = "incomplete" if leave_open else status
    backdated = backdate_start_date if billing_mode == "flexible" else None
    subscription = subscriptions.build(
        world, customer, lines, metadata=metadata or {}, billing_mode=billing_mode, trial_end=trial_end,
        status="trialing" if trial_end else status, anchor=billing_cycle_anchor or backdated,
        start_date=backdate_start_date,
    )  # fmt: skip
    subscription |= shown or {}
    for wanted in coupons or []:
        discounts.redeem_for(world, wanted, subscription)
    if by_invoice:
        subscription |= {"collection_method": "send_invoice", "days_until_due": days_until_due}
    invoice = _first_invoice(world, subscription, proration_behavior)
    world.emit("customer.subscription.created", subscription)
    if invoice and invoice["status"] == "open" and leave_open:
        with world.changing(invoice):
            invoice["next_payment_attempt"] = None
    if invoice and invoice["status"] == "paid" and subscription["status"] == "incomplete":
        subscriptions.set_status(world, subscription, "active")
    if invoice and invoice["status"] == "open" and not leave_open:
        if status == "incomplete":
            billing.fail_invoice(world, invoice, retries=False)
        else:
            billing.charge(world, invoice, paid=paid)
    return subscription


def _check_coupons(
    world: World, customer: str, lines: list[tuple[Json, int]], wanted: list[Json], *, in_parts: bool
) -> None:
    for at, entry in enumerate(wanted):
        if in_parts:
            raise RefusalError("A discount on a part of the first period is not simulated.", param="discounts",
                               code="not_simulated")  # fmt: skip
        discounts.check(
            world, entry, customer=customer, new_customer=False, currency=lines[0][0]["currency"], at=at,
            subtotal=sum(price["unit_amount"] * quantity for price, quantity in lines),
        )  # fmt: skip


def _check_times(world: World, anchor: int | None, backdate: int | None, mode: str, prorations: str) -> None:
    if anchor is not None and anchor <= world.now:
        raise invalid("billing_cycle_anchor must be a timestamp in the future.", "billing_cycle_anchor")
    if backdate is not None and backdate > world.now:
        raise invalid("backdate_start_date must be a timestamp in the past.", "backdate_start_date")
    if prorations not in change_rules.BEHAVIORS:
        known = ", ".join(change_rules.BEHAVIORS)
        raise invalid(f"Invalid proration_behavior: must be one of {known}", "proration_behavior")
    if mode == "flexible" and backdate is not None and anchor is None and prorations == "none":
        raise RefusalError(
            "What is billed here, Stripe's documentation leaves open: pass billing_cycle_anchor.",
            param="proration_behavior", code="not_simulated",
        )  # fmt: skip


def _first_invoice(world: World, subscription: Json, proration_behavior: str) -> Json | None:
    """None where the time until the anchor is free."""
    if subscription["status"] == "trialing":
        return billing.first_invoice(world, subscription, [])
    lines = []
    for item in subscription["items"]["data"]:
        lines += _first_lines(world, subscription, item, prorated=proration_behavior != "none")
    if not lines:
        return None
    return billing.bill(world, subscription, "subscription_create", lines, (world.now, world.now))


def _first_lines(world: World, subscription: Json, item: Json, *, prorated: bool) -> list[Json]:
    """Whole periods are ordinary lines, parts of one are prorations.

    ``flexible``: one line for each period since the start; ``classic``: one for all the time before, "based on an
    imagined interval starting from the backdated start date".
    """
    anchor, start = subscription["billing_cycle_anchor"], subscription["start_date"]
    rhythm, whole = item["price"]["recurring"], item["price"]["unit_amount"] * item["quantity"]
    end = item["current_period_end"]
    begin = min(start, world.now)
    lines = []
    if subscription["billing_mode"]["type"] == "classic" and start < world.now:
        until = world.now if anchor == world.now else end
        parts = _parts(begin, until, rhythm, start)
        amount = sum(share_of(whole, to - since, to_end - from_start) for since, to, from_start, to_end in parts)
        lines = [item_line(world, item, (begin, until), amount=amount, proration=True)] if prorated else []
        begin = until
    for since, to, from_start, to_end in _parts(begin, end, rhythm, anchor):
        part = (since, to) != (from_start, to_end)
        if prorated or (not part and since >= world.now):
            amount = share_of(whole, to - since, to_end - from_start)
            lines.append(item_line(world, item, (since, to), amount=amount, proration=part))
    return lines


def _parts(begin: int, end: int, rhythm: Json, anchor: int) -> list[tuple[int, int, int, int]]:
    """The time from ``begin`` to ``end``, cut where periods end: (from, to, the whole period's start, its end)."""
    parts = []
    while begin < end:
        start, stop = period_around(begin, rhythm, anchor)
        parts.append((begin, min(stop, end), start, stop))
        begin = stop
    return parts


def accept_quote(world: World, customer: str, prices: Priced, *, by_invoice: bool = False, paid: bool = True) -> Json:
    """A quote that was accepted: a subscription whose first invoice names the quote, and its lines the subscription.

    ``parent.type`` is ``quote_details`` (docs.stripe.com/api/invoices/object#invoice_object-parent).
    """
    found = [(catalog.price_named(world, price, param="line_items[0][price]"), quantity) for price, quantity in prices]
    subscription = subscriptions.build(world, customer, found, metadata={}, status="active")
    if by_invoice:
        subscription |= {"collection_method": "send_invoice", "days_until_due": 30}
    lines = [item_line(world, item, billing.period_of_item(item)) for item in subscription["items"]["data"]]
    quote = world.new_id("qt")
    heading = Heading(
        customer=customer, currency=subscription["currency"], billing_reason="subscription_create",
        period=(world.now, world.now), subscription=subscription["id"], extra={"_quote": quote},
        parent={"quote_details": {"quote": quote}, "subscription_details": None, "type": "quote_details"},
        collection_method=subscription["collection_method"], days_until_due=subscription["days_until_due"],
    )  # fmt: skip
    invoice = invoices.draft_for(world, heading, lines)
    with world.changing(subscription):
        subscription["latest_invoice"] = invoice["id"]
    invoices.finalize(world, invoice)
    world.emit("customer.subscription.created", subscription)
    billing.charge(world, invoice, paid=paid)
    return subscription


def hand_made_invoice(
    world: World, customer: str, price: Ref, *, quantity: int = 1, subscription: Ref | None = None,
    period: tuple[int, int] | None = None, by_invoice: bool = True,
) -> Json:  # fmt: skip
    """An open invoice without a parent; ``subscription`` is named by its line alone (``invoiceitems.create``)."""
    found = catalog.price_named(world, price, param="price")
    named = world.find("subscription", subscription, param="subscription")["id"] if subscription else None
    heading = Heading(
        customer=customer, currency=found["currency"], billing_reason="manual", period=(world.now, world.now),
        collection_method="send_invoice" if by_invoice else "charge_automatically", days_until_due=30,
    )  # fmt: skip
    invoice = invoices.draft_for(world, heading, [loose_line(world, found, quantity, named, period)])
    return invoices.finalize(world, invoice)


def bill_by_hand(world: World, subscription: Json, price: Ref) -> Json:
    """An operator puts a one-time price on an invoice of its own, hung on the subscription. Open, not yet paid."""
    lines = [loose_line(world, catalog.price_named(world, price, param="price"), 1, subscription["id"])]
    return invoices.finalize(world, invoices.draft(world, subscription, "manual", lines, (world.now, world.now)))


def move_price(world: World, price: Json, to: Ref) -> Json:
    """All running subscriptions of a price are moved to another one, without any billing. Returns a list of them."""
    moved = []
    for subscription in world.store.all("subscription"):
        if subscription["status"] in (*subscriptions.ENDED, "incomplete"):
            continue
        edits = [
            {"id": item["id"], "price": to}
            for item in subscription["items"]["data"]
            if item["price"]["id"] == price["id"]
        ]
        if edits:
            terms = change_rules.Terms(proration_behavior="none", billing_cycle_anchor="unchanged")
            moved.append(changes.update(world, subscription, edits, **terms))
    return {"object": "list", "data": moved, "has_more": False, "url": "/v1/subscriptions"}


def forget(world: World, kind: str, ref: Ref) -> Json:
    """The seller deleted test data: no event is sent, and asking for the object is 404 ``resource_missing``."""
    thing = world.find(kind, ref)
    world.store.remove(thing)
    return {"id": thing["id"], "object": kind, "deleted": True}
