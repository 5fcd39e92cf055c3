"""From what is set in several places to what Stripe is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise

from licenzy_django.checkout_options.lists import ONLY_IN

Options = dict[str, Any]


def merged(*layers: Mapping[str, Any]) -> Options:
    """The options of all layers: a later one wins, object by object; a list replaces a list.

    An empty text, list or object takes out what an earlier layer says.
    """
    found: Options = {}
    for layer in layers:
        found = _merged(found, layer)
    return _without_empty(found)


def _merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> Options:
    found = dict(before)
    for name, value in after.items():
        earlier = found.get(name)
        are_objects = isinstance(value, Mapping) and isinstance(earlier, Mapping) and value
        found[name] = _merged(earlier, value) if are_objects else _plain(value)  # type: ignore[arg-type]
    return found


def _plain(value: Any) -> Any:
    """As JSON has it. A text that waits for its translation is written in the language of now."""
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Promise) else value


def _without_empty(options: Mapping[str, Any]) -> Options:
    kept = {name: _without_empty(value) if isinstance(value, Mapping) else value for name, value in options.items()}
    return {name: value for name, value in kept.items() if value not in ("", [], {})}


def on_page_of(session_mode: str, options: Mapping[str, Any]) -> Options:
    """Of options that are set for all products what is for this mode: ``payment`` or ``subscription``."""
    return {name: value for name, value in options.items() if ONLY_IN.get(name, session_mode) == session_mode}


def completed(options: Mapping[str, Any]) -> Options:
    """With what Stripe demands beside them.

    The customer is always given, and Stripe taxes one only where the page may write down address and name:
    https://docs.stripe.com/tax/checkout, https://docs.stripe.com/tax/checkout/tax-ids. Terms to accept need a box:
    https://docs.stripe.com/payments/checkout/customization/policies
    """
    found = dict(options)
    if any(found.get(name, {}).get("enabled") for name in ("automatic_tax", "tax_id_collection")):
        found["customer_update"] = {"address": "auto", "name": "auto"}
    if "terms_of_service_acceptance" in found.get("custom_text", {}):
        found["consent_collection"] = {**found.get("consent_collection", {}), "terms_of_service": "required"}
    return found
