"""vinta-django-billing 0.11.0: plans, limits and entitlements, billed to a scope."""

from __future__ import annotations

from typing import Any

from benchmarks import stripe_objects
from benchmarks.sides import tables
from benchmarks.sides.timing import measured

ENTITLEMENT = "export"
LABELS = ["vinta_billing"]
WEBHOOK_PATH = "/billing/payments/1/subscription-payment-update/stripe/"


def settings() -> dict[str, Any]:
    return {
        "INSTALLED_APPS": ["rest_framework", "vinta_billing.apps.BillingConfig"],
        "ROOT_URLCONF": "benchmarks.sides.vinta_urls",
        "REST_FRAMEWORK": {"DEFAULT_THROTTLE_RATES": {"payment-webhook": None}},
        "VINTA_BILLING": {
            "DEFAULT_PROVIDER": "stripe",
            "PROVIDERS": {
                "stripe": {"API_KEY": stripe_objects.SECRET_KEY, "WEBHOOK_SECRET": stripe_objects.WEBHOOK_SECRET}
            },
        },
    }


def make_tables() -> float:
    return tables.make(from_models=True)


def footprint() -> dict[str, Any]:
    return tables.footprint(LABELS)


def fill(subscribers: int) -> None:
    from django.contrib.auth.models import User
    from django.contrib.contenttypes.models import ContentType
    from vinta_billing import models

    register()
    plan = models.BillingPlan.objects.create(slug="pro", name="Pro", monthly_price=19, currency="EUR")
    models.PlanEntitlement.objects.create(plan=plan, entitlement_key=ENTITLEMENT, is_enabled=True)
    numbers = range(1, subscribers + 1)
    users = User.objects.bulk_create((User(username=f"user_{n}", email=f"{n}@example.com") for n in numbers), 1000)
    of_users = ContentType.objects.get_for_model(User)
    scopes = [
        models.BillingScope(content_type=of_users, object_id=str(user.pk), owner=user, scope_type="user")
        for user in users
    ]
    for scope in scopes:
        scope.scope_key = scope.build_scope_key()
    scopes = models.BillingScope.objects.bulk_create(scopes, 1000)
    addresses = models.BillingAddress.objects.bulk_create(
        (models.BillingAddress(street_name="A", street_number="1", city="B", state="C", country="D") for _ in scopes),
        1000,
    )
    models.BillingProfile.objects.bulk_create(
        (
            models.BillingProfile(
                scope=scope, contact_first_name="A", contact_email="a@example.com", billing_address=address
            )
            for scope, address in zip(scopes, addresses, strict=True)
        ),
        1000,
    )
    subscriptions = models.Subscription.objects.bulk_create(
        (subscription_of(scope, plan, n) for scope, n in zip(scopes, numbers, strict=True)), 1000
    )
    models.SubscriptionEntitlement.objects.bulk_create(
        (
            models.SubscriptionEntitlement(subscription=row, entitlement_key=ENTITLEMENT, is_enabled=True)
            for row in subscriptions
        ),
        1000,
    )


def subscription_of(scope: Any, plan: Any, number: int) -> Any:
    from datetime import UTC, datetime

    from vinta_billing import models

    return models.Subscription(
        scope=scope,
        plan=plan,
        status="active",
        billing_state="active",
        billing_interval="monthly",
        current_period_start=datetime.fromtimestamp(stripe_objects.starts_at(0), UTC),
        current_period_end=datetime.fromtimestamp(stripe_objects.starts_at(1), UTC),
        external_id=f"sub_{number}",
        payment_provider="stripe",
    )


def register() -> None:
    from vinta_billing.registry import entitlements

    if ENTITLEMENT not in entitlements:
        entitlements.register(ENTITLEMENT, label="Export")


def gate(numbers: list[int]) -> dict[str, Any]:
    """With the scope at hand."""
    from vinta_billing.services.container import get_entitlement_service

    scopes = scopes_of(numbers)

    def make(number: int) -> Any:
        scope = scopes[number]
        return lambda: get_entitlement_service().has_entitlement(scope, ENTITLEMENT)

    return measured(make, numbers)


def gate_from_user(numbers: list[int]) -> dict[str, Any]:
    """From the user, as a view has it."""
    from django.contrib.auth.models import User
    from vinta_billing.models import BillingScope
    from vinta_billing.services.container import get_entitlement_service

    register()
    users = {row.username: row for row in User.objects.filter(username__in=[f"user_{number}" for number in numbers])}

    def make(number: int) -> Any:
        user = users[f"user_{number}"]
        return lambda: get_entitlement_service().has_entitlement(BillingScope.objects.scope_for(user), ENTITLEMENT)

    return measured(make, numbers)


def gate_memo(numbers: list[int]) -> dict[str, Any]:
    """The second check inside its ``entitlement_request_cache``, and every later one."""
    from vinta_billing.entitlement_cache import entitlement_request_cache, has_entitlement_cached
    from vinta_billing.services.container import get_entitlement_service

    scopes = scopes_of(numbers)

    def make(number: int) -> Any:
        scope = scopes[number]
        has_entitlement_cached(get_entitlement_service(), scope, ENTITLEMENT)
        return lambda: has_entitlement_cached(get_entitlement_service(), scope, ENTITLEMENT)

    with entitlement_request_cache():
        return measured(make, numbers, times=10)


def scopes_of(numbers: list[int]) -> dict[int, Any]:
    from vinta_billing.models import BillingScope

    register()
    rows = BillingScope.objects.filter(owner__username__in=[f"user_{number}" for number in numbers])
    return {int(username.removeprefix("user_")): row for row in rows for username in [row.owner.username]}


def webhook(**job: Any) -> dict[str, Any]:
    register()
    from benchmarks.sides import posting

    return posting.webhook(WEBHOOK_PATH, knows_period, **job)


def webhook_statements(**job: Any) -> dict[str, dict[str, int]]:
    register()
    from benchmarks.sides import posting

    return posting.webhook_statements(WEBHOOK_PATH, **job)


def knows_period(number: int, period: int) -> bool:
    """It writes down that the invoice was paid; a subscription's own events it leaves alone."""
    from vinta_billing.models import Payment

    return Payment.objects.filter(external_id=f"pi_{number}_{period}", status="approved").exists()
