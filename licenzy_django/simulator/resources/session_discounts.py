"""Discounts of a Checkout Session: given with it, or typed by the customer as a promotion code.

docs.stripe.com/payments/checkout/discounts; ``allow_promotion_codes`` and ``discounts`` of
``stripe.params.checkout.SessionCreateParams``.
"""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import RefusalError, invalid
from ..world import World
from . import discounts, promotion_codes, session_totals
from .session_rules import check_total, require_open

MOST_DISCOUNTS = 1


def check(wanted: Json) -> None:
    """Raises RefusalError for what cannot go together. Stripe looks at the names alone: ``false`` counts too."""
    if "allow_promotion_codes" in wanted and "discounts" in wanted:
        raise invalid(
            "You may only specify one of these parameters: allow_promotion_codes, discounts.", "allow_promotion_codes"
        )
    if len(wanted.get("discounts") or []) > MOST_DISCOUNTS:
        raise invalid(f"Array exceeded maximum {MOST_DISCOUNTS} allowed elements.", "discounts")


def begin(world: World, session: Json, wanted: Json) -> None:
    """The discount that a new session comes with."""
    for entry in wanted.get("discounts") or []:
        _choose(world, session, entry)


def apply_promotion_code(world: World, session: Json, code: str) -> Json:
    """The customer types a code on the page."""
    require_open(world, session)
    if not session["allow_promotion_codes"]:
        raise invalid("This session takes no promotion codes.", "promotion_code")
    found = promotion_codes.typed(world, code, session["customer"])
    with world.changing(session):
        _choose(world, session, {"promotion_code": found["id"]})
    return session


def remove_promotion_code(world: World, session: Json) -> Json:
    """The customer takes the code off again."""
    require_open(world, session)
    if session["allow_promotion_codes"]:
        with world.changing(session):
            session["discounts"] = []
            session_totals.count(world, session)
    return session


def _choose(world: World, session: Json, entry: Json) -> None:
    before = session["discounts"]
    _check(world, session, entry)
    session["discounts"] = [{"coupon": entry.get("coupon"), "promotion_code": entry.get("promotion_code")}]
    session_totals.count(world, session)
    if session["mode"] == "payment":
        try:
            check_total(session["amount_total"], session["currency"])
        except RefusalError:
            session["discounts"] = before
            session_totals.count(world, session)
            raise


def recheck(world: World, session: Json) -> None:
    """Raises RefusalError at the moment of paying where the discount has run out meanwhile."""
    for entry in session["discounts"]:
        _check(world, session, entry)


def _check(world: World, session: Json, entry: Json) -> None:
    """ "Promotion codes limited to first time customers will return invalid" for sessions that make no customer."""
    discounts.check(
        world, entry, customer=session["customer"], new_customer=session["customer_creation"] == "always",
        subtotal=session["amount_subtotal"], currency=session["currency"],
    )  # fmt: skip


def redeem(world: World, session: Json, *, subscription: Json | None = None) -> None:
    """Counted when the page is finished. A subscription keeps its discount, a one-time purchase names its session."""
    for entry in session["discounts"]:
        if subscription is None:
            discounts.redeem(world, entry, customer=session["customer"], session=session["id"])
        else:
            discounts.redeem_for(world, entry, subscription)
