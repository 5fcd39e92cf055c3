"""Packs for the tests of units."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings

from licenzy_django import operators
from licenzy_django.ledger import entries, packs
from licenzy_django.models import Entitlement, Pack, Product, Subject
from licenzy_django.models.audit import AuditContext
from licenzy_django.models.pack import ROLLOVER
from licenzy_django.testing import StripeDouble, entitled

ON_POSTGRESQL = settings.DATABASES["default"]["ENGINE"].endswith("postgresql")


class Shelf:
    """Packs, given by an operator: the quickest way to have some."""

    def __init__(self, double: StripeDouble) -> None:
        self.double = double

    def product(self, code: str = "CREDITS", unit: str = "credits") -> Product:
        found = Product.objects.filter(mode="test", code=code).first()
        return found or self.double.sell(code, kind="usage_pack", units=100, unit=unit)

    def give(
        self,
        units: int,
        *,
        to: str = "user_1",
        until: datetime | None = None,
        code: str = "CREDITS",
        unit: str = "credits",
    ) -> Entitlement:
        product = self.product(code, unit)
        done = operators.grant(
            to, product, until=until, units=units, actor=None, reason="a gift", request_id=uuid4().hex
        )
        return done.row

    def plan(self, code: str = "PRO", *, to: str = "user_1", unit: str = "credits") -> Entitlement:
        """A subscription that includes units. It is granted, so that no window comes with it."""
        if not Product.objects.filter(mode="test", code=code).exists():
            self.double.sell(code, units=1000, unit=unit)
        return entitled(to, code)

    def window(
        self,
        of: Entitlement,
        units: int = 1000,
        *,
        day: int = 0,
        days: int = 30,
        rolls_for: int | None = None,
        used: int = 0,
        is_void: bool = False,
    ) -> Pack:
        """A window of a subscription's allowance, or the part of it that stays usable after it.

        Args:
            day: on which it begins, from today.
            days: how long the window is.
            rolls_for: of the part that rolls over, for how many more days.
        """
        starts_at = self.double.now + timedelta(days=day)
        ends_at = starts_at + timedelta(days=days + (rolls_for or 0))
        pack = packs.new(of, of.product.unit)
        pack.allowance_of = of
        pack.window_key = f"month:{int(starts_at.timestamp())}{'' if rolls_for is None else ROLLOVER}"
        pack.starts_at, pack.not_before = starts_at, starts_at
        pack.ends_at = pack.available_until = ends_at
        packs.set_granted(pack, units)
        pack.is_void = is_void
        if is_void:
            packs.void(pack)
        pack.save()
        entries.record_change(pack, {}, audit=AuditContext(reason="allowance"), at=self.double.now)
        if used:
            self.use(pack, used)
        return pack

    def use(self, pack: Pack, units: int) -> None:
        pack.units_consumed += units
        pack.units_remaining -= units
        pack.save()
        [row] = entries.entries(pack, pack.units_remaining + units, [(entries.Kind.CONSUME, units)])
        row.save()

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
            row.pack = packs.new(row, row.product.unit)
            row.pack.units_granted = row.pack.units_remaining = size
        Pack.objects.bulk_create(row.pack for row in made if row.pack is not None)
        Entitlement.objects.bulk_create(made)
        audit = AuditContext(reason="a gift", source="portal")
        for pack in Pack.objects.order_by("pk"):
            entries.record_change(pack, {}, audit=audit, at=now)
