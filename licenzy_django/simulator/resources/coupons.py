"""Coupons: how much is taken off, and for how long.

docs.stripe.com/api/coupons, docs.stripe.com/billing/subscriptions/coupons.
"""

from __future__ import annotations

from ..json_tree import Json
from ..periods import share_of
from ..refusals import RefusalError, invalid, missing
from ..world import DAY, Ref, World
from .customers import merge_metadata

LONGEST_REDEMPTION = 5 * 366 * DAY


def create(world: World, wanted: Json) -> Json:
    """``wanted`` as in the API (``stripe.params.CouponCreateParams``); without ``id`` one is made up."""
    _check(world, wanted)
    percent, amount = wanted.get("percent_off"), wanted.get("amount_off")
    coupon: Json = {
        "id": wanted.get("id") or world.new_id("c")[-8:].upper(),
        "object": "coupon",
        "amount_off": amount,
        "created": world.now,
        "currency": str(wanted["currency"]).lower() if amount else None,
        "duration": wanted.get("duration", "once"),
        "duration_in_months": wanted.get("duration_in_months"),
        "livemode": world.livemode,
        "max_redemptions": wanted.get("max_redemptions"),
        "metadata": dict(wanted.get("metadata") or {}),
        "name": wanted.get("name"),
        "percent_off": percent,
        "redeem_by": wanted.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    return world.add(coupon, "coupon.created")


def _check(world: World, wanted: Json) -> None:
    percent, amount = wanted.get("percent_off"), wanted.get("amount_off")
    if wanted.get("id") and world.store.get("coupon", wanted["id"]):
        raise invalid(f"Coupon already exists: {wanted['id']}", "id", "resource_already_exists")
    if (percent is None) == (amount is None):
        raise invalid("You must pass either percent_off or amount_off.", "percent_off", "parameter_missing")
    if percent is not None and not 0 < percent <= 100:
        raise invalid("Invalid percent_off: must be greater than 0 and at most 100.", "percent_off")
    if amount is not None and amount < 1:
        raise invalid("This value must be greater than or equal to 1.", "amount_off", "parameter_invalid_integer")
    if amount is not None and not wanted.get("currency"):
        raise missing("currency")
    if (wanted.get("duration") == "repeating") != (wanted.get("duration_in_months") is not None):
        raise invalid("`duration_in_months` is for the duration `repeating`, which needs it.", "duration_in_months")
    for name in ("duration_in_months", "max_redemptions"):
        if wanted.get(name) is not None and wanted[name] < 1:
            raise invalid("This value must be greater than or equal to 1.", name, "parameter_invalid_integer")
    check_end(world, wanted.get("redeem_by"), "redeem_by")


def check_end(world: World, end: int | None, param: str) -> None:
    """A last moment "cannot be set to more than 5 years in the future"."""
    if end is not None and not world.now < end <= world.now + LONGEST_REDEMPTION:
        raise invalid(f"`{param}` must be a timestamp in the next five years.", param)


def update(world: World, coupon: Json, wanted: Json) -> Json:
    """Name and metadata; what it takes off is for ever."""
    with world.changing(coupon, "coupon.updated"):
        if "name" in wanted:
            coupon["name"] = wanted["name"] or None
        merge_metadata(coupon, wanted)
    return coupon


def delete(world: World, coupon: Json) -> Json:
    """ "Deleting a coupon does not affect any customers who have already applied the coupon" (``stripe.Coupon``)."""
    world.emit("coupon.deleted", coupon)
    world.store.remove(coupon)
    return {"id": coupon["id"], "object": "coupon", "deleted": True}


def is_valid(world: World, coupon: Json) -> bool:
    """Whether it "can still be applied to a customer"."""
    used_up = coupon["max_redemptions"] is not None and coupon["times_redeemed"] >= coupon["max_redemptions"]
    late = coupon["redeem_by"] is not None and coupon["redeem_by"] <= world.now
    return not used_up and not late


def shown(world: World, coupon: Json) -> Json:
    return coupon | {"valid": is_valid(world, coupon)}


def redeemable(world: World, ref: Ref, *, param: str) -> Json:
    """The coupon that a parameter names. Raises RefusalError where it can no longer be applied."""
    coupon = world.find("coupon", ref, param=param)
    if not is_valid(world, coupon):
        raise RefusalError(f"Coupon expired: {coupon['id']}", code="coupon_expired", param=param)
    return coupon


def off(coupon: Json, amount: int) -> int:
    """What it takes off an amount above zero: at most all of it, a percentage to the nearest cent."""
    if amount <= 0:
        return 0
    if coupon["amount_off"] is not None:
        return min(int(coupon["amount_off"]), amount)
    millionths = round(float(coupon["percent_off"]) * 1_000_000)
    return share_of(amount, millionths, 100_000_000)


def shared(amount: int, parts: list[int]) -> list[int]:
    """``amount`` over the parts, in proportion to each; cents that are left go to the largest remainders."""
    whole = sum(parts)
    if whole <= 0:
        return [0] * len(parts)
    shares = [amount * part // whole for part in parts]
    largest_first = sorted(range(len(parts)), key=lambda at: (-(amount * parts[at] % whole), at))
    for at in largest_first[: amount - sum(shares)]:
        shares[at] += 1
    return shares
