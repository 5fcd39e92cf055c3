"""Prices that subscriptions have and the catalog does not know: kept, shown, and gone once the catalog knows them."""

from __future__ import annotations

from collections.abc import Callable, Collection

from django.db.models import Count

from licenzy_django.entitlements.terms import Terms
from licenzy_django.models import Subject, UnknownPrice
from licenzy_django.models.audit import AuditContext
from licenzy_django.stripe.objects.subscription import Subscription

NOT_BILLED = frozenset({"incomplete", "incomplete_expired", "canceled"})


def unknown_prices(subscription: Subscription, terms_of: Callable[[str, int | None], Terms | None]) -> set[str]:
    """The prices that are billed and count as no product."""
    if subscription.status in NOT_BILLED:
        return set()
    made_at = {item.price: item.created or subscription.created for item in subscription.items if item.price}
    return {price for price, at in made_at.items() if terms_of(price, at) is None}


def keep_unknown_prices(subject: Subject, subscription_id: str, prices: Collection[str], audit: AuditContext) -> None:
    """Keep what is unknown of a subscription now. Runs under the subject's lock; no statement where all is known."""
    audit.remarks.extend(f"no product has the price {price}" for price in sorted(prices))
    if not prices and not subject.has_unknown_prices:
        return
    rows = UnknownPrice.objects.filter(subject=subject, subscription_id=subscription_id)
    rows.exclude(stripe_price_id__in=prices).delete()
    new = set(prices) - set(rows.values_list("stripe_price_id", flat=True))
    UnknownPrice.objects.bulk_create(
        UnknownPrice(mode=subject.mode, subject=subject, subscription_id=subscription_id, stripe_price_id=price)
        for price in sorted(new)
    )
    has_any = bool(prices) or UnknownPrice.objects.filter(subject=subject).exists()
    if has_any != subject.has_unknown_prices:
        Subject.objects.filter(pk=subject.pk).update(has_unknown_prices=has_any)


def unknown_price_counts(mode: str, *, limit: int = 20) -> list[tuple[str, int]]:
    """The prices that no product has, each with how many subscriptions have it, the most wanted first."""
    counted = UnknownPrice.objects.filter(mode=mode).values("stripe_price_id").annotate(count=Count("pk"))
    found = counted.order_by("-count", "stripe_price_id")[:limit]
    return [(row["stripe_price_id"], row["count"]) for row in found]
