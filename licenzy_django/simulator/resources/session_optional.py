"""Optional items: what the customer may add on the page.

docs.stripe.com/payments/checkout/optional-items, ``stripe.params.checkout.SessionCreateParams.optional_items``.
"""

from __future__ import annotations

from ..json_tree import Json
from ..refusals import invalid
from ..world import Ref, World
from . import session_totals
from .session_rules import MAX_QUANTITY, check_prices, priced, require_open
from .session_shapes import adjustable, item_shape

MOST_ITEMS = 10


def check(world: World, wanted: Json, lines: list[Json]) -> list[Json]:
    """Raises RefusalError, or returns the session's ``optional_items``. ``lines`` are the prices of its line items."""
    entries: list[Json] = wanted.get("optional_items") or []
    if len(entries) > MOST_ITEMS:
        raise invalid(f"Array exceeded maximum {MOST_ITEMS} allowed elements.", "optional_items")
    prices = [priced(world, wanted, entry["price"], f"optional_items[{at}][price]") for at, entry in enumerate(entries)]
    if entries:
        check_prices(wanted["mode"], [*lines, *prices])
    for at, entry in enumerate(entries):
        if not 1 <= entry["quantity"] <= MAX_QUANTITY:
            raise invalid("This value must be greater than or equal to 1.", f"optional_items[{at}][quantity]")
    return [{"adjustable_quantity": adjustable(entry), "price": price["id"], "quantity": entry["quantity"]}
            for price, entry in zip(prices, entries, strict=True)]  # fmt: skip


def choose(world: World, session: Json, price: Ref, quantity: int | None = None) -> Json:
    """The customer adds an optional item (by default as many as the seller proposes), or takes it off with 0."""
    require_open(world, session)
    wanted = price if isinstance(price, str) else price["id"]
    offered = next((entry for entry in session["optional_items"] or [] if entry["price"] == wanted), None)
    if offered is None:
        raise invalid(f"No such optional item: '{wanted}'", "optional_items")
    quantity = offered["quantity"] if quantity is None else quantity
    limits = offered["adjustable_quantity"] or {"minimum": offered["quantity"], "maximum": offered["quantity"]}
    if quantity and not limits["minimum"] <= quantity <= limits["maximum"]:
        raise invalid(f"The quantity must be from {limits['minimum']} to {limits['maximum']}", "quantity")
    with world.changing(session):
        kept = [item for item in session["_line_items"] if item.get("_optional") != wanted]
        session["_line_items"] = kept + ([_item(world, session, offered, quantity)] if quantity else [])
        session_totals.count(world, session)
    return session


def _item(world: World, session: Json, offered: Json, quantity: int) -> Json:
    price = priced(world, session, offered["price"], "optional_items")
    return item_shape(world, price, quantity, offered) | {"_optional": offered["price"]}
