"""Does Stripe's billing portal do what the catalog says? https://docs.stripe.com/customer-management/configure-portal"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self

from licenzy_django.doctor.at_stripe import no_answer
from licenzy_django.doctor.finding import Finding
from licenzy_django.doctor.preparations import configured_modes
from licenzy_django.exceptions import LicenzyError
from licenzy_django.models import Product, ProductPrice
from licenzy_django.stripe import client
from licenzy_django.stripe.objects.fields import inside, listed

# The prices that customers may choose are only shown to who asks for them.
DEFAULT: Any = {"active": True, "is_default": True, "expand": ["data.features.subscription_update.products"]}
SETTINGS = "In Stripe's dashboard: Settings, Billing, Customer portal."
MOST_PRODUCTS = 10
"""That one configuration can have."""


@dataclass(frozen=True, slots=True)
class Features:
    """What customers can do in the portal.

    Attributes:
        cancels, changes: empty for what they cannot do there.
        prices: that they may change to; None where they cannot choose.
    """

    cancels: Mapping[str, Any]
    changes: Mapping[str, Any]
    can_change_card: bool
    prices: frozenset[str] | None

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> Self:
        cancels, changes, card = (
            feature if feature.get("enabled") else {}
            for name in ("subscription_cancel", "subscription_update", "payment_method_update")
            for feature in [inside(configuration, "features", name)]
        )
        products = changes.get("products") if "price" in (changes.get("default_allowed_updates") or []) else None
        prices = (price for product in products or [] for price in product.get("prices") or [])
        return cls(cancels, changes, bool(card), None if products is None else frozenset(prices))

    @property
    def cancels_at_once(self) -> bool:
        return self.cancels.get("mode") == "immediately"

    @property
    def cancels_with_credit(self) -> bool:
        return self.cancels_at_once and self.cancels.get("proration_behavior") != "none"

    @property
    def goes_down_at_once(self) -> bool:
        conditions = inside(self.changes, "schedule_at_period_end").get("conditions") or []
        at_the_end = {condition.get("type") for condition in conditions}
        return bool(self.changes) and "decreasing_item_amount" not in at_the_end

    @property
    def bills_changes(self) -> str:
        """Stripe's word for when a change is billed; empty where there are no changes."""
        return str(self.changes.get("proration_behavior") or "")

    @property
    def ends_trials(self) -> bool:
        return bool(self.changes) and self.changes.get("trial_update_behavior") != "continue_trial"


@dataclass(frozen=True, slots=True)
class Rule:
    """Something that customers can do there, or cannot, and that nobody may have wanted."""

    is_so: Callable[[Features], bool]
    words: str
    is_wrong: bool = True


RULES = (
    Rule(
        lambda features: features.cancels_with_credit,
        "a cancellation ends access at once, with credit for the rest: buy, use, cancel, get it back.",
    ),
    Rule(
        lambda features: features.cancels_at_once and not features.cancels_with_credit,
        "a cancellation ends access at once, and the time that was paid is lost.",
        is_wrong=False,
    ),
    Rule(
        lambda features: features.goes_down_at_once and features.bills_changes != "none",
        "a change to less happens at once, with credit: buy dear, use, change down, get it back. "
        "Schedule it for the end of the period.",
    ),
    Rule(
        lambda features: features.goes_down_at_once and features.bills_changes == "none",
        "a change to less happens at once, and the time that was paid is lost.",
        is_wrong=False,
    ),
    Rule(
        lambda features: features.bills_changes == "none",
        "a change to more happens at once, and costs nothing until the next renewal. Invoice it at once.",
    ),
    Rule(
        lambda features: features.bills_changes == "create_prorations",
        "a change to more happens at once, and is billed only with the next renewal.",
        is_wrong=False,
    ),
    Rule(lambda features: not features.cancels, "customers cannot cancel there.", is_wrong=False),
    Rule(
        lambda features: not features.can_change_card,
        "customers cannot change their card there; who is past due needs another page for it.",
        is_wrong=False,
    ),
)


def portal_fits() -> Iterator[Finding]:
    for mode in configured_modes():
        try:
            found = client.ask(mode, lambda stripe: stripe.v1.billing_portal.configurations.list(DEFAULT))
        except LicenzyError as error:
            yield no_answer(mode, "the billing portal's configuration", error)
            continue
        default = next((each for each in listed(found) if each.get("is_default")), None)
        if default is None:
            yield Finding(
                f"The billing portal has no configuration in {mode} mode, so Stripe opens no page of it.",
                f"Save its settings once. {SETTINGS}",
                is_wrong=False,
            )
        else:
            yield from contradictions(mode, Features.of(default))


def contradictions(mode: str, features: Features) -> Iterator[Finding]:
    """What the portal does against the catalog, or against the seller's money."""
    products = list(Product.objects.filter(mode=mode, is_active=True).order_by("code"))
    found = [(rule.words, rule.is_wrong) for rule in RULES if rule.is_so(features)]
    if features.ends_trials and any(product.trial_days for product in products):
        found.append(("a change during a trial ends the trial, and is charged at once.", False))
    if features.prices is not None:
        found += [(words, True) for words in strange_prices(mode, features.prices)]
        found += missing_prices(features.prices, products)
    for words, is_wrong in found:
        yield Finding(f"The billing portal ({mode}): {words}", SETTINGS, is_wrong)


def strange_prices(mode: str, offered: frozenset[str]) -> Iterator[str]:
    rows = ProductPrice.objects.filter(mode=mode, stripe_price_id__in=offered, until=None).select_related("product")
    known = {row.stripe_price_id: row.product for row in rows}
    for price in sorted(offered - known.keys()):
        yield f"customers can change to the price {price}, which no product has: they would pay for nothing."
    for price, product in sorted(known.items()):
        if product.is_add_on:
            yield f"customers can change their plan to {product.code} ({price}), which is an add-on."


def missing_prices(offered: frozenset[str], products: list[Product]) -> Iterator[tuple[str, bool]]:
    """Of the plans, where there are several; more than fit into a configuration are only good to know."""
    plans = [product for product in products if product.is_recurring and not product.is_add_on]
    missing = [product.code for product in plans if product.stripe_price_id not in offered]
    if missing and len(plans) > 1:
        why = f" It takes {MOST_PRODUCTS} products at most." if len(plans) > MOST_PRODUCTS else ""
        yield f"customers cannot change to {', '.join(missing)} there.{why}", not why
