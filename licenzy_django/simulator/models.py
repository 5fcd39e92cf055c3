"""Where the simulated Stripe of the demo keeps its things."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class Account(models.Model):
    """The one row that is locked by every change, and the clock: real time plus ``skipped_seconds``."""

    skipped_seconds = models.BigIntegerField(default=0, help_text="How far this clock is ahead of the real one.")
    turn = models.BigIntegerField(default=0, help_text="Counts the changes; updating it takes the lock.")

    def __str__(self) -> str:
        return f"Simulated account, {self.skipped_seconds} s ahead"


class Thing(models.Model):
    """Any object of Stripe's except an event."""

    livemode = models.BooleanField()
    kind = models.CharField(max_length=60)
    stripe_id = models.CharField(max_length=120)
    body = models.JSONField()
    due_at = models.BigIntegerField(null=True, help_text="Unix time at which time alone changes it; empty means never.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["livemode", "kind", "stripe_id"], name="licenzy_simulator_thing_unique"),
        ]
        indexes = [
            models.Index(
                fields=["livemode", "due_at"], name="licenzy_sim_thing_due", condition=Q(due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.stripe_id


class Event(models.Model):
    """What was told, and whether it was heard."""

    livemode = models.BooleanField()
    stripe_id = models.CharField(max_length=120)
    type = models.CharField(max_length=80)
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)
    next_try_at = models.FloatField(help_text="Real Unix time; pushed ahead by whoever is delivering.")
    attempts = models.PositiveIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True)
    reached = models.JSONField(default=list, help_text="The endpoints that have answered 2xx.")
    last_status = models.PositiveIntegerField(null=True)
    last_error = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["livemode", "stripe_id"], name="licenzy_simulator_event_unique"),
        ]
        indexes = [
            models.Index(F("next_try_at"), name="licenzy_sim_event_waiting", condition=Q(delivered_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.stripe_id} {self.type}"


class SavedAnswer(models.Model):
    """What an idempotency key was answered with; no status while the first request is running."""

    livemode = models.BooleanField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveIntegerField(null=True)
    body = models.TextField(blank=True)
    request_id = models.CharField(max_length=60, blank=True)
    claimed_at = models.FloatField(help_text="Real Unix time.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["livemode", "key"], name="licenzy_simulator_answer_unique"),
        ]

    def __str__(self) -> str:
        return self.key
