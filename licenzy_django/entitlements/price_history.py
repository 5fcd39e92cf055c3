"""The history of prices, read for a derivation."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from licenzy_django.db.rows import written
from licenzy_django.entitlements.terms import PriceBook, PriceSpan, Terms
from licenzy_django.models import Product, ProductPrice


def price_book(mode: str, prices: Collection[str]) -> tuple[PriceBook, dict[int, Product]]:
    """What is known of these prices of subscriptions, and the products by their keys, in one statement."""
    if not prices:
        return PriceBook(), {}
    found = written(ProductPrice).filter(stripe_price_id__in=prices, mode=mode).select_related("product").order_by("pk")
    rows = [row for row in found if row.product.is_recurring]
    return PriceBook(map(span_of, rows)), {row.product_id: row.product for row in rows}


def span_of(row: ProductPrice) -> PriceSpan:
    until = None if row.until is None else seconds(row.until)
    return PriceSpan(row.stripe_price_id, terms_of_product(row.product), seconds(row.since), until)


def terms_of_product(product: Product) -> Terms:
    return Terms(product_id=product.pk, kind=product.kind, grace_days=product.grace_days)


def seconds(at: datetime) -> int:
    """Stripe counts whole seconds: what happens within one happens at its beginning."""
    return int(at.timestamp())
