"""dj-stripe 2.11.0: mirrors Stripe; ``Customer.is_subscribed_to`` answers from the mirror."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from benchmarks import stripe_objects
from benchmarks.sides import tables
from benchmarks.sides.timing import measured

ENDPOINT_UUID = UUID("00000000-0000-4000-8000-000000000001")
WEBHOOK_PATH = f"/webhook/{ENDPOINT_UUID}/"
LABELS = ["djstripe"]


def settings() -> dict[str, Any]:
    return {
        "INSTALLED_APPS": ["djstripe"],
        "ROOT_URLCONF": "djstripe.urls",
        "STRIPE_TEST_SECRET_KEY": stripe_objects.SECRET_KEY,
        "STRIPE_LIVE_MODE": False,
        "DJSTRIPE_FOREIGN_KEY_TO_FIELD": "id",
    }


def make_tables() -> float:
    """Its migrations take a minute or more, so the tables come from the models; ``footprint`` times the migrations."""
    return tables.make(from_models=True)


def footprint() -> dict[str, Any]:
    return tables.footprint(LABELS)


def fill(subscribers: int) -> None:
    from django.contrib.auth.models import User
    from djstripe import models

    account = models.Account.objects.create(id="acct_1", livemode=False)
    key_type, is_live = models.api.get_api_key_details_by_prefix(stripe_objects.SECRET_KEY)
    models.APIKey.objects.create(
        secret=stripe_objects.SECRET_KEY, type=key_type, livemode=is_live, djstripe_owner_account=account
    )
    models.WebhookEndpoint.objects.create(
        id="we_1",
        livemode=False,
        url="https://testserver/",
        secret=stripe_objects.WEBHOOK_SECRET,
        status="enabled",
        enabled_events=["*"],
        djstripe_uuid=ENDPOINT_UUID,
        djstripe_owner_account=account,
    )
    common = {"livemode": False, "djstripe_owner_account": account}
    product = models.Product.objects.create(
        id=stripe_objects.PRODUCT, name="Pro", stripe_data=stripe_objects.product(), **common
    )
    price = models.Price.objects.create(
        id=stripe_objects.PRICE,
        active=True,
        currency="eur",
        product=product,
        stripe_data=stripe_objects.price(),
        **common,
    )
    numbers = range(1, subscribers + 1)
    users = User.objects.bulk_create((User(username=f"user_{n}", email=f"{n}@example.com") for n in numbers), 1000)
    customers = models.Customer.objects.bulk_create(
        (
            models.Customer(id=f"cus_{n}", subscriber=user, stripe_data={"id": f"cus_{n}"}, **common)
            for n, user in zip(numbers, users, strict=True)
        ),
        1000,
    )
    subscriptions = models.Subscription.objects.bulk_create(
        (
            models.Subscription(
                id=f"sub_{n}", customer=customer, stripe_data=stripe_objects.subscription(n, 0), **common
            )
            for n, customer in zip(numbers, customers, strict=True)
        ),
        1000,
    )
    models.SubscriptionItem.objects.bulk_create(
        (
            models.SubscriptionItem(id=f"si_{n}", price=price, subscription=subscription, **common)
            for n, subscription in zip(numbers, subscriptions, strict=True)
        ),
        1000,
    )


def gate(numbers: list[int]) -> dict[str, Any]:
    """With the customer at hand."""
    from djstripe.models import Customer

    customers = {row.id: row for row in Customer.objects.filter(id__in=[f"cus_{number}" for number in numbers])}

    def make(number: int) -> Any:
        customer = customers[f"cus_{number}"]
        return lambda: customer.is_subscribed_to(stripe_objects.PRODUCT)

    return measured(make, numbers)


def gate_from_user(numbers: list[int]) -> dict[str, Any]:
    """From the user, as a view has it."""
    from django.contrib.auth.models import User
    from djstripe.models import Customer

    users = {row.username: row for row in User.objects.filter(username__in=[f"user_{number}" for number in numbers])}

    def make(number: int) -> Any:
        user = users[f"user_{number}"]
        return lambda: Customer.objects.get(subscriber=user).is_subscribed_to(stripe_objects.PRODUCT)

    return measured(make, numbers)


def webhook(**job: Any) -> dict[str, Any]:
    from benchmarks.sides import posting

    return posting.webhook(WEBHOOK_PATH, knows_period, **job)


def webhook_statements(**job: Any) -> dict[str, dict[str, int]]:
    from benchmarks.sides import posting

    return posting.webhook_statements(WEBHOOK_PATH, **job)


def knows_period(number: int, period: int) -> bool:
    from djstripe.models import Invoice, Subscription

    renewed = Subscription.objects.get(id=f"sub_{number}").stripe_data["current_period_end"]
    is_renewed: bool = renewed == stripe_objects.starts_at(period + 1)
    return is_renewed or Invoice.objects.filter(id=f"in_{number}_{period}").exists()
