"""Amounts: the least that Stripe charges, and how its messages write them."""

from __future__ import annotations

from ..json_tree import Json

# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
_LEAST: Json = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "nzd": 50,
    "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
_CODES = "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf"
WITHOUT_CENTS = frozenset(_CODES.split())
_SIGNS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def least_charge(currency: str) -> int:
    """In the currency's smallest unit; for those that Stripe's table does not have, what is worth most there."""
    return int(_LEAST.get(currency, 50))


def written(amount: int, currency: str) -> str:
    """50 and usd → $0.50 usd."""
    digits = str(amount) if currency in WITHOUT_CENTS else f"{amount / 100:.2f}"
    return f"{_SIGNS.get(currency, '')}{digits} {currency}"
