from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.models.base import StripeId, mode_check, mode_field
from licenzy_django.models.subject import Subject

WRONG_MODE = "the event's livemode is not the mode of the secret"
"""The outcome of an event whose webhook secret stands in the settings under the other mode."""


class StripeEvent(models.Model):
    """The webhook inbox: each event once, with what became of it.

    The primary key is also the fetch sequence of the event: a fetch from Stripe that began after the row was inserted
    has seen every change that an event with a smaller key reports.
    """

    class Status(models.TextChoices):
        RECEIVED = "received", _("received")
        PROCESSED = "processed", _("processed")
        IGNORED = "ignored", _("ignored")
        FAILED = "failed", _("failed")

    mode = mode_field()
    event_id = models.CharField(_("event"), max_length=255)
    type = models.CharField(_("type"), max_length=100)
    api_version = models.CharField(_("API version"), max_length=40, blank=True, default="")
    object_id = StripeId(verbose_name=_("object"))
    occurred_at = models.DateTimeField(_("occurred at"), help_text=_("Stripe's time of the event, whole seconds."))
    received_at = models.DateTimeField(_("received at"), default=clock.now)
    payload = models.JSONField(
        _("payload"), null=True, blank=True, help_text=_("Without personal data. Empty means pruned.")
    )
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.RECEIVED)
    outcome = models.CharField(_("outcome"), max_length=200, blank=True, default="")
    error = models.TextField(_("error"), blank=True, default="")
    tries = models.PositiveIntegerField(_("tries"), default=1)
    processed_at = models.DateTimeField(_("processed at"), null=True, blank=True)
    subject = models.ForeignKey(
        Subject, models.SET_NULL, null=True, blank=True, related_name="stripe_events", verbose_name=_("subject")
    )

    class Meta:
        verbose_name = _("Stripe event")
        verbose_name_plural = _("Stripe events")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["event_id", "mode"], name="licenzy_event_once"),
            mode_check("licenzy_event_mode"),
        ]
        indexes = [
            models.Index(
                fields=["status", "id"],
                condition=Q(status__in=["received", "failed"]),
                name="licenzy_event_unfinished",
            ),
            models.Index(fields=["mode"], condition=Q(outcome=WRONG_MODE), name="licenzy_event_wrong_mode"),
            models.Index(fields=["object_id"], condition=~Q(object_id=""), name="licenzy_event_object"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class StripeFact(models.Model):
    """What Stripe said of one of its objects, in our own words, keyed by Stripe's object id.

    Entitlements are derived from these rows and from nothing else of Stripe's. The link columns are how a refund
    finds its purchase or its subscription, whichever of them arrived first.
    """

    mode = mode_field()
    stripe_id = models.CharField(_("Stripe id"), max_length=255)
    object = models.CharField(_("object"), max_length=40)
    state = models.JSONField(_("state"), default=dict)
    subject = models.ForeignKey(
        Subject, models.CASCADE, null=True, blank=True, related_name="stripe_facts", verbose_name=_("subject")
    )
    customer_id = StripeId()
    subscription_id = StripeId()
    invoice_id = StripeId()
    payment_intent_id = StripeId()
    charge_id = StripeId()
    fetch_sequence = models.PositiveBigIntegerField(
        default=0, editable=False, help_text=_("Of fetched objects: the inbox row whose fetch was kept.")
    )
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("Stripe fact")
        verbose_name_plural = _("Stripe facts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["stripe_id", "mode"], name="licenzy_fact_once"),
            mode_check("licenzy_fact_mode"),
        ]
        indexes = [
            models.Index(fields=[link], condition=~Q(**{link: ""}), name=f"licenzy_fact_{name}")
            for link, name in [
                ("customer_id", "customer"),
                ("subscription_id", "subscription"),
                ("invoice_id", "invoice"),
                ("payment_intent_id", "payment"),
                ("charge_id", "charge"),
            ]
        ] + [models.Index(fields=["subject"], condition=Q(object="trial"), name="licenzy_fact_trial")]

    def __str__(self) -> str:
        return self.stripe_id
