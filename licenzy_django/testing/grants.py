"""Access without a purchase, for tests that are about something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from licenzy_django import clock
from licenzy_django.access import cache, shared_cache
from licenzy_django.identity import required_subject_ref
from licenzy_django.ledger import entries, packs
from licenzy_django.models import Entitlement, EntitlementChange, Kind, LedgerEntry, Pack, Product, Subject
from licenzy_django.models.base import new_entitlement_id
from licenzy_django.models.pack import UNIT_COLUMNS


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
    of_pack = {name: columns.pop(name) for name in list(columns) if name in (*UNIT_COLUMNS, "reserved_until")}
    granted = of_pack.setdefault("units_granted", (product.units or 0) if units is None else units)
    of_pack.setdefault("units_remaining", granted)
    public_id = new_entitlement_id()
    row: dict[str, Any] = {"public_id": public_id, "source_id": public_id, "source": "portal", "status": "active"}
    row |= {
        "grants_access": True,
        "starts_at": clock.now(),
        "features": product.features,
        "limits": product.limits,
        **columns,
    }
    entitlement = Entitlement(mode=mode, subject=owner, subject_ref=subject_ref, product=product, **row)
    with transaction.atomic():
        if product.rules.has_units:
            entitlement.pack = pack_of(entitlement, of_pack)
        entitlement.save(force_insert=True)
        EntitlementChange.objects.create(mode=mode, entitlement=entitlement, reason="manual_grant", source="portal")
        if entitlement.pack is not None and 0 < granted == entitlement.units_remaining:
            LedgerEntry.objects.bulk_create(entries.entries(entitlement.pack, 0, [(LedgerEntry.Kind.GRANT, granted)]))
        cache.changed(subject_ref, mode)
    return entitlement


def pack_of(entitlement: Entitlement, columns: dict[str, Any]) -> Pack:
    pack = packs.new(entitlement, entitlement.product.unit)
    packs.follow(pack, entitlement)
    for name, value in columns.items():
        setattr(pack, name, value)
    pack.save()
    return pack


def product_of(code: str, mode: str, features: list[str], units: int | None) -> Product:
    terms: dict[str, Any] = {"name": code, "stripe_price_id": f"price_{code.lower()}", "features": features}
    terms |= {"kind": Kind.SUBSCRIPTION} if units is None else {"kind": Kind.USAGE_PACK, "units": units}
    return Product.objects.get_or_create(mode=mode, code=code, defaults=terms)[0]
