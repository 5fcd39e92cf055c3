"""What somebody asks to buy, as it was asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from licenzy_django.checkout.redirects import redirect_url
from licenzy_django.checkout_options.lists import LOCALES
from licenzy_django.conf import licenzy_settings
from licenzy_django.db.text import storable
from licenzy_django.exceptions import InvalidRequest
from licenzy_django.idempotency import fingerprint

if TYPE_CHECKING:
    from django.http import HttpRequest

MAX_QUANTITY = 999_999
NOT_A_QUANTITY = "This must be a whole number from 1 to 999,999."
# As Stripe's: https://docs.stripe.com/api/metadata
MAX_METADATA_KEYS, MAX_METADATA_KEY, MAX_METADATA_VALUE = 50, 40, 500
NOT_METADATA = "This must map up to 50 texts of 1 to 40 characters to texts of up to 500."


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Everything that a caller of ``checkout.start`` says. ``request`` alone is no part of what it means."""

    subject_ref: str
    product_code: str
    quantity: int
    customer_email: str
    success_url: str
    cancel_url: str
    trial: Any
    locale: str
    metadata: Mapping[str, str]
    optional_items: Sequence[str]
    request: HttpRequest | None = field(default=None, compare=False)

    @property
    def fingerprint(self) -> str:
        """A request that has no newer argument means what it meant before there was one."""
        newer = {"locale": self.locale, "metadata": self.metadata, "optional_items": self.optional_items}
        given: dict[str, Any] = {name: value for name, value in newer.items() if value}
        return fingerprint(
            subject_ref=self.subject_ref,
            product_code=self.product_code,
            quantity=self.quantity,
            customer_email=self.customer_email,
            success_url=self.success_url,
            cancel_url=self.cancel_url,
            **({} if self.trial is None else {"trial": self.trial}),
            **given,
        )

    def validate(self) -> None:
        """Raises InvalidRequest, naming the fields."""
        if problems := dict(self.problems()):
            raise InvalidRequest(fields=problems)

    def problems(self) -> Iterator[tuple[str, list[str]]]:
        if not is_quantity(self.quantity):
            yield "quantity", [NOT_A_QUANTITY]
        if self.customer_email and not is_email(self.customer_email):
            yield "customer_email", ["This is not an e-mail address."]
        if self.trial is not None and not isinstance(self.trial, bool):
            yield "trial", ["This must be true or false."]
        if self.locale and self.locale not in LOCALES:
            yield "locale", ["This must be one of Stripe's locales: de, en, en-GB, fr …"]
        if not is_metadata(self.metadata):
            yield "metadata", [NOT_METADATA]

    def urls(self) -> dict[str, str]:
        """Where Stripe sends the customer back to. Raises InvalidRequest for a host that the settings do not allow."""
        settings = licenzy_settings()
        return {
            "success_url": redirect_url("success_url", self.success_url, settings.SUCCESS_URL),
            "cancel_url": redirect_url("cancel_url", self.cancel_url, settings.CANCEL_URL),
        }


def is_quantity(number: Any) -> bool:
    return type(number) is int and 1 <= number <= MAX_QUANTITY


def is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def is_metadata(given: Any) -> bool:
    return (
        isinstance(given, Mapping)
        and len(given) <= MAX_METADATA_KEYS
        and all(is_short(name, 1, MAX_METADATA_KEY) for name in given)
        and all(is_short(text, 0, MAX_METADATA_VALUE) for text in given.values())
    )


def is_short(text: Any, least: int, most: int) -> bool:
    return isinstance(text, str) and least <= len(text) <= most and storable(text) == text
