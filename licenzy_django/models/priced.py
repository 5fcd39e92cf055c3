"""What a product costs: the price that is for sale at Stripe, what else counts as it, what a push would make."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licenzy_django.models.kinds import kinds_that
from licenzy_django.models.prices import ProductPrice

MAX_AMOUNT = 999_999_999_999
"""Stripe takes up to twelve digits, in most currencies eight."""
MAX_LOOKUP_KEY = 200
CURRENCY = RegexValidator(r"\A[a-z]{3}\Z", _("Three small letters, for example eur."))
FOR_SALE = Q(is_active=True) & ~Q(stripe_price_id="")
"""The products that a checkout can be started for."""


class Interval(models.TextChoices):
    DAY = "day", _("day")
    WEEK = "week", _("week")
    MONTH = "month", _("month")
    YEAR = "year", _("year")


def no_prices() -> list[str]:
    return []


class Priced(models.Model):
    stripe_price_id = models.CharField(
        _("Stripe price"),
        max_length=255,
        blank=True,
        default="",
        help_text=_("price_…, of the same mode. Empty means: licenzy_catalog push has not made it yet."),
    )
    stripe_lookup_key = models.CharField(
        _("lookup key"),
        max_length=MAX_LOOKUP_KEY,
        blank=True,
        default="",
        help_text=_("Names the price at Stripe; licenzy_catalog load finds the price by it."),
    )
    amount = models.PositiveBigIntegerField(
        _("amount"),
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_AMOUNT)],
        help_text=_(
            "Of one, in the smallest unit of the currency: 1900 is 19.00 EUR. licenzy_catalog push makes a price of it."
        ),
    )
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="", validators=[CURRENCY])
    interval = models.CharField(_("interval"), max_length=5, blank=True, default="", choices=Interval.choices)
    other_price_ids = models.JSONField(
        _("other prices"),
        default=no_prices,
        blank=True,
        help_text=_("Further Stripe prices that count as this product, for example one that was made by hand."),
    )

    class Meta:
        abstract = True

    def price_roles(self) -> Mapping[str, str]:
        """What each price id is to this product; the one for sale is never one of the others."""
        others = dict.fromkeys(self.other_price_ids, ProductPrice.Role.LISTED.value)
        for_sale = {self.stripe_price_id: ProductPrice.Role.FOR_SALE.value} if self.stripe_price_id else {}
        return {**others, **for_sale}

    def clean(self) -> None:
        """Say which price belongs to another product."""
        super().clean()
        taken = ProductPrice.objects.filter(
            mode=getattr(self, "mode", None), stripe_price_id__in=self.price_roles(), until=None
        )
        taken = taken.exclude(role=ProductPrice.Role.FORMER).exclude(product_id=self.pk)
        if row := taken.select_related("product").first():
            taken_for_sale = row.stripe_price_id == self.stripe_price_id
            error = ValidationError(
                _("Another product has this Stripe price: %(price)s is a price of %(product)s."),
                params={"price": row.stripe_price_id, "product": row.product.code},
            )
            raise ValidationError({"stripe_price_id" if taken_for_sale else "other_price_ids": error})


def push_terms_fit() -> Q:
    """Amount and currency belong together, with an interval where it is paid again and again."""
    recurring = Q(kind__in=kinds_that("is_recurring"))
    rhythm = (recurring & Q(interval__in=Interval.values)) | (~recurring & Q(interval=""))
    priced = Q(amount__isnull=False, amount__lte=MAX_AMOUNT) & ~Q(currency="") & ~Q(stripe_lookup_key="") & rhythm
    return Q(amount=None, currency="", interval="") | priced


PRICE_CONSTRAINTS: list[models.BaseConstraint] = [
    models.UniqueConstraint(
        fields=["stripe_price_id", "mode"],
        condition=~Q(stripe_price_id=""),
        name="licenzy_product_price",
        violation_error_message=_("Another product has this Stripe price."),
    ),
    models.UniqueConstraint(
        fields=["stripe_lookup_key", "mode"],
        condition=~Q(stripe_lookup_key=""),
        name="licenzy_product_lookup_key",
        violation_error_message=_("Another product has this lookup key."),
    ),
    models.CheckConstraint(
        condition=~Q(stripe_price_id="") | ~Q(stripe_lookup_key=""),
        name="licenzy_product_has_price",
        violation_error_message=_("A product needs a Stripe price."),
    ),
    models.CheckConstraint(
        condition=push_terms_fit(),
        name="licenzy_product_push_terms",
        violation_error_message=_(
            "An amount needs a currency and a lookup key, and a subscription an interval; without an amount there is "
            "none of them."
        ),
    ),
]
