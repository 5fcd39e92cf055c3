"""Make at Stripe what the catalog sells. Nothing is archived there, and nothing but a lookup key changes its place.

A price is found by its lookup key before one is made, so a push can be repeated, also after one that was interrupted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from licenzy_django.catalog.amounts import price_in_words
from licenzy_django.catalog.entries import CatalogError
from licenzy_django.catalog.loading import problems_of
from licenzy_django.catalog.lookup_keys import prices_by_key
from licenzy_django.catalog.verification import costs, terms_in_words
from licenzy_django.models import Product
from licenzy_django.stripe import client

CODE_METADATA_KEY = "licenzy_code"
COPIED = ("tax_behavior", "nickname")
"""What a new price takes over from the one before it."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a push does for one product.

    Attributes:
        holder: the price that the product's lookup key names at Stripe; None if there is none.
        stripe_product_id: the product at Stripe that a new price is made for; empty means that one is made too.
    """

    product: Product
    holder: Mapping[str, Any] | None
    stripe_product_id: str = ""

    @property
    def is_made(self) -> bool:
        """The price is there already, as the catalog says."""
        return self.holder is not None and bool(self.holder["active"]) and costs(self.holder, self.product)

    @property
    def is_done(self) -> bool:
        return self.is_made and self.holder is not None and self.holder["id"] == self.product.stripe_price_id

    @property
    def plan(self) -> str:
        """What will be done, in one sentence."""
        product, holder = self.product, self.holder
        words, key = price_in_words(product), product.stripe_lookup_key
        if holder is not None and self.is_made:
            return f"{holder['id']} is there: {words}, {key}"
        where = f"for {self.stripe_product_id}" if self.stripe_product_id else f"and a product “{product.name}”"
        if holder is None:
            return f"a price of {words} {where}, lookup key {key}"
        old = f"{holder['id']} ({terms_in_words(holder)})"
        return f"a price of {words} {where}; the lookup key {key} moves there from {old}"

    @property
    def warnings(self) -> Iterator[str]:
        """What a new price loses."""
        if self.holder is None or self.is_made:
            return
        others = sorted((self.holder.get("currency_options") or {}).keys() - {self.holder["currency"]})
        if others:
            yield f"{self.holder['id']} has amounts in {', '.join(others)} too; the new price will not have them."


def push_plan(mode: str) -> list[Step]:
    """What a push would do for each active product with an amount. Asks Stripe, and makes nothing.

    Raises StripeUnavailable, StripeRefused, ModeNotConfigured.
    """
    products = Product.objects.filter(mode=mode, is_active=True, amount__isnull=False).order_by("code")
    holders = prices_by_key(mode, [product.stripe_lookup_key for product in products])
    return [step_for(product, holders.get(product.stripe_lookup_key)) for product in products]


def step_for(product: Product, holder: Mapping[str, Any] | None) -> Step:
    before = holder
    if before is None and product.stripe_price_id:
        before = price_before(product)
    sold = before["product"] if before else None
    is_there = isinstance(sold, dict) and sold.get("active", False)
    return Step(product, holder, sold["id"] if sold and is_there else "")


def price_before(product: Product) -> Mapping[str, Any] | None:
    try:
        return client.fetch_price(product.mode, product.stripe_price_id, expand=["product"])
    except client.StripeObjectMissing:
        return None


def carry_out(step: Step) -> str:
    """Make the price if it is not there, put it on sale, and return its id.

    Raises:
        CatalogError: the price is another product's, or the product was changed meanwhile.
        StripeUnavailable: whether it was made is found out by the next push.
        StripeRefused, ModeNotConfigured.
    """
    product = step.product
    price = step.holder if step.holder is not None and step.is_made else make_price(step)
    price_id = str(price["id"])
    try:
        put_on_sale(product, price_id)
    except ValidationError as error:
        raise CatalogError(f"{product.code} ({product.mode}): {problems_of(error)}") from error
    return price_id


def make_price(step: Step) -> Mapping[str, Any]:
    """In one request, with its product if that is new: an interruption leaves no half."""
    product, params = step.product, price_params(step)
    try:
        made = client.ask(product.mode, partial(create_price, params, idempotency_key(step, params)))
    except client.StripeRejected:
        named = named_price(product)
        if named is None or not Step(product, named).is_made:
            raise
        return named  # by another push, at the same moment
    named = named_price(product)
    if named is None or named["id"] != made["id"]:
        raise CatalogError(
            f"{product.code} ({product.mode}): the lookup key {product.stripe_lookup_key} does not name the new price "
            f"{made['id']}: somebody moved it at Stripe. Push again in a day, or move it there."
        )
    return made


def named_price(product: Product) -> dict[str, Any] | None:
    return prices_by_key(product.mode, [product.stripe_lookup_key]).get(product.stripe_lookup_key)


def price_params(step: Step) -> dict[str, Any]:
    product, holder = step.product, step.holder or {}
    metadata = {**(holder.get("metadata") or {}), CODE_METADATA_KEY: product.code}
    return {
        "unit_amount": product.amount,
        "currency": product.currency,
        **({"recurring": {"interval": product.interval}} if product.interval else {}),
        **(
            {"product": step.stripe_product_id}
            if step.stripe_product_id
            else {"product_data": {"name": product.name, "metadata": {CODE_METADATA_KEY: product.code}}}
        ),
        "lookup_key": product.stripe_lookup_key,
        **({"transfer_lookup_key": True} if holder else {}),
        "metadata": metadata,
        **{name: holder[name] for name in COPIED if holder.get(name)},
    }


def create_price(params: Any, options: Any, client: Any) -> Any:
    return client.v1.prices.create(params, options)


def idempotency_key(step: Step, params: Mapping[str, Any]) -> dict[str, str]:
    """Two pushes at once make one new price in place of an old one.

    The first price of a lookup key needs no key: Stripe gives a lookup key to one price only, and remembers an answer
    for a day, also when the price was deleted with the test data.
    """
    if step.holder is None:
        return {}
    meaning = json.dumps([step.holder["id"], params], sort_keys=True)
    return {"idempotency_key": f"licenzy-push-{hashlib.sha256(meaning.encode()).hexdigest()[:32]}"}


@transaction.atomic
def put_on_sale(product: Product, price_id: str) -> None:
    """The price before stays the product's in its history."""
    row = Product.objects.select_for_update().get(pk=product.pk)
    if row.stripe_lookup_key != product.stripe_lookup_key:
        raise CatalogError(f"{product.code} ({product.mode}): its lookup key was changed meanwhile; push again.")
    if row.stripe_price_id != price_id:
        row.stripe_price_id = price_id
        row.full_clean()
        row.save()
