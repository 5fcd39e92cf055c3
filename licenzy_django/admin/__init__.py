"""Operators ask. Everything here reads; what it changes, it changes through the verbs that the API uses."""

from licenzy_django.admin import attempts, changes, entitlements, events, keys, outbound, products, usage
from licenzy_django.admin.subject import admin as subject_admin

__all__ = ["attempts", "changes", "entitlements", "events", "keys", "outbound", "products", "subject_admin", "usage"]
