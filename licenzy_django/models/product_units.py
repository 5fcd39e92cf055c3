"""The units that a product gives: of a usage pack what one holds, of a subscription what it includes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from licenzy_django.models.base import CODE
from licenzy_django.models.kinds import NEEDED_BY, RULES, TERMS

DEFAULT_UNIT = "credits"
MAX_UNITS = 1_000_000_000_000
MAX_ROLLOVER_WINDOWS = 12
INCLUDED = ("units", "units_every", "units_per", "rollover_units", "rollover_windows", "trial_units")
"""What a subscription says of the units that it includes."""
ZERO_IS_NONE = ("rollover_units", "trial_units")
GOES_WITH = _("It goes with %(names)s.")
MORE_THAN_UNITS = _("It cannot be more than the units of a window.")
UNIT_WAS_SOLD = _(
    "The unit of a product that was sold cannot change: it is %(unit)s. Sell another unit by another code."
)


class UnitsEvery(models.TextChoices):
    PERIOD = "period", _("billing period")
    MONTH = "month", _("month")
    WEEK = "week", _("week")


class UnitsPer(models.TextChoices):
    QUANTITY = "quantity", _("for each one of the quantity")
    SUBSCRIPTION = "subscription", _("once for the subscription")


class GivesUnits(models.Model):
    units = models.PositiveBigIntegerField(
        _("units"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_UNITS)],
        help_text=_("Of a usage pack: in one pack. Of a subscription: for each window. Empty means it includes none."),
    )
    unit = models.CharField(
        _("unit"),
        max_length=64,
        blank=True,
        default="",
        validators=[CODE],
        help_text=_(
            "What is counted, for example credits or sms. Empty means credits. Never changes once it was sold."
        ),
    )
    units_every = models.CharField(
        _("units every"),
        max_length=6,
        choices=UnitsEvery.choices,
        default=UnitsEvery.PERIOD,
        help_text=_("Subscriptions only: how long a window is. A yearly plan with a month has twelve."),
    )
    units_per = models.CharField(
        _("units per"),
        max_length=12,
        choices=UnitsPer.choices,
        default=UnitsPer.QUANTITY,
        help_text=_("Subscriptions only: whether two seats have twice the units."),
    )
    rollover_units = models.PositiveBigIntegerField(
        _("rollover units"),
        null=True,
        blank=True,
        help_text=_("Subscriptions only: so many that are left of a window stay usable after it. Empty means none."),
    )
    rollover_windows = models.PositiveSmallIntegerField(
        _("rollover windows"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_ROLLOVER_WINDOWS)],
        help_text=_("Subscriptions only: for how many more windows, 1 to 12. Empty means one."),
    )
    trial_units = models.PositiveBigIntegerField(
        _("trial units"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_UNITS)],
        help_text=_("Subscriptions only: for the whole trial. Empty means none."),
    )

    class Meta:
        abstract = True

    def complete_units(self) -> None:
        """0 means none, and units that are not called anything are credits."""
        for name in ZERO_IS_NONE:
            setattr(self, name, getattr(self, name) or None)
        if self.units is not None and not self.unit:
            self.unit = DEFAULT_UNIT

    def clean(self) -> None:
        """Say at the field what the database would refuse, and what was sold under another unit."""
        super().clean()
        self.complete_units()
        stored = type(self)._base_manager.filter(pk=self.pk).first() if self.pk else None
        problems: dict[str, Any] = dict(self.problems_of_units())
        # One that stands there stays when a product stops including units: some of them may be left.
        if self.units is None and self.unit != (stored.unit if stored else ""):
            problems["unit"] = GOES_WITH % {"names": "units"}
        if problems:
            raise ValidationError(problems)
        if stored is not None:
            stored.refuse_another_unit(self.unit)

    def problems_of_units(self) -> Iterator[tuple[str, str | Promise]]:
        """Which terms need another one, or are more than they can be."""
        rules = RULES.get(getattr(self, "kind", ""))
        for name in rules.terms if rules else ():
            missing = [each for each in NEEDED_BY.get(name, ()) if getattr(self, each) is None]
            if missing and getattr(self, name) != TERMS[name]:
                yield name, GOES_WITH % {"names": ", ".join(missing)}
        if self.units is not None and (self.rollover_units or 0) > self.units:
            yield "rollover_units", MORE_THAN_UNITS

    def refuse_another_unit(self, unit: str) -> None:
        """Raise ValidationError where what was sold would be counted in another unit: asked of the stored row."""
        if self.unit and unit != self.unit and self.is_sold:
            raise ValidationError({"unit": ValidationError(UNIT_WAS_SOLD, params={"unit": self.unit})})

    @property
    def is_sold(self) -> bool:
        """Somebody has it, had it, or has begun to buy it."""
        raise NotImplementedError

    def included_units(self) -> dict[str, Any]:
        """The terms of the units that a subscription includes; empty where it includes none."""
        return {} if self.units is None else {name: getattr(self, name) for name in INCLUDED}


def needed_terms_are_there() -> Q:
    """A term that says nothing without another one stands beside it."""
    has_them = {name: Q(**{f"{each}__isnull": False for each in needed}) for name, needed in NEEDED_BY.items()}
    return Q(*(Q(**{name: TERMS[name]}) | needed for name, needed in has_them.items()))


UNITS_CONSTRAINTS: list[models.BaseConstraint] = [
    models.CheckConstraint(
        condition=Q(units=None) | ~Q(unit=""),
        name="licenzy_product_has_unit",
        violation_error_message=_("Units need a unit."),
    ),
    models.CheckConstraint(
        condition=needed_terms_are_there(),
        name="licenzy_product_units_fit",
        violation_error_message=_(
            "What is said of the units of a subscription goes with units, and the units of a trial with a trial."
        ),
    ),
    models.CheckConstraint(
        condition=Q(units_every__in=UnitsEvery.values) & Q(units_per__in=UnitsPer.values),
        name="licenzy_product_units_words",
        violation_error_message=_("Units come every period, month or week, per quantity or subscription."),
    ),
    models.CheckConstraint(
        condition=Q(rollover_units=None) | Q(rollover_units__lte=F("units")),
        name="licenzy_product_rollover_units",
        violation_error_message=_("The rollover units are no more than the units."),
    ),
    models.CheckConstraint(
        condition=(
            (Q(rollover_windows=None) | Q(rollover_windows__range=(1, MAX_ROLLOVER_WINDOWS)))
            & (Q(trial_units=None) | Q(trial_units__lte=MAX_UNITS))
            & (Q(units=None) | Q(units__lte=MAX_UNITS))
        ),
        name="licenzy_product_units_limits",
        violation_error_message=_("At most 12 rollover windows and 1,000,000,000,000 units."),
    ),
]
UNITS_INDEX = models.Index(fields=["mode", "unit"], condition=~Q(unit=""), name="licenzy_product_unit")
"""Which units are or were sold in a mode."""
