"""licenzy-django: a subject is known by the user's primary key, and its entitlement by the subject."""

from __future__ import annotations

from typing import Any

from benchmarks import stripe_objects
from benchmarks.sides import tables
from benchmarks.sides.timing import measured

WEBHOOK_PATH = "/webhooks/stripe"
PRODUCT_CODE = "PRO_MONTHLY"
LABELS = ["licenzy"]


def settings() -> dict[str, Any]:
    return {
        "INSTALLED_APPS": ["rest_framework", "licenzy_django"],
        "ROOT_URLCONF": "licenzy_django.urls",
        "LICENZY": {
            "TEST_SECRET_KEY": stripe_objects.SECRET_KEY,
            "TEST_WEBHOOK_SECRETS": [stripe_objects.WEBHOOK_SECRET],
            "STRIPE_HTTP_CLIENT": "benchmarks.stripe_double.http_client",
            "CACHE_SECONDS": 3600,
        },
    }


def make_tables() -> float:
    return tables.make(from_models=False)


def footprint() -> dict[str, Any]:
    return tables.footprint(LABELS)


def fill(subscribers: int) -> None:
    """Everybody has paid for period 0: the facts as Stripe told them, and the entitlement that follows from them."""
    from benchmarks.sides.licenzy_rows import fill as fill_rows

    fill_rows(range(1, subscribers + 1))


def api_key() -> str:
    from licenzy_django.models import ApiKey

    return ApiKey.objects.issue("test", "benchmark")[1]


def after_burst(period: int) -> dict[str, int]:
    from benchmarks.sides.licenzy_rows import state_after_burst

    return state_after_burst(period)


def fill_many(entitlements: int) -> dict[str, Any]:
    from benchmarks.sides.licenzy_rows import many_entitlements

    return many_entitlements(entitlements)


# --- the gate ---------------------------------------------------------------------------------------------------------


def gate(numbers: list[int]) -> dict[str, Any]:
    """From the user to the decision, each time another one and nothing remembered."""
    from licenzy_django import access

    def make(number: int) -> Any:
        user = user_of(number)
        return lambda: access.check(user, PRODUCT_CODE)

    return measured(make, numbers)


def gate_memo(numbers: list[int]) -> dict[str, Any]:
    """The second check of a request, and every later one."""
    from django.test import RequestFactory

    from licenzy_django import access

    def make(number: int) -> Any:
        request = RequestFactory().get("/")
        request.user = user_of(number)  # type: ignore[assignment]
        access.check(request, PRODUCT_CODE)
        return lambda: access.check(request, PRODUCT_CODE)

    return measured(make, numbers, times=10)


def gate_cache(numbers: list[int]) -> dict[str, Any]:
    """With ``CACHE`` naming a local-memory cache that knows the subject already."""
    from django.conf import settings
    from django.test import override_settings

    from licenzy_django import access

    def make(number: int) -> Any:
        user = user_of(number)
        access.check(user, PRODUCT_CODE)
        return lambda: access.check(user, PRODUCT_CODE)

    with override_settings(LICENZY=settings.LICENZY | {"CACHE": "default"}):
        return measured(make, numbers)


def user_of(number: int) -> Any:
    from django.contrib.auth.models import User

    return User(pk=number)


# --- the floors, on our own tables ------------------------------------------------------------------------------------


def floor_exists(numbers: list[int]) -> dict[str, Any]:
    """One ORM query on the index that the gate reads, and nothing decided."""
    from licenzy_django.models import Entitlement

    def make(number: int) -> Any:
        subject_ref = f"user_{number}"
        return lambda: Entitlement.objects.filter(subject_ref=subject_ref, mode="test").exists()

    return measured(make, numbers)


def floor_locmem(numbers: list[int]) -> dict[str, Any]:
    """One get from Django's local-memory cache."""
    from django.core.cache import cache

    def make(number: int) -> Any:
        key = f"floor_{number}"
        cache.set(key, True)
        return lambda: cache.get(key)

    return measured(make, numbers)


# --- the webhook ------------------------------------------------------------------------------------------------------


def webhook(**job: Any) -> dict[str, Any]:
    from benchmarks.sides import posting
    from benchmarks.sides.licenzy_rows import knows_period

    return posting.webhook(WEBHOOK_PATH, knows_period, **job)


def webhook_statements(**job: Any) -> dict[str, dict[str, int]]:
    from benchmarks.sides import posting

    return posting.webhook_statements(WEBHOOK_PATH, **job)


def profile(hot_path: str, calls: int) -> str:
    from benchmarks.sides.profiling import profile as profile_of

    return profile_of(hot_path, calls)
