"""Promotion codes: what customers type to redeem a coupon (docs.stripe.com/api/promotion_codes)."""

from __future__ import annotations

import re

from ..json_tree import Json, snapshot
from ..refusals import RefusalError, invalid, missing
from ..world import World
from . import coupons, customers

_CODE = re.compile(r"[A-Za-z0-9-]{1,500}")
_RESTRICTIONS: Json = {"first_time_transaction": False, "minimum_amount": None, "minimum_amount_currency": None}


def create(world: World, wanted: Json) -> Json:
    """``wanted`` as in the API (``stripe.params.PromotionCodeCreateParams``)."""
    named = wanted["promotion"].get("coupon")
    if not named:
        raise missing("promotion[coupon]")
    coupon = coupons.redeemable(world, named, param="promotion[coupon]")
    if wanted.get("customer"):
        customers.existing(world, wanted["customer"], param="customer")
    _check_limits(world, wanted, coupon)
    identifier = world.new_id("promo")
    promotion_code: Json = {
        "id": identifier,
        "object": "promotion_code",
        "active": wanted.get("active", True),
        "code": _free_code(world, wanted, identifier),
        "created": world.now,
        "customer": wanted.get("customer"),
        "customer_account": None,
        "expires_at": wanted.get("expires_at"),
        "livemode": world.livemode,
        "max_redemptions": wanted.get("max_redemptions"),
        "metadata": dict(wanted.get("metadata") or {}),
        "promotion": {"coupon": coupon["id"], "type": "coupon"},
        "restrictions": _restrictions(wanted.get("restrictions") or {}),
        "times_redeemed": 0,
        "_coupon": snapshot(coupon),
    }
    return world.add(promotion_code, "promotion_code.created")


def _check_limits(world: World, wanted: Json, coupon: Json) -> None:
    """Neither may go beyond what the coupon itself allows."""
    most, last = wanted.get("max_redemptions"), wanted.get("expires_at")
    if most is not None and not 1 <= most <= (coupon["max_redemptions"] or most):
        raise invalid("max_redemptions must be at least 1 and at most what the coupon allows.", "max_redemptions")
    coupons.check_end(world, last, "expires_at")
    if last is not None and coupon["redeem_by"] and last > coupon["redeem_by"]:
        raise invalid("expires_at cannot be after the coupon's redeem_by.", "expires_at")


def _restrictions(wanted: Json) -> Json:
    amount, currency = wanted.get("minimum_amount"), wanted.get("minimum_amount_currency")
    if (amount is None) != (currency is None):
        at = "minimum_amount" if amount is None else "minimum_amount_currency"
        raise missing(f"restrictions[{at}]")
    return _RESTRICTIONS | wanted | ({"minimum_amount_currency": str(currency).lower()} if currency else {})


def _free_code(world: World, wanted: Json, identifier: str) -> str:
    """ "Regardless of case, this code must be unique across all active promotion codes for a specific customer." """
    code = wanted.get("code") or identifier.removeprefix("promo_").upper()
    if not _CODE.fullmatch(code):
        raise invalid("Promotion codes are made of letters, digits and dashes.", "code")
    for other in world.store.all("promotion_code", customer=wanted.get("customer")):
        if is_active(world, other) and other["code"].lower() == code.lower():
            raise invalid("An active promotion code with `code: " + code + "` already exists.", "code",
                          "resource_already_exists")  # fmt: skip
    return code


def update(world: World, promotion_code: Json, wanted: Json) -> Json:
    """ "A promotion code can only be reactivated when the coupon is still valid and [it] is otherwise redeemable." """
    if wanted.get("active") and not promotion_code["active"]:
        if not is_active(world, promotion_code | {"active": True}):
            raise RefusalError("This promotion code cannot be activated: it is no longer redeemable.", param="active")
        _free_code(world, promotion_code, promotion_code["id"])
    with world.changing(promotion_code, "promotion_code.updated"):
        promotion_code["active"] = wanted.get("active", promotion_code["active"])
        customers.merge_metadata(promotion_code, wanted)
    return promotion_code


def is_active(world: World, promotion_code: Json) -> bool:
    """ "Only active if the coupon is also valid" (``stripe.PromotionCode``)."""
    coupon = world.store.get("coupon", promotion_code["promotion"]["coupon"])
    most, last = promotion_code["max_redemptions"], promotion_code["expires_at"]
    used_up = most is not None and promotion_code["times_redeemed"] >= most
    late = last is not None and last <= world.now
    return bool(promotion_code["active"] and coupon and coupons.is_valid(world, coupon) and not used_up and not late)


def shown(world: World, promotion_code: Json) -> Json:
    return promotion_code | {"active": is_active(world, promotion_code)}


def typed(world: World, code: str, customer: str | None) -> Json:
    """The code that somebody types on a page. Raises RefusalError where there is none for them."""
    for owner in (customer, None) if customer else (None,):
        for promotion_code in world.store.all("promotion_code", customer=owner):
            if promotion_code["code"].lower() == code.strip().lower() and is_active(world, promotion_code):
                return promotion_code
    raise invalid("This code is invalid.", "promotion_code", "resource_missing")


def redeemable(world: World, promotion_code: Json, *, customer: str | None, subtotal: int, currency: str,
               param: str) -> Json:  # fmt: skip
    """The coupon behind it. Raises RefusalError where a restriction forbids it for this purchase."""
    if not is_active(world, promotion_code):
        raise invalid("This promotion code is not active.", param, "promotion_code_inactive")
    if promotion_code["customer"] not in (None, customer):
        raise invalid("This promotion code cannot be redeemed by this customer.", param)
    restrictions = promotion_code["restrictions"]
    if restrictions["first_time_transaction"] and (customer is None or _has_bought(world, customer)):
        raise invalid(
            "This promotion code cannot be redeemed because the associated customer has prior transactions.", param
        )
    least = restrictions["minimum_amount"]
    if least is not None and (restrictions["minimum_amount_currency"] != currency or subtotal < least):
        raise invalid(
            "This promotion code cannot be redeemed because the minimum amount requirement has not been met.", param
        )
    return coupons.redeemable(world, promotion_code["promotion"]["coupon"], param=param)


def _has_bought(world: World, customer: str) -> bool:
    """A charge that succeeded or an invoice past its draft, also one of nothing."""
    paid = any(charge["paid"] for charge in world.store.all("charge", customer=customer))
    return paid or any(invoice["status"] != "draft" for invoice in world.store.all("invoice", customer=customer))
