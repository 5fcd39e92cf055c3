from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.models.base import StripeId, mode_check, mode_field, new_subject_id


class Subject(models.Model):
    """Who buys and uses, known by the opaque ``subject_ref`` that the host chose.

    The row is also the lock under which everything about this subject is rebuilt, one at a time.
    """

    public_id = models.CharField(max_length=40, default=new_subject_id, editable=False)
    mode = mode_field()
    subject_ref = models.CharField(_("subject ref"), max_length=255)
    stripe_customer_id = StripeId(
        verbose_name=_("Stripe customer"), help_text=_("Empty means: made with the next checkout.")
    )
    customer_number = models.PositiveIntegerField(
        default=1, editable=False, help_text=_("Counts the Stripe customers made, since one can be deleted there.")
    )
    has_unknown_prices = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("subject")
        verbose_name_plural = _("subjects")
        ordering = ["-id"]
        permissions = [
            ("look", _("Can look at every subject and at the health page")),
            ("support", _("Can support subjects: everything that their pages offer")),
            ("configure", _("Can configure: products, API keys, endpoints")),
        ]
        constraints = [
            models.UniqueConstraint(fields=["public_id", "mode"], name="licenzy_subject_public_id"),
            models.UniqueConstraint(fields=["subject_ref", "mode"], name="licenzy_subject_ref"),
            models.UniqueConstraint(
                fields=["stripe_customer_id", "mode"],
                condition=~Q(stripe_customer_id=""),
                name="licenzy_subject_customer",
                violation_error_message=_("Another subject has this Stripe customer."),
            ),
            mode_check("licenzy_subject_mode"),
        ]

    def __str__(self) -> str:
        return self.subject_ref
