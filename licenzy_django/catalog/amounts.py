"""Amounts as Stripe takes them: whole numbers of a currency's smallest unit (https://docs.stripe.com/currencies)."""

from __future__ import annotations

from licenzy_django.models import Product

WITHOUT_CENTS = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
IN_THOUSANDTHS = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
"""Stripe charges hundredths of these, so the last digit is 0."""
WHOLE_ONLY = frozenset(["isk", "ugx"])
"""Without cents, but Stripe writes them with two digits, which are 00."""


def step_of(currency: str) -> int:
    """What an amount has to be a multiple of."""
    return 10 if currency in IN_THOUSANDTHS else 100 if currency in WHOLE_ONLY else 1


def digits_of(currency: str) -> int:
    return 0 if currency in WITHOUT_CENTS else 3 if currency in IN_THOUSANDTHS else 2


def written(amount: int, currency: str) -> str:
    """1900 and eur → 19.00 EUR; 1900 and jpy → 1,900 JPY."""
    digits = digits_of(currency)
    return f"{amount / 10**digits:,.{digits}f} {currency.upper()}"


def price_in_words(product: Product) -> str:
    """19.00 EUR a month; empty for a product whose price is known by its id alone."""
    if product.amount is None:
        return ""
    return per_interval(product.amount, product.currency, product.interval)


def per_interval(amount: int, currency: str, interval: str, count: int = 1) -> str:
    """19.00 EUR a month, 50.00 EUR every 3 months, 5.00 EUR once."""
    every = "once" if not interval else f"a {interval}" if count == 1 else f"every {count} {interval}s"
    return f"{written(amount, currency)} {every}"
