"""Discounts: coupons that were redeemed, on a subscription or a one-time purchase.

docs.stripe.com/api/discounts, docs.stripe.com/billing/subscriptions/coupons. A ``once`` coupon is used up by the first
invoice that it takes something off (of a trial's first invoice, on which nothing is charged, the documentation does
not speak), a ``repeating`` one applies to invoices made before its end.
"""

from __future__ import annotations

from ..json_tree import Json, snapshot
from ..periods import months_after
from ..refusals import RefusalError, invalid
from ..world import World
from . import coupons, promotion_codes


def check(
    world: World, wanted: Json, *, customer: str | None, new_customer: bool, subtotal: int, currency: str, at: int = 0
) -> Json:
    """The coupon of an entry of ``discounts``: ``coupon`` or ``promotion_code``. ``new_customer``: one will be made."""
    place = f"discounts[{at}]"
    if bool(wanted.get("coupon")) == bool(wanted.get("promotion_code")):
        raise invalid("You must pass either coupon or promotion_code.", place, "parameter_missing")
    if wanted.get("coupon"):
        coupon = coupons.redeemable(world, wanted["coupon"], param=f"{place}[coupon]")
    else:
        param = f"{place}[promotion_code]"
        found = world.find("promotion_code", wanted["promotion_code"], param=param)
        if new_customer and found["restrictions"]["first_time_transaction"]:
            found = found | {"restrictions": found["restrictions"] | {"first_time_transaction": False}}
        coupon = promotion_codes.redeemable(
            world, found, customer=customer, subtotal=subtotal, currency=currency, param=param
        )
    if coupon["currency"] not in (None, currency):
        raise invalid(f"The coupon's currency is `{coupon['currency']}`, that of the prices `{currency}`.", place)
    return coupon


def redeem(
    world: World, wanted: Json, *, customer: str | None, subscription: str | None = None, session: str | None = None
) -> Json:
    """Counts the redemption, and keeps the discount. ``wanted`` names the coupon or the promotion code."""
    promotion_code = world.store.get("promotion_code", wanted.get("promotion_code") or "")
    coupon = world.find("coupon", promotion_code["promotion"]["coupon"] if promotion_code else wanted["coupon"])
    for used in (coupon, promotion_code):
        if used:
            with world.changing(used, f"{used['object']}.updated"):
                used["times_redeemed"] += 1
    months = coupon["duration_in_months"]
    discount: Json = {
        "id": world.new_id("di"),
        "object": "discount",
        "checkout_session": session,
        "customer": customer,
        "customer_account": None,
        "end": months_after(world.now, months) if months else None,
        "invoice": None,
        "invoice_item": None,
        "promotion_code": promotion_code["id"] if promotion_code else None,
        "source": {"coupon": coupon["id"], "type": "coupon"},
        "start": world.now,
        "subscription": subscription,
        "subscription_item": None,
        "_coupon": snapshot(coupon),
    }
    return world.add(discount, "customer.discount.created" if customer else "")


def redeem_for(world: World, wanted: Json, subscription: Json) -> None:
    """The subscription keeps it; what older versions show is the first."""
    discount = redeem(world, wanted, customer=subscription["customer"], subscription=subscription["id"])
    subscription["discounts"] = [*subscription["discounts"], discount["id"]]
    subscription.setdefault("_discount", snapshot(discount))


def of(world: World, thing: Json) -> list[Json]:
    """The discounts that a subscription or an invoice names."""
    return [world.find("discount", identifier) for identifier in thing["discounts"]]


def drop_ended(world: World, subscription: Json) -> None:
    """Those whose end is reached."""
    for discount in of(world, subscription):
        if has_ended(world, discount):
            _drop(world, subscription, discount)


def has_ended(world: World, discount: Json) -> bool:
    return discount["end"] is not None and discount["end"] <= world.now


def use_up(world: World, subscription: Json, invoice: Json) -> None:
    """``once`` has done its work on an invoice that it took something off."""
    given = {entry["discount"] for entry in invoice["total_discount_amounts"] if entry["amount"]}
    for discount in of(world, subscription):
        if discount["_coupon"]["duration"] == "once" and discount["id"] in given:
            _drop(world, subscription, discount)


def _drop(world: World, subscription: Json, discount: Json) -> None:
    with world.changing(subscription):
        subscription["discounts"] = [entry for entry in subscription["discounts"] if entry != discount["id"]]
    world.emit("customer.discount.deleted", discount)


def net_price(world: World, subscription: Json, whole: int) -> int:
    """What is left of a price for a change in mid-period: Stripe's prorations carry their discounts in the amount.

    ``proration_discounts=included`` is the default
    (docs.stripe.com/changelog/clover/2025-09-30/itemize-proration-discount-amounts). How an amount off is spread over
    parts of a period, the documentation leaves open.
    """
    running = [discount for discount in of(world, subscription) if not has_ended(world, discount)]
    for discount in running:
        if discount["_coupon"]["amount_off"] is not None:
            raise RefusalError(
                "Prorations of a subscription with an amount off are not simulated; a percentage off is.",
                param="proration_behavior", code="not_simulated",
            )  # fmt: skip
        whole -= coupons.off(discount["_coupon"], whole)
    return whole


def refuse_in_classic(world: World, subscription: Json) -> None:
    """A credit by "the last discounts used" (…/billing-mode/compare) is not simulated."""
    if world.store.all("discount", subscription=subscription["id"]):
        raise RefusalError(
            "Prorations of a discounted subscription in billing mode `classic` are not simulated.",
            param="proration_behavior", code="not_simulated",
        )  # fmt: skip
