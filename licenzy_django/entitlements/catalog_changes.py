"""What a change of the catalog does to those who have bought already: one subscription or purchase after another.

Each is brought in line in a transaction of its own, so a run that was interrupted is finished by the next one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.signals import post_save

from licenzy_django import clock
from licenzy_django.entitlements.history import save_change, snapshot
from licenzy_django.entitlements.outdated import with_complete_facts
from licenzy_django.entitlements.rebuild import lock_subject, rebuild_purchase, rebuild_subscription
from licenzy_django.exceptions import ModeNotConfigured, StripeFailure
from licenzy_django.models import Entitlement, Pack, Product, ProductPrice, Source, Subject, UnknownPrice
from licenzy_django.models.audit import AuditContext
from licenzy_django.stripe import facts
from licenzy_django.stripe.objects import Fact

logger = logging.getLogger("licenzy_django")

BATCH = 100
AT_ONCE_AFTER_A_SAVE = 500


def waiting() -> QuerySet[UnknownPrice]:
    """Subscriptions with a price that the catalog knows by now."""
    known = ProductPrice.objects.filter(mode=OuterRef("mode"), stripe_price_id=OuterRef("stripe_price_id"))
    return UnknownPrice.objects.filter(Exists(known)).select_related("subject")


def rebuild_waiting(*, limit: int | None = None, note: str = "") -> int:
    """Give what was paid at prices that the catalog knows by now. Returns how many subscriptions were looked at."""
    audit = AuditContext(reason="catalog_changed", source=Source.PORTAL, note=note)
    count = 0
    for row in islice(in_batches(waiting()), limit):
        rebuild_or_wait(row.subject, row.subscription_id, audit)
        count += 1
    return count


def rebuild_or_wait(subject: Subject, subscription_id: str, audit: AuditContext) -> list[Entitlement]:
    """Rebuild, with what an earlier version of ours did not keep; it waits where Stripe has to be asked and does not
    answer."""

    @transaction.atomic
    def rebuild(invoices: Sequence[Fact]) -> list[Entitlement]:
        for invoice in invoices:
            facts.save(invoice, mode=subject.mode)
        return rebuild_subscription(subject.pk, subscription_id, audit=audit)

    try:
        return with_complete_facts(rebuild)
    except (StripeFailure, ModeNotConfigured) as error:
        logger.warning("%s waits for licenzy_sync --subject %s: %s", subscription_id, subject.subject_ref, error)
        return []


def in_batches(rows: QuerySet[Any]) -> Iterator[Any]:
    """Row by row without holding them all, while what is done to them takes some away."""
    after = 0
    while batch := list(rows.filter(pk__gt=after).order_by("pk")[:BATCH]):
        yield from batch
        after = batch[-1].pk


def watch_the_catalog() -> None:
    """Products are saved by operators, by the catalog command and by hosts alike."""
    post_save.connect(product_saved, sender=Product, dispatch_uid="licenzy_catalog_changes")


def product_saved(instance: Product, **kwargs: Any) -> None:
    if UnknownPrice.objects.filter(mode=instance.mode).exists():
        transaction.on_commit(rebuild_some, robust=True)


def rebuild_some() -> None:
    """What a save has time for; ``licenzy_catalog load`` does the rest, and until then it is shown."""
    rebuild_waiting(limit=AT_ONCE_AFTER_A_SAVE)


def apply_to_everybody(product: Product, *, actor: Any, reason: str) -> int:
    """Give everybody who has the product what the catalog says now, and nothing else. Returns how many changed.

    Args:
        actor: the operator, a user, or None for a command.
        reason: why, for the history.
    """
    product.apply_to_all()
    audit = AuditContext(reason="catalog_applied", source=Source.PORTAL, actor=actor, note=reason)
    rows = Entitlement.objects.filter(product=product).select_related("subject", "attempt__product")
    # Which units a subscription included is seen from its paid lines alone.
    may_differ = product.is_recurring and bool(product.unit)
    return sum(
        apply_to(row, product, audit)
        for row in in_batches(rows)
        if may_differ or (row.features, row.limits) != (product.features, product.limits)
    )


def apply_to(row: Entitlement, product: Product, audit: AuditContext) -> bool:
    if row.source != Source.STRIPE:
        return apply_to_grant(row, product, audit)
    if product.is_recurring:
        before = units_by_window(row)
        return bool(rebuild_or_wait(row.subject, row.source_id, audit)) or units_by_window(row) != before
    return row.attempt is not None and bool(rebuild_purchase(row.attempt, audit=audit))


def units_by_window(row: Entitlement) -> list[tuple[int, int]]:
    """What the windows of a subscription grant; they show on it and are no entitlements."""
    windows = Pack.objects.filter(source_id=row.source_id, mode=row.mode).order_by("pk")
    return list(windows.values_list("pk", "units_granted"))


@transaction.atomic
def apply_to_grant(row: Entitlement, product: Product, audit: AuditContext) -> bool:
    locked = lock_subject(row.subject_id)
    row = Entitlement.objects.select_for_update().get(pk=row.pk)
    before = snapshot(row)
    row.features, row.limits = product.features, product.limits
    return save_change(locked, row, before, audit=audit, at=clock.now())
