"""What Stripe's page can do for one purchase: the setting, the product and the host's callable together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from licenzy_django.checkout.order import Order
from licenzy_django.checkout_options import completed, merged, on_page_of, problems_of
from licenzy_django.conf import licenzy_settings
from licenzy_django.models import CheckoutAttempt


def page_options(attempt: CheckoutAttempt, order: Order) -> dict[str, Any]:
    """Stripe's parameters that a host has set for this purchase, with what Stripe demands beside them.

    The setting ``CHECKOUT``, then the product's ``checkout``, then what the setting ``CHECKOUT_PARAMS`` answers, then
    the locale of the order: what comes later wins.

    Raises:
        ImproperlyConfigured: one of them has what may not be set; nothing was begun.
        Exception: whatever the host's callable raises, as it is.
    """
    product = attempt.product
    everywhere = permitted(licenzy_settings().CHECKOUT or {}, "LICENZY['CHECKOUT']")
    own = permitted(product.checkout, f"The product {product.code}", product.session_mode)
    added = permitted(added_by_host(attempt, order), "What LICENZY['CHECKOUT_PARAMS'] answers", product.session_mode)
    asked = {"locale": order.locale} if order.locale else {}
    return completed(merged(on_page_of(product.session_mode, everywhere), own, added, asked))


def added_by_host(attempt: CheckoutAttempt, order: Order) -> Any:
    """The attempt is not written yet. Without a callable, or if it answers None, nothing is added."""
    chosen = licenzy_settings().CHECKOUT_PARAMS
    if not chosen:
        return {}
    add: Callable[..., Any] = import_string(chosen) if isinstance(chosen, str) else chosen
    answer = add(attempt, order.request)
    return {} if answer is None else answer


def permitted(options: Any, whose: str, session_mode: str = "") -> Mapping[str, Any]:
    if problems := problems_of(options, session_mode=session_mode):
        raise ImproperlyConfigured(f"{whose} cannot be used. {' '.join(map(str, problems))}")
    found: Mapping[str, Any] = options
    return found
