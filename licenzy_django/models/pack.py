from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.clock import NEVER
from licenzy_django.models.base import mode_check, mode_field
from licenzy_django.models.catalog import Product
from licenzy_django.models.product_units import DEFAULT_UNIT
from licenzy_django.models.subject import Subject

if TYPE_CHECKING:
    from licenzy_django.models.entitlement import Entitlement

ROLLOVER = ":rollover"
"""Ends the ``window_key`` of the part of a window that stays usable after it."""
UNIT_COLUMNS = (
    "units_granted",
    "units_consumed",
    "units_reserved",
    "units_voided",
    "units_remaining",
    "units_adjusted",
)


def is_rollover(window_key: str) -> bool:
    """Whether it names the part of a window that stays usable after it."""
    return window_key.endswith(ROLLOVER)


class Pack(models.Model):
    """Units that end together: those of a usage pack, or of one window of a subscription's allowance.

    Taking units locks and updates nothing but packs, so its row is short, and no column that taking changes is in an
    index. ``is_void`` is what the facts say; ``not_before`` and ``available_until`` do the rest by the clock.
    """

    mode = mode_field()
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="packs", verbose_name=_("subject"))
    # Repeated from the subject so that units are taken by one index without a join.
    subject_ref = models.CharField(_("subject ref"), max_length=255, editable=False)
    product = models.ForeignKey(
        Product, models.PROTECT, related_name="packs", db_index=False, verbose_name=_("product")
    )
    unit = models.CharField(_("unit"), max_length=64, default=DEFAULT_UNIT)
    source_id = models.CharField(_("rests on"), max_length=255, help_text=_("A subscription, a session, or a grant."))
    allowance_of = models.ForeignKey(
        "licenzy.Entitlement",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="windows",
        db_index=False,
        verbose_name=_("allowance of"),
        help_text=_("Of a window: the subscription that it belongs to."),
    )
    window_key = models.CharField(
        _("window"), max_length=64, blank=True, default="", help_text=_("Which window of the subscription it is.")
    )

    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    ends_at = models.DateTimeField(_("ends at"), null=True, blank=True, help_text=_("What ends first is used first."))
    not_before = models.DateTimeField(null=True, blank=True, help_text=_("Empty means at once."))
    available_until = models.DateTimeField(default=NEVER, help_text=_("The year 9000 means without end."))
    is_void = models.BooleanField(_("is void"), default=False)

    units_paid = models.PositiveBigIntegerField(
        _("units paid"),
        null=True,
        blank=True,
        help_text=_("Of a window: what its paid lines grant now. It may have granted more before."),
    )
    units_granted = models.PositiveBigIntegerField(_("units granted"), default=0)
    units_consumed = models.PositiveBigIntegerField(_("units consumed"), default=0)
    units_reserved = models.PositiveBigIntegerField(_("units reserved"), default=0)
    units_voided = models.PositiveBigIntegerField(_("units voided"), default=0)
    units_remaining = models.PositiveBigIntegerField(_("units remaining"), default=0)
    units_adjusted = models.BigIntegerField(
        _("units adjusted"), default=0, help_text=_("By operators; part of the units granted.")
    )
    reserved_until = models.DateTimeField(
        _("reserved until"), null=True, blank=True, help_text=_("The earliest end of what is reserved of it.")
    )

    announced_percent = models.PositiveSmallIntegerField(
        _("announced per cent"),
        null=True,
        blank=True,
        help_text=_("The highest threshold of use that was announced since it began. Empty means none."),
    )

    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("pack of units")
        verbose_name_plural = _("packs of units")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["source_id", "mode", "unit", "window_key"], name="licenzy_pack_once"),
            models.CheckConstraint(
                condition=Q(
                    units_granted=F("units_consumed") + F("units_reserved") + F("units_voided") + F("units_remaining")
                ),
                name="licenzy_pack_units_conserved",
                violation_error_message=_("granted = consumed + reserved + voided + remaining."),
            ),
            models.CheckConstraint(
                condition=Q(units_reserved=0, reserved_until=None)
                | Q(units_reserved__gt=0, reserved_until__isnull=False),
                name="licenzy_pack_reserved_until",
            ),
            mode_check("licenzy_pack_mode"),
        ]
        # The end comes last, so that what is over costs nothing.
        indexes = [models.Index(fields=["subject_ref", "mode", "available_until"], name="licenzy_pack_live")]

    def __str__(self) -> str:
        return f"{self.owner} {self.window_key}".strip()

    @property
    def owner(self) -> Entitlement:
        """The entitlement that it belongs to."""
        return self.allowance_of or self.entitlement
