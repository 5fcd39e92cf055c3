"""Write a catalog from what is at Stripe. Nothing is written to the database."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from licenzy_django.catalog.amounts import step_of
from licenzy_django.catalog.entries import entry_of
from licenzy_django.catalog.pricing import is_lookup_key
from licenzy_django.catalog.push import CODE_METADATA_KEY
from licenzy_django.catalog.verification import terms_in_words
from licenzy_django.db.text import storable
from licenzy_django.models import Kind, Product, ProductPrice
from licenzy_django.models.base import CODE
from licenzy_django.stripe import client

EXPANDED = ["data.product"]
MAX_CODE = 64
MAX_NAME = 200
SUGGESTED_DAYS = 30
RHYTHM = {"day": "DAILY", "week": "WEEKLY", "month": "MONTHLY", "year": "YEARLY"}
INSIDE_A_CODE = re.compile(r"[^A-Za-z0-9]+")


@dataclass(slots=True)
class Pulled:
    """A catalog file, and what it cannot know.

    Attributes:
        entries: as ``load`` reads them.
        comments: what somebody has to look at, a sentence each.
    """

    entries: list[dict[str, Any]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


def pull(mode: str) -> Pulled:
    """The active prices of a mode with their products, the oldest first.

    A price that the catalog has already keeps its entry, or is left out where it is not the one for sale.

    Raises StripeUnavailable, StripeRefused (the key may not read prices), ModeNotConfigured.
    """
    pulled, known = Pulled(), KnownPrices.of(mode)
    seen: dict[Any, str] = {}
    for price in active_prices(mode):
        if product := known.product_of(price):
            entry = entry_of(product)
            pulled.entries += [entry] if entry not in pulled.entries else []
        elif price["id"] in known.counted:
            continue
        elif reason := reason_to_leave(price):
            pulled.comments.append(f"{price['id']} is left out: {reason}.")
        else:
            entry = new_entry(mode, price, known.codes)
            known.codes.add(entry["code"])
            pulled.entries.append(entry)
            pulled.comments.extend(f"{entry['code']}: {text}" for text in comments_on(price, entry, seen))
    return pulled


@dataclass(frozen=True, slots=True)
class KnownPrices:
    """What the catalog has in one mode.

    Attributes:
        counted: every price that counts as a product.
        codes: those that are taken.
    """

    for_sale: dict[str, Product]
    by_key: dict[str, Product]
    counted: set[str]
    codes: set[str]

    @classmethod
    def of(cls, mode: str) -> KnownPrices:
        products = list(Product.objects.filter(mode=mode))
        counted = ProductPrice.objects.filter(mode=mode, until=None).values_list("stripe_price_id", flat=True)
        return cls(
            for_sale={product.stripe_price_id: product for product in products if product.stripe_price_id},
            by_key={product.stripe_lookup_key: product for product in products if product.stripe_lookup_key},
            counted=set(counted),
            codes={product.code for product in products},
        )

    def product_of(self, price: Mapping[str, Any]) -> Product | None:
        return self.by_key.get(price.get("lookup_key") or "") or self.for_sale.get(price["id"])


def active_prices(mode: str) -> list[dict[str, Any]]:
    prices = client.every_page(mode, list_active)
    return sorted(prices, key=lambda price: (price["created"], price["id"]))


def list_active(page: Any, stripe: Any) -> Any:
    return stripe.v1.prices.list({"active": True, "expand": EXPANDED, **page})


def reason_to_leave(price: Mapping[str, Any]) -> str:
    """Why a price cannot be sold here; empty if it can."""
    sold = price["product"]
    if not isinstance(sold, dict) or not sold.get("active", False):
        return "its product is archived"
    if (price.get("recurring") or {}).get("usage_type") == "metered":
        return "it is metered"
    if price.get("custom_unit_amount"):
        return "the customer chooses its amount"
    return ""


def new_entry(mode: str, price: Mapping[str, Any], taken: set[str]) -> dict[str, Any]:
    name = storable(price["product"].get("name") or "").strip()[:MAX_NAME] or price["id"]
    is_recurring = price["type"] == "recurring"
    return {
        "mode": mode,
        "code": code_of(price, taken),
        "name": name,
        "kind": (Kind.SUBSCRIPTION if is_recurring else Kind.TIME_PASS).value,
        **price_keys(price),
        **({} if is_recurring else {"duration_days": SUGGESTED_DAYS}),
    }


def price_keys(price: Mapping[str, Any]) -> dict[str, Any]:
    """Its lookup key, with what a push would make of it; its id where it has no key."""
    key = price.get("lookup_key")
    if not key or not is_lookup_key(key):
        return {"stripe_price_id": price["id"]}
    recurring = price.get("recurring") or {}
    amount, currency, count = price["unit_amount"], price["currency"], recurring.get("interval_count", 1)
    if amount is None or count != 1 or amount % step_of(currency):
        return {"stripe_lookup_key": key}
    interval = {"interval": recurring["interval"]} if recurring else {}
    return {"stripe_lookup_key": key, "amount": amount, "currency": currency, **interval}


def code_of(price: Mapping[str, Any], taken: set[str]) -> str:
    """The code that a push noted, else one from the lookup key or the product's name; the same each time.

    A price whose code is taken gets the end of its id behind it.
    """
    code = code_wanted(price)
    if code in taken:
        tail = f"_{price['id'][-8:]}"
        code = f"{code[: MAX_CODE - len(tail)]}{tail}"
    return code


def code_wanted(price: Mapping[str, Any]) -> str:
    noted = str((price.get("metadata") or {}).get(CODE_METADATA_KEY, ""))
    if len(noted) <= MAX_CODE and re.search(CODE.regex, noted):
        return noted
    if code := as_code(price.get("lookup_key") or ""):
        return code
    recurring = price.get("recurring") or {}
    rhythm = RHYTHM.get(recurring.get("interval", ""), "")
    count = recurring.get("interval_count", 1)
    name = as_code(price["product"].get("name") or "")
    parts = [name, rhythm if count == 1 else f"{count}_{recurring['interval']}s".upper()]
    return as_code("_".join(part for part in parts if part)) or as_code(price["id"])


def as_code(text: str) -> str:
    """Pro Größe 2 → PRO_GROSSE_2."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return INSIDE_A_CODE.sub("_", plain).strip("_").upper()[:MAX_CODE].strip("_")


def comments_on(price: Mapping[str, Any], entry: Mapping[str, Any], seen: dict[Any, str]) -> Iterator[str]:
    recurring = price.get("recurring") or {}
    if not recurring:
        yield (
            f"Stripe does not say what {price['id']} gives ({terms_in_words(price)}): a time_pass of {SUGGESTED_DAYS} "
            "days is a guess. For units make it a usage_pack with units."
        )
    if recurring.get("trial_period_days"):
        yield f"{price['id']} has a trial of its own, which Checkout ignores: set trial_days."
    if "stripe_lookup_key" in entry and "amount" not in entry:
        yield f"push cannot make {price['id']} anew ({terms_in_words(price)}): the entry has no amount."
    same = (price["product"]["id"], recurring.get("interval"), recurring.get("interval_count"))
    first = seen.setdefault(same, entry["code"])
    if first != entry["code"]:
        yield f"it is a price of the same product as {first}; if both give the same, move it to its other_price_ids."
