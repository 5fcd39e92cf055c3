"""Access without a purchase, for tests that are about something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from licenzy_django import clock
from licenzy_django.access import cache, shared_cache
from licenzy_django.identity import required_subject_ref
from licenzy_django.ledger import entries
from licenzy_django.models import Entitlement, EntitlementChange, Kind, LedgerEntry, Product, Subject
from licenzy_django.models.base import new_entitlement_id


def entitled(
    subject: Any,
    product_code: str = "",
    *,
    mode: str = "test",
    features: Sequence[str] = (),
    units: int | None = None,
    **columns: Any,
) -> Entitlement:
    """Give a subject access without Stripe, as an operator would; the product is made if there is none.

    From then on this process leaves the shared cache (``LICENZY["CACHE"]``) alone, so that no other test sees it.

    Args:
        subject: a ``subject_ref``, a user or a request.
        product_code: by default a product that is made for tests.
        features: of a product that is made.
        units: of a usage pack; a product that is made is one if they are given. By default the product's.
        columns: of the entitlement, for example ``available_until=…``.
    """
    subject_ref = required_subject_ref(subject)
    shared_cache.leave_alone()
    product = product_of(product_code or "TEST_PRODUCT", mode, list(features), units)
    owner, _ = Subject.objects.get_or_create(mode=mode, subject_ref=subject_ref)
    granted = columns.setdefault("units_granted", (product.units or 0) if units is None else units)
    public_id = new_entitlement_id()
    row: dict[str, Any] = {"public_id": public_id, "source_id": public_id, "source": "portal", "status": "active"}
    row |= {"grants_access": True, "starts_at": clock.now(), "units_remaining": granted}
    row |= {"features": product.features, **columns}
    with transaction.atomic():
        entitlement = Entitlement.objects.create(
            mode=mode, subject=owner, subject_ref=subject_ref, product=product, **row
        )
        EntitlementChange.objects.create(mode=mode, entitlement=entitlement, reason="manual_grant", source="portal")
        if granted and entitlement.units_remaining == granted:
            LedgerEntry.objects.bulk_create(entries.entries(entitlement, 0, [(LedgerEntry.Kind.GRANT, granted)]))
        cache.changed(subject_ref, mode)
    return entitlement


def product_of(code: str, mode: str, features: list[str], units: int | None) -> Product:
    terms: dict[str, Any] = {"name": code, "stripe_price_id": f"price_{code.lower()}", "features": features}
    terms |= {"kind": Kind.SUBSCRIPTION} if units is None else {"kind": Kind.USAGE_PACK, "units": units}
    return Product.objects.get_or_create(mode=mode, code=code, defaults=terms)[0]
