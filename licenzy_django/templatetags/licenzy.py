"""``{% load licenzy %}``: ask in templates. A request remembers, so asking often costs one query."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import Context

from licenzy_django import access, usage
from licenzy_django.access import account
from licenzy_django.access.summary import EntitlementView

register = template.Library()
ANY = object()


@register.filter
def has_access(subject: Any, product_codes: Any = ANY) -> bool:
    """``{% if request|has_access %}``, ``{% if request|has_access:"PRO_MONTHLY, PRO_YEARLY" %}``: any of them.

    An empty name is that of no product: a variable that is missing lets nobody in.
    """
    if product_codes is ANY:
        return bool(access.check(subject))
    codes = [code.strip() for code in str(product_codes or "").split(",") if code.strip()]
    return bool(codes) and bool(access.check(subject, *codes))


@register.filter
def has_feature(subject: Any, feature: str) -> bool:
    """``{% if request|has_feature:"export" %}``: whatever product gives it. An empty name is given by none."""
    return bool(feature) and bool(access.check(subject, feature=feature))


@register.filter
def units_left(subject: Any, product_code: str = "") -> int:
    """``{{ request|units_left }}``, ``{{ request|units_left:"CREDITS" }}``: over all available packs."""
    return usage.remaining(subject, product_code=product_code)


@register.filter
def units_left_of(subject: Any, unit: str) -> int:
    """``{{ request|units_left_of:"sms" }}``: of one kind of units, where several are sold."""
    return usage.remaining(subject, unit=unit) if unit else 0


@register.simple_tag
def limit(subject: Any, name: str) -> access.Limit:
    """``{% limit request "projects" as projects %}``, then ``{{ projects.value }}``: None means unlimited."""
    return access.limit(subject, name)


@register.simple_tag(takes_context=True)
def entitlements(context: Context, subject: Any = None) -> list[EntitlementView]:
    """``{% entitlements as mine %}``, ``{% entitlements user as theirs %}``: newest first, at most 100."""
    return access.entitlements_of(context.get("request") if subject is None else subject)


@register.inclusion_tag("licenzy/account.html", takes_context=True)
def licenzy_account(context: Context, manage_url: str = "", pricing_url: str = "") -> dict[str, Any]:
    """What the visitor has, until when, and units left: ``{% licenzy_account manage_url=… pricing_url=… %}``.

    Args:
        manage_url: where the "Manage billing" button posts to, a ``BillingPortalView``; empty shows none.
        pricing_url: where somebody without anything may look; empty shows no link.
    """
    page = account.of(context.get("request"))
    return {"account": page, "manage_url": manage_url, "pricing_url": pricing_url}
