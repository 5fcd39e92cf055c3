"""A shop that is ready to go live, on a Stripe in memory; each test takes one thing away."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from licenzy_django.conf import STRIPE_API_VERSION
from licenzy_django.models import ApiKey
from licenzy_django.stripe import client
from licenzy_django.sync import inbox
from licenzy_django.testing import StripeDouble

WEBHOOK = "https://testserver/v1/webhooks/stripe"
Doctor = Callable[..., tuple[int, str]]


@pytest.fixture
def register(stripe: StripeDouble) -> Callable[..., dict[str, Any]]:
    """``register(api_version=…)``: our webhook endpoint at Stripe, complete unless the test says otherwise."""

    def create(**changed: Any) -> dict[str, Any]:
        params: Any = {"url": WEBHOOK, "enabled_events": list(inbox.REASONS), "api_version": STRIPE_API_VERSION}
        params |= changed
        return client.ask("test", lambda client: client.v1.webhook_endpoints.create(params))

    return create


@pytest.fixture
def ready(stripe: StripeDouble, settings: Any) -> StripeDouble:
    settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != "licenzy_django.simulator"]
    stripe.sell("PRO_MONTHLY")
    configure_portal(
        proration_behavior="always_invoice", schedule_at_period_end={"conditions": [{"type": "decreasing_item_amount"}]}
    )
    ApiKey.objects.issue("test", "the tests")
    return stripe


def configure_portal(**update: Any) -> None:
    """What customers may change in the billing portal."""
    features: Any = {"features": {"subscription_update": update}}
    client.ask("test", lambda client: client.v1.billing_portal.configurations.update("bpc_simulator", features))


@pytest.fixture
def doctor() -> Doctor:
    """``doctor("--offline")``: the exit status and what was said."""

    def run(*arguments: str) -> tuple[int, str]:
        said = StringIO()
        try:
            call_command("licenzy_doctor", *arguments, stdout=said, no_color=True)
        except SystemExit as ended:
            return int(str(ended.code)), said.getvalue()
        return 0, said.getvalue()

    return run
