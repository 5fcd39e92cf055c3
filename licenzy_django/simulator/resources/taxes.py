"""Automatic tax: one flat rate for everybody, so that a price with tax can be seen and tested.

Stripe Tax asks where customer and seller are; the simulator does not, and says so on its pages. Whether a price has its
tax in it follows from its ``tax_behavior``; ``unspecified`` counts as ``exclusive``, the seller's default here
(docs.stripe.com/tax/products-prices-tax-categories-tax-behavior).
"""

from __future__ import annotations

from ..json_tree import Json
from ..periods import share_of
from ..world import World

PERCENT = 20
RATE = "txr_simulator"
_UNTAXED = {"exempt": "customer_exempt", "reverse": "reverse_charge"}


def rate(world: World) -> Json:
    """``GET /v1/tax_rates/txr_simulator`` (``stripe.TaxRate``)."""
    return {
        "id": RATE,
        "object": "tax_rate",
        "active": True,
        "country": None,
        "created": 0,
        "description": "One rate for everybody",
        "display_name": "Simulated tax",
        "effective_percentage": float(PERCENT),
        "flat_amount": None,
        "inclusive": False,
        "jurisdiction": None,
        "jurisdiction_level": None,
        "livemode": world.livemode,
        "metadata": {},
        "percentage": float(PERCENT),
        "rate_type": "percentage",
        "state": None,
        "tax_type": None,
    }


def exemption(world: World, customer: str | None) -> str:
    """The customer's ``tax_exempt``: none, exempt or reverse; the last two pay no tax."""
    found = world.store.get("customer", customer) if customer else None
    return str((found or {}).get("tax_exempt") or "none")


def of(amount: int, tax_behavior: str, tax_exempt: str = "none") -> Json:
    """The tax of an amount after discounts, in the form of ``stripe.Invoice.TotalTax``."""
    behavior = "inclusive" if tax_behavior == "inclusive" else "exclusive"
    whole = 100 + PERCENT if behavior == "inclusive" else 100
    tax = 0 if tax_exempt in _UNTAXED else share_of(amount, PERCENT, whole)
    return {
        "amount": tax,
        "tax_behavior": behavior,
        "tax_rate_details": {"tax_rate": RATE},
        "taxability_reason": _UNTAXED.get(tax_exempt, "standard_rated"),
        "taxable_amount": amount - tax if behavior == "inclusive" else amount,
        "type": "tax_rate_details",
    }


def on_top(taxes: list[Json]) -> int:
    """What they add: an inclusive tax is in the amount already."""
    return sum(tax["amount"] for tax in taxes if tax["tax_behavior"] == "exclusive")


def summed(taxes: list[Json]) -> list[Json]:
    """One entry for each behavior and reason."""
    found: dict[tuple[str, str], Json] = {}
    for tax in taxes:
        key = (tax["tax_behavior"], tax["taxability_reason"])
        same = found.setdefault(key, tax | {"amount": 0, "taxable_amount": 0})
        same["amount"] += tax["amount"]
        same["taxable_amount"] += tax["taxable_amount"]
    return list(found.values())
