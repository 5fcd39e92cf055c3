from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.models.base import StripeId, mode_check, mode_field, new_change_id
from licenzy_django.models.catalog import Product
from licenzy_django.models.subject import Subject


class SubscriptionChange(models.Model):
    """One change of a subscription that was asked for. It is the idempotency record of the request that made it.

    What Stripe is asked is frozen before Stripe is called: a retry sends the same bytes with the same keys.
    """

    class Verb(models.TextChoices):
        CHANGE = "change", _("change")
        CANCEL = "cancel", _("cancel")
        RESUME = "resume", _("resume")

    class Status(models.TextChoices):
        CREATED = "created", _("created")
        DONE = "done", _("done")
        FAILED = "failed", _("refused by Stripe")
        SUPERSEDED = "superseded", _("given up")

    public_id = models.CharField(_("id"), max_length=40, default=new_change_id, editable=False)
    mode = mode_field()
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="+", verbose_name=_("subject"))
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", verbose_name=_("product"))
    verb = models.CharField(_("what is done"), max_length=6, choices=Verb.choices)
    asked = models.JSONField(_("what was asked for"), default=dict)

    idempotency_key = models.CharField(_("idempotency key"), max_length=255)
    fingerprint = models.CharField(max_length=64, editable=False)
    leased_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("While a request is talking to Stripe about it.")
    )
    steps = models.JSONField(
        _("what Stripe is asked"), default=list, help_text=_("Frozen before the first call. Empty means nothing yet.")
    )
    frozen_at = models.DateTimeField(null=True, blank=True, editable=False)

    stripe_subscription_id = StripeId(verbose_name=_("subscription"))
    stripe_schedule_id = StripeId(verbose_name=_("schedule"))
    stripe_invoice_id = StripeId(verbose_name=_("invoice to be paid"))

    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.CREATED)
    outcome = models.CharField(_("answer"), max_length=20, blank=True, default="")
    effective_at = models.DateTimeField(_("takes effect at"), null=True, blank=True)
    taken_back_at = models.DateTimeField(
        _("taken back at"), null=True, blank=True, help_text=_("Of a scheduled change. Empty means never.")
    )
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("change of a subscription")
        verbose_name_plural = _("changes of subscriptions")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["public_id", "mode"], name="licenzy_subchange_public_id"),
            models.UniqueConstraint(
                fields=["idempotency_key", "verb", "mode"],
                condition=~Q(status="failed"),
                name="licenzy_subchange_key",
            ),
            models.UniqueConstraint(
                fields=["stripe_subscription_id", "mode"],
                condition=Q(status="created"),
                name="licenzy_subchange_one_at_a_time",
            ),
            mode_check("licenzy_subchange_mode"),
        ]
        indexes = [
            models.Index(fields=["stripe_subscription_id"], name="licenzy_subchange_of"),
            models.Index(
                fields=["stripe_schedule_id"], condition=~Q(stripe_schedule_id=""), name="licenzy_subchange_schedule"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
