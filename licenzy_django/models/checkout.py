from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.models.base import StripeId, mode_check, mode_field, new_attempt_id
from licenzy_django.models.catalog import Product
from licenzy_django.models.subject import Subject


class CheckoutAttempt(models.Model):
    """One try at buying. It is the idempotency record of the request that made it.

    ``terms`` and ``stripe_params`` are frozen before Stripe is called: a retry sends the same bytes, and a later
    change of the product does not change what was bought.
    """

    class Status(models.TextChoices):
        CREATED = "created", _("created")
        PENDING_PAYMENT = "pending_payment", _("pending payment")
        FINALIZED = "finalized", _("finalized")
        FAILED = "failed", _("failed")

    public_id = models.CharField(_("id"), max_length=40, default=new_attempt_id, editable=False)
    mode = mode_field()
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="attempts", verbose_name=_("subject"))
    product = models.ForeignKey(Product, models.PROTECT, related_name="+", verbose_name=_("product"))
    quantity = models.PositiveIntegerField(_("quantity"), default=1)
    terms = models.JSONField(_("terms"), default=dict, help_text=_("The product as it was when this began."))
    metadata = models.JSONField(
        _("metadata"), default=dict, blank=True, help_text=_("The host's own. Nothing is ever found by it.")
    )
    stripe_price_id = StripeId(verbose_name=_("Stripe price"))

    idempotency_key = models.CharField(_("idempotency key"), max_length=255)
    fingerprint = models.CharField(max_length=64, editable=False)
    page_slot = models.CharField(
        max_length=80, blank=True, default="", editable=False, help_text=_("Empty means: one of any number of pages.")
    )
    trial_days = models.PositiveIntegerField(_("trial in days"), default=0, help_text=_("0 means: without a trial."))
    trial_slot = models.CharField(
        max_length=80, blank=True, default="", editable=False, help_text=_("Empty means: one of any number of trials.")
    )
    leased_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("While a request is talking to Stripe about it.")
    )
    asked_at = models.DateTimeField(null=True, blank=True, editable=False)
    """When a customer's page last made us ask Stripe about it."""
    reopened_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("After Stripe found it wrong. Empty means: never.")
    )
    rejections = models.PositiveIntegerField(
        _("rejections"), default=0, editable=False, help_text=_("How often Stripe found it wrong before.")
    )
    stripe_params = models.JSONField(_("what Stripe is asked"), default=dict)
    stripe_session_id = StripeId(verbose_name=_("Stripe session"), help_text=_("Empty means no answer was kept."))
    checkout_url = models.TextField(_("checkout URL"), blank=True, default="")
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)

    status = models.CharField(_("status"), max_length=15, choices=Status.choices, default=Status.CREATED)
    failure_reason = models.CharField(_("failure reason"), max_length=100, blank=True, default="")
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    finalized_at = models.DateTimeField(_("finalized at"), null=True, blank=True)

    class Meta:
        verbose_name = _("checkout attempt")
        verbose_name_plural = _("checkout attempts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["public_id", "mode"], name="licenzy_attempt_public_id"),
            models.UniqueConstraint(fields=["idempotency_key", "mode"], name="licenzy_attempt_idempotency_key"),
            models.UniqueConstraint(
                fields=["stripe_session_id", "mode"],
                condition=~Q(stripe_session_id=""),
                name="licenzy_attempt_session",
            ),
            models.UniqueConstraint(
                fields=["subject", "page_slot"],
                condition=Q(status="created") & ~Q(page_slot=""),
                name="licenzy_attempt_one_page",
            ),
            models.UniqueConstraint(
                fields=["subject", "trial_slot"],
                condition=Q(status="created") & ~Q(trial_slot=""),
                name="licenzy_attempt_one_trial_page",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gte=1, quantity__lte=999_999),
                name="licenzy_attempt_quantity",
                violation_error_message=_("The quantity is 1 to 999,999."),
            ),
            mode_check("licenzy_attempt_mode"),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def frozen_at(self) -> datetime:
        """When what Stripe is asked was frozen."""
        return self.reopened_at or self.created_at

    def is_open(self, at: datetime) -> bool:
        """Whether its Checkout page can still be paid on, as far as we know."""
        return self.status == self.Status.CREATED and (self.expires_at is None or self.expires_at > at)
