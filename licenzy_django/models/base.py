"""What every row shares: a mode, and public ids that say what they name."""

from __future__ import annotations

import secrets
import string
from functools import partial

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

CODE = RegexValidator(r"\A[A-Za-z0-9][A-Za-z0-9_.:-]*\Z", _("Letters, digits, and _ . : - inside."))
ALPHABET = string.ascii_letters + string.digits


class Mode(models.TextChoices):
    """Stripe's two worlds. They never mix: every uniqueness includes the mode."""

    TEST = "test", _("test")
    LIVE = "live", _("live")


def random_text(length: int) -> str:
    """Unguessable letters and digits, about 5.95 bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_subject_id() -> str:
    return f"sbj_{random_text(24)}"


def new_attempt_id() -> str:
    return f"att_{random_text(24)}"


def new_entitlement_id() -> str:
    return f"ent_{random_text(24)}"


def new_reservation_id() -> str:
    return f"res_{random_text(24)}"


def new_change_id() -> str:
    return f"chg_{random_text(24)}"


def new_outbound_event_id() -> str:
    return f"evt_{random_text(24)}"


def mode_field() -> models.CharField[str, str]:
    return models.CharField(_("mode"), max_length=4, choices=Mode.choices)


def mode_check(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(mode__in=Mode.values), name=name, violation_error_message=_("The mode is test or live.")
    )


StripeId = partial(models.CharField, max_length=255, blank=True, default="")
"""A column for one of Stripe's ids; empty means not known."""
