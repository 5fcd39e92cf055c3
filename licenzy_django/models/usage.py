from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.models.base import mode_check, mode_field, new_reservation_id
from licenzy_django.models.entitlement import Source
from licenzy_django.models.pack import Pack
from licenzy_django.models.subject import Subject

MOST_UNITS = models.BigIntegerField.MAX_BIGINT
"""What a column of units holds. Where packs have more together, an answer says this."""


def total(numbers: Iterable[int]) -> int:
    """Units of many packs, added up here, since a database's own sum of large packs overflows."""
    return min(sum(numbers), MOST_UNITS)


class Reservation(models.Model):
    """Units set aside for work whose cost is known only afterwards.

    Which packs they come from stands in its ``reserve`` rows of the ledger. Its answer is kept, so that the same
    confirm or release again is answered the same.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        CONFIRMED = "confirmed", _("confirmed")
        RELEASED = "released", _("released")
        EXPIRED = "expired", _("expired")

    public_id = models.CharField(_("id"), max_length=40, default=new_reservation_id, editable=False)
    mode = mode_field()
    # Without a foreign key in the database: its check would lock the subject while packs are locked, and whoever
    # rebuilds the subject locks the two in the other order.
    subject = models.ForeignKey(
        Subject,
        models.PROTECT,
        related_name="reservations",
        db_index=False,
        db_constraint=False,
        verbose_name=_("subject"),
    )
    product_code = models.CharField(
        _("product code"), max_length=64, blank=True, default="", help_text=_("Empty means: of any pack.")
    )
    units = models.PositiveBigIntegerField(_("units"))
    status = models.CharField(_("status"), max_length=9, choices=Status.choices, default=Status.OPEN)
    units_confirmed = models.PositiveBigIntegerField(_("units confirmed"), null=True, blank=True)
    usage_remaining = models.PositiveBigIntegerField(
        _("usage remaining"), null=True, blank=True, help_text=_("Of the subject, as it was answered at the end.")
    )
    expires_at = models.DateTimeField(_("expires at"))
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True)

    class Meta:
        verbose_name = _("reservation")
        verbose_name_plural = _("reservations")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["public_id", "mode"], name="licenzy_reservation_public_id"),
            models.CheckConstraint(
                condition=Q(units__gte=1) & (Q(units_confirmed=None) | Q(units_confirmed__lte=models.F("units"))),
                name="licenzy_reservation_units",
                violation_error_message=_("No more can be confirmed than was reserved."),
            ),
            models.CheckConstraint(
                condition=Q(status="confirmed", units_confirmed__isnull=False)
                | (~Q(status="confirmed") & Q(units_confirmed=None)),
                name="licenzy_reservation_confirmed",
            ),
            mode_check("licenzy_reservation_mode"),
        ]
        indexes = [models.Index(fields=["subject", "status", "expires_at"], name="licenzy_reservation_open")]

    def __str__(self) -> str:
        return self.public_id

    def is_open_at(self, at: datetime) -> bool:
        """Whether it can still be confirmed: not once its time is over, whether or not that was written down."""
        return self.status == self.Status.OPEN and at < self.expires_at


class LedgerEntry(models.Model):
    """One movement of units of one pack. Only ever added to; its first row is also the record of a key.

    ``units`` is how many moved, never negative but for a grant or an adjustment that takes away, and 0 only for a
    refund that found nothing to give back. In the order of the ids, ``balance_after`` is what the pack had left to use
    after each row.
    """

    class Kind(models.TextChoices):
        GRANT = "grant", _("grant")
        CONSUME = "consume", _("consume")
        RESERVE = "reserve", _("reserve")
        CONFIRM = "confirm", _("confirm")
        RELEASE = "release", _("release")
        EXPIRE = "expire", _("expire")
        VOID = "void", _("void")
        RESTORE = "restore", _("restore")
        ADJUST = "adjust", _("adjust")
        REFUND = "refund", _("refund")

    mode = mode_field()
    # Without a foreign key in the database, as in Reservation.
    subject = models.ForeignKey(
        Subject,
        models.PROTECT,
        related_name="ledger",
        db_index=False,
        db_constraint=False,
        verbose_name=_("subject"),
    )
    pack = models.ForeignKey(Pack, models.PROTECT, related_name="ledger", db_index=False, verbose_name=_("pack"))
    kind = models.CharField(_("kind"), max_length=7, choices=Kind.choices)
    units = models.BigIntegerField(_("units"))
    balance_after = models.PositiveBigIntegerField(_("balance after"), help_text=_("What the pack had left to use."))
    actions: models.JSONField[Any, Any] = models.JSONField(
        _("actions"),
        null=True,
        blank=True,
        help_text=_("On the first row of a consume that named actions: how often each was done, and its rate then."),
    )
    idempotency_key = models.CharField(  # noqa: DJ001
        _("idempotency key"),
        max_length=255,
        null=True,
        blank=True,
        help_text=_("On the first row of what was asked with it. Empty values are not unique, so they are null."),
    )
    part_of = models.CharField(  # noqa: DJ001
        _("part of"),
        max_length=255,
        null=True,
        blank=True,
        help_text=_("On the further rows of a consume over several packs: the key on its first one."),
    )
    fingerprint = models.CharField(max_length=64, blank=True, default="", editable=False)
    usage_remaining = models.PositiveBigIntegerField(
        _("usage remaining"), null=True, blank=True, help_text=_("Of the subject: the answer that a replay repeats.")
    )
    units_refunded = models.PositiveBigIntegerField(
        _("units refunded"),
        null=True,
        blank=True,
        help_text=_("Of a refund with its key: how many could be used again. A replay repeats it."),
    )
    consumption = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="refunds",
        db_index=False,
        verbose_name=_("consumption"),
        help_text=_("Of a refund: the row that it gives back."),
    )
    reservation = models.ForeignKey(
        Reservation,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="ledger",
        db_index=False,
        verbose_name=_("reservation"),
    )
    source = models.CharField(_("source"), max_length=8, choices=Source.choices, default=Source.RUNTIME)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        verbose_name=_("operator"),
    )
    reason = models.CharField(_("reason"), max_length=500, blank=True, default="")
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["idempotency_key", "kind", "mode"], name="licenzy_ledger_once"),
            models.CheckConstraint(
                condition=Q(units__gt=0)
                | (Q(kind__in=["grant", "adjust"]) & ~Q(units=0))
                | Q(kind="refund", units=0, usage_remaining__isnull=False),
                name="licenzy_ledger_units",
                violation_error_message=_("Only a grant or an adjustment may take units away."),
            ),
            models.CheckConstraint(
                condition=Q(idempotency_key=None) | Q(usage_remaining__isnull=False),
                name="licenzy_ledger_answer",
                violation_error_message=_("A row with a key keeps the answer."),
            ),
            models.CheckConstraint(
                condition=~Q(kind="refund")
                | (
                    Q(consumption__isnull=False)
                    & (Q(usage_remaining=None, units_refunded=None) | Q(units_refunded__isnull=False))
                ),
                name="licenzy_ledger_refund",
                violation_error_message=_("A refund names the row that it gives back."),
            ),
            mode_check("licenzy_ledger_mode"),
        ]
        indexes = [
            models.Index(fields=["subject", "id"], name="licenzy_ledger_subject"),
            models.Index(
                fields=["reservation"], condition=Q(reservation__isnull=False), name="licenzy_ledger_reservation"
            ),
            models.Index(
                fields=["consumption"], condition=Q(consumption__isnull=False), name="licenzy_ledger_consumption"
            ),
            models.Index(fields=["part_of"], condition=Q(part_of__isnull=False), name="licenzy_ledger_part_of"),
            models.Index(fields=["actor"], condition=Q(actor__isnull=False), name="licenzy_ledger_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.units}"

    def save(self, **kwargs: Any) -> None:
        """Add the row. Raises TypeError for one that is already there."""
        if not self._state.adding:
            raise TypeError("The ledger is only ever added to.")
        super().save(force_insert=True, **{name: given for name, given in kwargs.items() if name == "using"})
