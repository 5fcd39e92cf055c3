from __future__ import annotations

from datetime import datetime
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.checkout_options import problems_of
from licenzy_django.models.base import CODE, mode_check, mode_field
from licenzy_django.models.kinds import RULES, TERMS_DO_NOT_FIT, Kind, KindRules, kinds_that, terms_fit
from licenzy_django.models.limits import no_limits, validate_limits
from licenzy_django.models.priced import PRICE_CONSTRAINTS, Priced
from licenzy_django.models.prices import record_prices
from licenzy_django.models.product_units import UNITS_CONSTRAINTS, UNITS_INDEX, GivesUnits
from licenzy_django.models.versions import Versions, applied_to_all, with_version

MAX_DAYS = 36_500
MAX_TRIAL_DAYS = 730
ADD_ON_WITHOUT_GROUP = _("An add-on has no plan group: it is bought beside a plan.")


def no_features() -> list[str]:
    return []


def no_options() -> dict[str, Any]:
    return {}


def no_versions() -> Versions:
    return []


class Product(Priced, GivesUnits):
    """What is sold: a stable code tied to one Stripe price in one mode, and what it gives."""

    mode = mode_field()
    code = models.CharField(
        _("code"),
        max_length=64,
        validators=[CODE],
        help_text=_("What your code and the API call it, for example PRO_MONTHLY. Never changes."),
    )
    name = models.CharField(_("name"), max_length=200)
    kind = models.CharField(_("kind"), max_length=12, choices=Kind.choices)
    group = models.CharField(
        _("plan group"),
        max_length=64,
        blank=True,
        default="",
        validators=[CODE],
        help_text=_("Subscriptions only: of the products of a group a subject has one at a time."),
    )
    is_add_on = models.BooleanField(
        _("is an add-on"),
        default=False,
        help_text=_("Subscriptions only: it is bought beside a plan, and has no plan group."),
    )
    duration_days = models.PositiveIntegerField(
        _("duration in days"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_DAYS)],
        help_text=_("Time passes only: how long access lasts."),
    )
    valid_days = models.PositiveIntegerField(
        _("valid days"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_DAYS)],
        help_text=_("Usage packs only. Empty means the units never expire."),
    )
    grace_days = models.PositiveIntegerField(
        _("grace in days"),
        default=0,
        validators=[MaxValueValidator(MAX_DAYS)],
        help_text=_("Subscriptions only: access after a failed renewal. 0 means none."),
    )
    trial_days = models.PositiveIntegerField(
        _("trial in days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_TRIAL_DAYS)],
        help_text=_("Subscriptions only: nothing is paid at first, once for each subject. Empty means no trial."),
    )
    trial_card = models.BooleanField(
        _("trial needs a card"),
        default=True,
        help_text=_("Subscriptions only. Without a card by its end, the trial ends in cancellation."),
    )
    features = models.JSONField(
        _("features"), default=no_features, blank=True, help_text=_('What it unlocks, for example ["export"].')
    )
    limits = models.JSONField(
        _("limits"),
        default=no_limits,
        blank=True,
        validators=[validate_limits],
        help_text=_(
            'How many, for example {"projects": 10, "api_keys": null, "seats": "quantity"}. null means unlimited.'
        ),
    )
    checkout = models.JSONField(
        _("Stripe's page"),
        default=no_options,
        blank=True,
        help_text=_('What it can do, in Stripe\'s parameter names, for example {"allow_promotion_codes": true}.'),
    )
    versions = models.JSONField(default=no_versions, blank=True, editable=False)
    is_active = models.BooleanField(
        _("is active"), default=True, help_text=_("Inactive means: not for sale. What was bought stays.")
    )
    created_at = models.DateTimeField(_("created at"), default=clock.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["mode", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "mode"],
                name="licenzy_product_code",
                violation_error_message=_("There is a product with this code in this mode."),
            ),
            *PRICE_CONSTRAINTS,
            *UNITS_CONSTRAINTS,
            models.CheckConstraint(
                condition=terms_fit(),
                name="licenzy_product_kind_fits",
                violation_error_message=TERMS_DO_NOT_FIT,
            ),
            models.CheckConstraint(
                condition=(
                    (Q(duration_days=None) | Q(duration_days__lte=MAX_DAYS))
                    & (Q(valid_days=None) | Q(valid_days__lte=MAX_DAYS))
                    & Q(grace_days__lte=MAX_DAYS)
                    & (Q(trial_days=None) | Q(trial_days__lte=MAX_TRIAL_DAYS))
                ),
                name="licenzy_product_limits",
                violation_error_message=_("At most 36,500 days."),
            ),
            models.CheckConstraint(
                condition=Q(group="") | Q(kind__in=kinds_that("is_recurring")),
                name="licenzy_product_group",
                violation_error_message=_("Only a subscription can be in a plan group."),
            ),
            models.CheckConstraint(
                condition=Q(is_add_on=False) | Q(kind__in=kinds_that("is_recurring")),
                name="licenzy_product_add_on",
                violation_error_message=_("Only a subscription can be an add-on."),
            ),
            models.CheckConstraint(
                condition=Q(is_add_on=False) | Q(group=""),
                name="licenzy_product_add_on_group",
                violation_error_message=ADD_ON_WITHOUT_GROUP,
            ),
            models.CheckConstraint(
                condition=Q(trial_card=True) | Q(kind__in=kinds_that("is_recurring")),
                name="licenzy_product_trial_card",
                violation_error_message=_("Only a subscription can have a trial without a card."),
            ),
            mode_check("licenzy_product_mode"),
        ]
        indexes = [UNITS_INDEX]

    def __str__(self) -> str:
        return self.code

    def save(self, **kwargs: Any) -> None:
        """Save the product and, in the same transaction, the history of its prices and of what it gives.

        Raises IntegrityError where another product has one of the prices, and ValidationError where what was sold
        would be counted in another unit.
        """
        products, now, names = type(self)._base_manager, clock.now(), kwargs.get("update_fields")
        self.complete_units()
        if names is not None and "units" in names:
            names = kwargs["update_fields"] = {*names, "unit"}
        with transaction.atomic(using=kwargs.get("using")):
            # Whoever begins to buy it meanwhile waits: a row that points at this one locks it.
            before = products.select_for_update().filter(pk=self.pk).first()
            if before is not None and (names is None or "unit" in names):
                before.refuse_another_unit(self.unit)
            super().save(**kwargs)
            saved = self if names is None else products.get(pk=self.pk)
            self.record_version(before, saved, now)
            record_prices(self.pk, self.mode, saved.price_roles(), now)

    def record_version(self, before: Product | None, saved: Product, at: datetime) -> None:
        """Keep what was given up to now and what is given from now on."""
        versions = with_version(before.versions if before else [], saved.gives(), at)
        if versions != saved.versions:
            type(self)._base_manager.filter(pk=self.pk).update(versions=versions)
        self.versions = versions

    def apply_to_all(self) -> None:
        """What the product gives now counts for everybody, whenever they bought it."""
        with transaction.atomic():
            row = type(self)._base_manager.select_for_update().get(pk=self.pk)
            self.versions = applied_to_all(with_version(row.versions, row.gives(), clock.now()))
            type(self)._base_manager.filter(pk=self.pk).update(versions=self.versions)

    def gives(self) -> dict[str, Any]:
        """What who has the product gets, as the catalog says it now."""
        return {
            "features": self.features,
            **({"limits": self.limits} if self.limits else {}),
            **(self.included_units() if self.is_recurring else {}),
        }

    def clean(self) -> None:
        """Say also what of Stripe's page cannot be set."""
        super().clean()
        if self.kind in RULES and (problems := problems_of(self.checkout, session_mode=self.session_mode)):
            raise ValidationError({"checkout": [str(problem) for problem in problems]})

    @property
    def rules(self) -> KindRules:
        """What its kind means."""
        return RULES[self.kind]

    @property
    def is_sold(self) -> bool:
        return any(
            apps.get_model("licenzy", model)._base_manager.filter(product=self.pk).exists()
            for model in ("CheckoutAttempt", "Entitlement")
        )

    @property
    def is_for_sale(self) -> bool:
        return self.is_active and bool(self.stripe_price_id)

    @property
    def is_recurring(self) -> bool:
        return self.rules.is_recurring

    @property
    def session_mode(self) -> str:
        """The mode of Stripe's Checkout sessions that sell it."""
        return "subscription" if self.is_recurring else "payment"

    @property
    def days(self) -> int | None:
        """How long one lasts that is bought; None where time does not end it."""
        return getattr(self, self.rules.days_term) if self.rules.days_term else None

    def terms(self) -> dict[str, Any]:
        """What a purchase keeps of the product, since the catalog may change before the money comes."""
        names = ("kind", "units", "duration_days", "valid_days", "features", *(["limits"] if self.limits else []))
        return {name: getattr(self, name) for name in names} | ({"units": None} if self.is_recurring else {})
