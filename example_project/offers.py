"""What the price cards say. Stripe charges what the price in Stripe says, so keep the two alike."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Offer:
    price_id: str
    name: str
    cents: int
    per: str
    tagline: str
    recurring: str = ""

    @property
    def price(self) -> str:
        euros = Decimal(self.cents) / 100
        return f"€{euros:,.2f}".removesuffix(".00")

    def simulated_price(self) -> dict[str, Any]:
        """The same offer as the simulator wants to hear it."""
        return {
            "id": self.price_id,
            "currency": "eur",
            "unit_amount": self.cents,
            "recurring": {"interval": self.recurring} if self.recurring else None,
            "product_name": self.name,
            "tax_behavior": "inclusive",
        }


PROMOTION_CODE = "RIVER20"
"""Takes 20 % off the first payment. On the simulator only; with a real Stripe you make your own in its dashboard."""

OFFERS = {
    "PRO_MONTHLY": Offer(
        price_id="price_pro_monthly",
        name="Pro, monthly",
        cents=19_00,
        per="a month",
        tagline="Everything, renewed each month. Cancel whenever you like.",
        recurring="month",
    ),
    "PRO_YEARLY": Offer(
        price_id="price_pro_yearly",
        name="Pro, yearly",
        cents=190_00,
        per="a year",
        tagline="Everything, with two months on us.",
        recurring="year",
    ),
    "WEEK_PASS": Offer(
        price_id="price_week_pass",
        name="Week pass",
        cents=7_00,
        per="once",
        tagline="Seven days, paid once. Nothing to cancel.",
    ),
    "CREDITS_1000": Offer(
        price_id="price_credits_1000",
        name="1,000 credits",
        cents=10_00,
        per="once",
        tagline="Use them whenever you like. Packs add up.",
    ),
}
