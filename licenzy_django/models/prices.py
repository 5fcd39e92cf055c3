from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licenzy_django import clock
from licenzy_django.models.base import mode_check, mode_field


class ProductPrice(models.Model):
    """From when to when a Stripe price counted as a product. Rows are never deleted: who has the price keeps it."""

    class Role(models.TextChoices):
        FOR_SALE = "for_sale", _("for sale")
        LISTED = "listed", _("listed")
        FORMER = "former", _("was for sale")

    mode = mode_field()
    product = models.ForeignKey(
        "licenzy.Product", models.CASCADE, related_name="prices", verbose_name=_("product"), db_index=True
    )
    stripe_price_id = models.CharField(_("Stripe price"), max_length=255)
    role = models.CharField(
        _("role"),
        max_length=8,
        choices=Role.choices,
        help_text=_("The price for sale, one of the other prices, or one that was for sale before."),
    )
    since = models.DateTimeField(_("since"), default=clock.now)
    until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty means: still."))

    class Meta:
        verbose_name = _("price of a product")
        verbose_name_plural = _("prices of products")
        ordering = ["product", "since", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["stripe_price_id", "mode"],
                condition=Q(until=None),
                name="licenzy_price_of_one_product",
                violation_error_message=_("Another product has this Stripe price."),
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=models.F("since")), name="licenzy_price_ends_after_it_began"
            ),
            mode_check("licenzy_price_mode"),
        ]
        indexes = [models.Index(fields=["stripe_price_id", "mode"], name="licenzy_price_history")]

    def __str__(self) -> str:
        return self.stripe_price_id


def record_prices(product_id: int, mode: str, roles: Mapping[str, str], at: datetime) -> None:
    """Keep which prices a product has from now on.

    A price that was for sale stays the product's until another product gets it; one that is taken out of the other
    prices ends now. Raises IntegrityError where another product has a price for sale or listed.

    Args:
        roles: the role of each price id.
    """
    prices = ProductPrice.objects
    current = {row.stripe_price_id: row for row in prices.filter(product_id=product_id, until=None)}
    for price, row in current.items():
        role = roles.get(price)
        if role is None and row.role == ProductPrice.Role.LISTED:
            prices.filter(pk=row.pk).update(until=at)
        elif row.role != (role or ProductPrice.Role.FORMER):
            prices.filter(pk=row.pk).update(role=role or ProductPrice.Role.FORMER)
    added = {price: role for price, role in roles.items() if price not in current}
    former = prices.filter(mode=mode, stripe_price_id__in=added, until=None, role=ProductPrice.Role.FORMER)
    former.update(until=at)
    for price, role in added.items():
        prices.create(product_id=product_id, mode=mode, stripe_price_id=price, role=role, since=at)


class UnknownPrice(models.Model):
    """A price that a subscription has and that counts as no product: it gives nothing until the catalog knows it."""

    mode = mode_field()
    subject = models.ForeignKey(
        "licenzy.Subject", models.CASCADE, related_name="unknown_prices", verbose_name=_("subject")
    )
    subscription_id = models.CharField(_("subscription"), max_length=255)
    stripe_price_id = models.CharField(_("Stripe price"), max_length=255)
    since = models.DateTimeField(_("since"), default=clock.now)

    class Meta:
        verbose_name = _("unknown price")
        verbose_name_plural = _("unknown prices")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["subscription_id", "stripe_price_id", "mode"], name="licenzy_unknown_price_once"
            ),
            mode_check("licenzy_unknown_price_mode"),
        ]

    def __str__(self) -> str:
        return self.stripe_price_id
