from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.models.base import mode_check, mode_field
from licenzy_django.models.subject import Subject


class Seat(models.Model):
    """A seat of a subject, held by one of its members. Who got theirs first keeps it when there are fewer."""

    mode = mode_field()
    subject = models.ForeignKey(
        Subject, models.PROTECT, related_name="seats", db_index=False, verbose_name=_("subject")
    )
    member_ref = models.CharField(_("member ref"), max_length=255)
    assigned_at = models.DateTimeField(_("assigned at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("seat")
        verbose_name_plural = _("seats")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subject", "member_ref"],
                name="licenzy_seat_once",
                violation_error_message=_("This member has a seat already."),
            ),
            mode_check("licenzy_seat_mode"),
        ]
        indexes = [models.Index(fields=["subject", "id"], name="licenzy_seat_oldest")]

    def __str__(self) -> str:
        return self.member_ref
