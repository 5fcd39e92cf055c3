"""Operators ask. Everything here reads; what it changes, it changes through the verbs that the API uses."""

from licenzy_django.admin import attempts, entitlements, events, keys, outbound, products, subjects, usage

__all__ = ["attempts", "entitlements", "events", "keys", "outbound", "products", "subjects", "usage"]
