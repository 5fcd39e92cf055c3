"""Very many entitlements at once, without the hundreds of statements that giving each would take."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from licenzy_django.models import Entitlement, Pack, Product
from licenzy_django.models.base import new_entitlement_id


def copied(row: Entitlement, times: int, *, products: bool = False) -> None:
    """As many entitlements like this one, without history; with ``products`` each of a product of its own."""
    product_ids = [row.product_id] * times
    if products:
        of_product = columns_of(row.product)
        made = [
            Product(**of_product | {"code": f"COPY_{number}", "stripe_price_id": f"price_copy_{number}"})
            for number in range(times)
        ]
        product_ids = [product.pk for product in Product.objects.bulk_create(made)]
    columns = columns_of(row)
    for name in ("public_id", "source_id", "product_id"):
        del columns[name]
    names = [new_entitlement_id() for _ in product_ids]
    del columns["pack_id"]
    made_rows = [
        Entitlement(**columns, public_id=name, source_id=name, product_id=product_id)
        for name, product_id in zip(names, product_ids, strict=True)
    ]
    if row.pack is not None:
        of_pack = columns_of(row.pack)
        for copy in made_rows:
            of_pack |= {"source_id": copy.source_id, "product_id": copy.product_id}
            copy.pack = Pack(**of_pack)
        Pack.objects.bulk_create(copy.pack for copy in made_rows if copy.pack is not None)
    Entitlement.objects.bulk_create(made_rows)


def columns_of(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if not field.primary_key}
