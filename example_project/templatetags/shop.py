"""Money as the shop writes it; and for the demo's time machine, who has access to what, now."""

from decimal import Decimal

from django import template

from licenzy_django import access
from licenzy_django.models import Subject

register = template.Library()


@register.filter
def money(cents: int, currency: str) -> str:
    """1900 and eur → €19.00. The shop sells in euros only; anything else is written with its code."""
    amount = f"{abs(Decimal(cents)) / 100:,.2f}"
    sign = "−" if cents < 0 else ""
    return f"{sign}€{amount}" if currency == "eur" else f"{sign}{amount} {currency.upper()}"


@register.simple_tag
def newest_subjects(count: int = 8) -> list[access.AccessSummary]:
    """What the newest subjects have, at the simulated time."""
    refs = Subject.objects.filter(mode="test").order_by("-pk").values_list("subject_ref", flat=True)
    return [access.summary(ref, mode="test") for ref in refs[:count]]
