"""How the pages show money and moments."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import template

from ..resources.money import WITHOUT_CENTS

register = template.Library()


@register.filter
def money(amount: int | None, currency: str | None) -> str:
    """1900 and eur → 19.00 EUR."""
    if amount is None or not currency:
        return "–"
    digits = f"{amount:,}" if currency in WITHOUT_CENTS else f"{amount / 100:,.2f}"
    return f"{digits} {currency.upper()}"


@register.filter
def moment(timestamp: int | None) -> str:
    """Unix seconds → 2026-11-23 14:05 UTC."""
    return "–" if timestamp is None else datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M UTC")


@register.filter
def day(timestamp: int) -> str:
    """Unix seconds → 2026-11-23."""
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d")


@register.filter
def optional_price(item: dict[str, Any]) -> str:
    """The price of an optional item that was chosen; templates cannot ask for hidden keys."""
    return item.get("_optional") or ""


@register.filter
def named(identifier: str, names: dict[str, str]) -> str:
    return names.get(identifier, identifier)


@register.filter
def words(code: str | None) -> str:
    """past_due → past due."""
    return (code or "").replace("_", " ")


@register.filter
def terms(coupon: dict[str, Any]) -> str:
    """25 % off for 3 months."""
    percent, months = coupon["percent_off"], coupon["duration_in_months"]
    off = money(coupon["amount_off"], coupon["currency"]) if percent is None else f"{percent:g} %"
    how_long = {"forever": "forever", "once": "once", "repeating": f"for {months} month{'s' if months != 1 else ''}"}
    return f"{off} off, {how_long[coupon['duration']]}"
