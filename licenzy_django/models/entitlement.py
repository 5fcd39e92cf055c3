from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.models.base import StripeId, mode_check, mode_field, new_entitlement_id
from licenzy_django.models.catalog import Product, no_features
from licenzy_django.models.checkout import CheckoutAttempt
from licenzy_django.models.limits import no_limits
from licenzy_django.models.pack import Pack
from licenzy_django.models.subject import Subject


class Status(models.TextChoices):
    """The commercial state as the facts have it. ``expired`` is never stored: the clock says it."""

    ACTIVE = "active", _("active")
    TRIALING = "trialing", _("trialing")
    PAST_DUE = "past_due", _("past due")
    SUSPENDED = "suspended", _("suspended")
    CANCELED = "canceled", _("canceled")
    EXPIRED = "expired", _("expired")


class Source(models.TextChoices):
    STRIPE = "stripe", _("Stripe")
    PORTAL = "portal", _("operator")
    RUNTIME = "runtime", _("API")


class Entitlement(models.Model):
    """What a subject may use, and the only thing that access is decided from.

    ``grants_access`` is what the facts say; ``not_before``, ``available_until``, ``revoked_at`` and the units left
    do the rest at the moment of the question, so that time needs no job.
    """

    public_id = models.CharField(_("id"), max_length=40, default=new_entitlement_id, editable=False)
    mode = mode_field()
    subject = models.ForeignKey(Subject, models.PROTECT, related_name="entitlements", verbose_name=_("subject"))
    # Repeated from the subject so that the access check is one indexed query without a join.
    subject_ref = models.CharField(_("subject ref"), max_length=255, editable=False)
    product = models.ForeignKey(Product, models.PROTECT, related_name="entitlements", verbose_name=_("product"))
    source = models.CharField(_("source"), max_length=8, choices=Source.choices, default=Source.STRIPE)
    source_id = models.CharField(_("rests on"), max_length=255, help_text=_("A subscription, a session, or a grant."))
    attempt = models.ForeignKey(
        CheckoutAttempt, models.PROTECT, null=True, blank=True, related_name="entitlements", verbose_name=_("attempt")
    )
    stripe_price_id = StripeId(verbose_name=_("Stripe price"))
    quantity = models.PositiveIntegerField(_("quantity"), default=1)

    features = models.JSONField(
        _("features"),
        default=no_features,
        blank=True,
        help_text=_("As sold. A subscription gives what the catalog has added since, too."),
    )
    limits = models.JSONField(
        _("limits"),
        default=no_limits,
        blank=True,
        help_text=_("As sold. A subscription gives what the catalog has added since, too."),
    )
    status = models.CharField(_("status"), max_length=9, choices=Status.choices)
    status_reason = models.CharField(_("reason"), max_length=20, blank=True, default="")
    grants_access = models.BooleanField(_("grants access"), default=False)
    starts_at = models.DateTimeField(_("starts at"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires at"), null=True, blank=True)
    current_period_end = models.DateTimeField(_("current period end"), null=True, blank=True)
    cancel_at = models.DateTimeField(_("cancel at"), null=True, blank=True)
    trial_ends_at = models.DateTimeField(_("trial ends at"), null=True, blank=True)
    changes_at = models.DateTimeField(
        _("changes at"), null=True, blank=True, help_text=_("By the subscription's schedule. Empty means: no change.")
    )
    changes_to = models.CharField(
        _("changes to"), max_length=64, blank=True, default="", help_text=_("The product's code. Empty means: nothing.")
    )
    changes_quantity = models.PositiveIntegerField(_("changes to the quantity"), null=True, blank=True)
    canceled_at = models.DateTimeField(_("canceled at"), null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True, help_text=_("Of stacked passes. Empty means at once."))
    available_until = models.DateTimeField(null=True, blank=True, help_text=_("Empty means without end."))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True, help_text=_("By an operator."))

    pack = models.OneToOneField(
        Pack,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="entitlement",
        verbose_name=_("pack"),
        help_text=_("The units of a usage pack."),
    )

    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("entitlement")
        verbose_name_plural = _("entitlements")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["public_id", "mode"], name="licenzy_entitlement_public_id"),
            models.UniqueConstraint(fields=["source_id", "product", "mode"], name="licenzy_entitlement_once"),
            models.CheckConstraint(condition=~Q(status="expired"), name="licenzy_entitlement_expiry_by_clock"),
            mode_check("licenzy_entitlement_mode"),
        ]
        indexes = [models.Index(fields=["subject_ref", "mode"], name="licenzy_entitlement_gate")]

    def __str__(self) -> str:
        return self.public_id

    @property
    def features_now(self) -> list[str]:
        """What it gives: reads the product."""
        return self.product.rules.features(self.features, self.product.features)

    @property
    def limits_now(self) -> dict[str, int | None]:
        """How many of what it gives, None for unlimited: reads the product."""
        product = self.product
        return product.rules.limits(self.limits, product.limits, self.quantity, is_add_on=product.is_add_on)

    @property
    def kind(self) -> str:
        return self.product.kind

    @property
    def may_have_allowance(self) -> bool:
        """Whether its product includes units, or did. Reads the product."""
        return self.product.is_recurring and bool(self.product.unit)

    @property
    def units_granted(self) -> int:
        """Of its pack; 0 for what is none."""
        return self.pack.units_granted if self.pack else 0

    @property
    def units_remaining(self) -> int:
        """Of its pack; 0 for what is none."""
        return self.pack.units_remaining if self.pack else 0

    @property
    def reserved_until(self) -> datetime | None:
        """Of its pack."""
        return self.pack.reserved_until if self.pack else None


class EntitlementChange(models.Model):
    """History: what changed, when, why, and from which Stripe event or by which operator. Only ever added to."""

    mode = mode_field()
    entitlement = models.ForeignKey(Entitlement, models.CASCADE, related_name="changes", verbose_name=_("entitlement"))
    at = models.DateTimeField(_("at"), default=clock.now)
    reason = models.CharField(_("reason"), max_length=40)
    source = models.CharField(_("source"), max_length=8, choices=Source.choices)
    stripe_event_id = StripeId(verbose_name=_("Stripe event"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("operator")
    )
    note = models.TextField(_("note"), blank=True, default="")
    before = models.JSONField(_("before"), default=dict, help_text=_("The fields that changed. Empty means: is new."))
    after = models.JSONField(_("after"), default=dict)

    class Meta:
        verbose_name = _("entitlement change")
        verbose_name_plural = _("entitlement history")
        ordering = ["-id"]
        constraints = [mode_check("licenzy_change_mode")]

    def __str__(self) -> str:
        return f"{self.reason} {self.at:%Y-%m-%d %H:%M}"
