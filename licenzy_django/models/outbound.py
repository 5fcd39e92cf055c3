"""Outbound events: what happened, which endpoints want it, and how far each delivery has come."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.encryption import seal
from licenzy_django.models.base import mode_check, mode_field, new_outbound_event_id


class EventType(models.TextChoices):
    """What can be published. The names are part of the contract, so they are not translated."""

    PURCHASE_FINALIZED = "purchase.finalized", "purchase.finalized"
    ENTITLEMENT_UPDATED = "entitlement.updated", "entitlement.updated"
    USAGE_CONSUMED = "usage.consumed", "usage.consumed"
    USAGE_THRESHOLD_REACHED = "usage.threshold_reached", "usage.threshold_reached"
    SUBSCRIPTION_UPDATED = "subscription.updated", "subscription.updated"
    SUBSCRIPTION_DELETED = "subscription.deleted", "subscription.deleted"
    INVOICE_PAYMENT_SUCCEEDED = "invoice.payment_succeeded", "invoice.payment_succeeded"
    INVOICE_PAYMENT_FAILED = "invoice.payment_failed", "invoice.payment_failed"
    SUBSCRIPTION_TRIAL_WILL_END = "subscription.trial_will_end", "subscription.trial_will_end"


def every_event() -> list[str]:
    return []


class OutboundEndpoint(models.Model):
    """A system that receives events, with the secrets that sign them.

    The secrets are encrypted where the host gives ``ENCRYPTION_KEYS``, in clear otherwise. They are in no form,
    ``repr``, log or export; ``outbound.endpoints`` gives each away once, when it is made, and ``secrets_of`` reads it.
    """

    mode = mode_field()
    url = models.CharField(_("URL"), max_length=2000, help_text=_("https://…, reachable from the internet."))
    description = models.CharField(
        _("description"), max_length=200, blank=True, default="", help_text=_("Which system listens there.")
    )
    events = models.JSONField(
        _("events"),
        default=every_event,
        blank=True,
        help_text=_('For example ["entitlement.updated"]. Empty means all.'),
    )
    secret = models.CharField(max_length=300, editable=False)
    previous_secret = models.CharField(max_length=300, blank=True, default="", editable=False)
    previous_secret_until = models.DateTimeField(
        _("previous secret until"), null=True, blank=True, editable=False, help_text=_("Both secrets sign until then.")
    )
    is_active = models.BooleanField(_("is active"), default=True)
    disabled_reason = models.CharField(_("disabled reason"), max_length=200, blank=True, default="")
    first_failed_at = models.DateTimeField(
        _("failing since"), null=True, blank=True, editable=False, help_text=_("Empty means: the last try succeeded.")
    )
    resting_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("It did not answer, or asked for a pause.")
    )
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), default=clock.now, editable=False)
    request_id = models.CharField(max_length=40, blank=True, default="", editable=False)

    class Meta:
        verbose_name = _("outbound endpoint")
        verbose_name_plural = _("outbound endpoints")
        ordering = ["-id"]
        constraints = [
            mode_check("licenzy_endpoint_mode"),
            models.UniqueConstraint(
                fields=["request_id", "mode"], condition=~Q(request_id=""), name="licenzy_endpoint_once"
            ),
        ]

    def __str__(self) -> str:
        """Without the query, where people put tokens."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"

    def save(self, **kwargs: Any) -> None:
        self.secret, self.previous_secret = seal(self.secret), seal(self.previous_secret)
        super().save(**kwargs)

    def wants(self, event_type: str) -> bool:
        return not self.events or event_type in self.events


class OutboundEvent(models.Model):
    """One real change: written in its transaction, once, and only if an endpoint wants it."""

    public_id = models.CharField(_("id"), max_length=40, default=new_outbound_event_id, editable=False)
    mode = mode_field()
    type = models.CharField(_("type"), max_length=40, choices=EventType.choices)
    subject_ref = models.CharField(_("subject ref"), max_length=255)
    payload: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(_("payload"))
    dedup_key = models.CharField(
        max_length=300, blank=True, default="", editable=False, help_text=_("What may be told only once.")
    )
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)

    class Meta:
        verbose_name = _("outbound event")
        verbose_name_plural = _("outbound events")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["public_id", "mode"], name="licenzy_outbound_public_id"),
            models.UniqueConstraint(
                fields=["dedup_key", "mode"], condition=~Q(dedup_key=""), name="licenzy_outbound_once"
            ),
            mode_check("licenzy_outbound_mode"),
        ]
        indexes = [models.Index(fields=["subject_ref", "mode"], name="licenzy_outbound_subject")]

    def __str__(self) -> str:
        return f"{self.type} {self.public_id}"


class Wakeup(models.Model):
    """A moment for which a task was asked for, so that each is asked for once. Gone when the task begins.

    Of no mode: one task sends what is due in both.
    """

    at = models.DateTimeField(unique=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.at.isoformat()


class Delivery(models.Model):
    """One event on its way to one endpoint."""

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        FAILED = "failed", _("failed, will be tried again")
        DEAD = "dead", _("dead")
        SENT = "sent", _("sent")

    mode = mode_field()
    # The unique constraint below begins with the event, so a second index on it would be idle.
    event = models.ForeignKey(
        OutboundEvent, models.CASCADE, related_name="deliveries", verbose_name=_("event"), db_index=False
    )
    endpoint = models.ForeignKey(
        OutboundEndpoint, models.CASCADE, related_name="deliveries", verbose_name=_("endpoint")
    )
    status = models.CharField(_("status"), max_length=7, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    last_status = models.PositiveSmallIntegerField(
        _("last HTTP status"), null=True, blank=True, help_text=_("Empty means: no answer came.")
    )
    last_error = models.CharField(_("last error"), max_length=300, blank=True, default="")
    next_try_at = models.DateTimeField(_("next try at"), default=clock.now)
    leased_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text=_("While a worker has it in hand.")
    )
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["event", "endpoint"], name="licenzy_delivery_once"),
            models.CheckConstraint(
                condition=Q(status="sent", sent_at__isnull=False) | (~Q(status="sent") & Q(sent_at=None)),
                name="licenzy_delivery_sent_at",
            ),
            mode_check("licenzy_delivery_mode"),
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"], condition=Q(status__in=["pending", "failed"]), name="licenzy_delivery_due"
            )
        ]

    def __str__(self) -> str:
        return f"{self.status}, {self.attempts} tries"
