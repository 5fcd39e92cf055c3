"""The history of prices, read for a derivation."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet, Subquery

from licenzy_django.db.rows import written
from licenzy_django.entitlements.terms import Allowance, PriceBook, PriceSpan, Terms
from licenzy_django.models import CheckoutAttempt, Product, ProductPrice
from licenzy_django.models.versions import sold_at


@dataclass(frozen=True, slots=True)
class KnownPrices:
    """Some prices of subscriptions.

    Attributes:
        products: by their keys.
        attempt_id: of the checkout that was asked for along with them.
    """

    book: PriceBook
    products: dict[int, Product]
    attempt_id: int | None = None


def known_prices(
    mode: str, prices: Collection[str], *, attempt: QuerySet[CheckoutAttempt] | None = None
) -> KnownPrices:
    """What is known of these prices, in one statement.

    Args:
        attempt: a checkout to look up along with them; None is found where no price is known.
    """
    if not prices:
        return KnownPrices(PriceBook(), {})
    found = written(ProductPrice).filter(stripe_price_id__in=prices, mode=mode).select_related("product").order_by("pk")
    if attempt is not None:
        found = found.annotate(attempt_id=Subquery(attempt.values("pk")[:1]))
    rows = [row for row in found if row.product.is_recurring]
    attempt_id = getattr(rows[0], "attempt_id", None) if rows else None
    return KnownPrices(PriceBook(map(span_of, rows)), {row.product_id: row.product for row in rows}, attempt_id)


def span_of(row: ProductPrice) -> PriceSpan:
    until = None if row.until is None else seconds(row.until)
    return PriceSpan(row.stripe_price_id, terms_of_product(row.product), seconds(row.since), until)


def terms_of_product(product: Product) -> Terms:
    return Terms(product_id=product.pk, kind=product.kind, grace_days=product.grace_days)


def allowance_sold(product: Product, at: int | None) -> Allowance | None:
    """The units that the product included at a moment, or those that were applied to everybody after it.

    Args:
        at: when a paid line began. None means unknown: then what the catalog said last.
    """
    sold = sold_at(product.versions, at) or product.gives()
    # What was kept by a version of ours that knew no units has none.
    if sold.get("units") is None:
        return None
    rolls_over = bool(sold["rollover_units"])
    return Allowance(
        unit=product.unit,
        units=sold["units"],
        every=sold["units_every"],
        per=sold["units_per"],
        rollover_units=sold["rollover_units"] or 0,
        rollover_windows=(sold["rollover_windows"] or 1) if rolls_over else 0,
        trial_units=sold["trial_units"] or 0,
    )


def seconds(at: datetime) -> int:
    """Stripe counts whole seconds: what happens within one happens at its beginning."""
    return int(at.timestamp())
