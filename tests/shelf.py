"""Packs for the tests of units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from django.conf import settings

from licenzy_django import operators
from licenzy_django.ledger import entries, packs
from licenzy_django.models import Entitlement, Pack, Product, Subject
from licenzy_django.models.audit import AuditContext
from licenzy_django.testing import StripeDouble

ON_POSTGRESQL = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")


class Shelf:
    """Packs, given by an operator: the quickest way to have some."""

    def __init__(self, double: StripeDouble) -> None:
        self.double = double

    def product(self, code: str = "CREDITS") -> Product:
        found = Product.objects.filter(mode="test", code=code).first()
        return found or self.double.sell(code, kind="usage_pack", units=100)

    def give(
        self, units: int, *, to: str = "user_1", until: datetime | None = None, code: str = "CREDITS"
    ) -> Entitlement:
        product = self.product(code)
        done = operators.grant(
            to, product, until=until, units=units, actor=None, reason="a gift", request_id=uuid4().hex
        )
        return done.row

    def give_many(self, units: Sequence[int], *, subjects: int) -> None:
        """To each of ``user_0``, ``user_1`` … a pack of each size, oldest first; written at once."""
        product, now = self.product(), self.double.now
        owners = Subject.objects.bulk_create(
            Subject(mode="test", subject_ref=f"user_{number}") for number in range(subjects)
        )
        made = [
            Entitlement(
                mode="test",
                subject=owner,
                subject_ref=owner.subject_ref,
                product=product,
                source_id=f"gift_{owner.pk}_{number}",
                status="active",
                grants_access=True,
            )
            for owner in owners
            for number in range(len(units))
        ]
        sizes = [*units] * subjects
        for row, size in zip(made, sizes, strict=True):
            row.pack = packs.new(row)
            row.pack.units_granted = row.pack.units_remaining = size
        Pack.objects.bulk_create(row.pack for row in made if row.pack is not None)
        Entitlement.objects.bulk_create(made)
        audit = AuditContext(reason="a gift", source="portal")
        for pack in Pack.objects.order_by("pk"):
            entries.record_change(pack, {}, audit=audit, at=now)
