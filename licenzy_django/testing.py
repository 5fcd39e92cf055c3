"""The host's test kit: a Stripe in memory, real signatures, no network.

In a ``conftest.py``: ``pytest_plugins = ["licenzy_django.testing"]``. Then a test takes ``stripe_double``::

    def test_paying_turns_access_on(stripe_double, client):
        stripe_double.sell("PRO_MONTHLY", kind="subscription")
        assert not access.check("user_1")

        stripe_double.buy("user_1", "PRO_MONTHLY")

        assert access.check("user_1")

Without pytest, ``with stripe_double_in_memory() as stripe_double:`` does the same.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from django.utils import timezone

from licenzy_django import access_cache, checkout, stripe_client
from licenzy_django.models import Entitlement, EntitlementChange, Kind, Product, Subject
from licenzy_django.models.base import new_entitlement_id
from licenzy_django.subjects import subject_ref_of

if TYPE_CHECKING:
    from licenzy_django.simulator.http import SimulatorHTTPClient
    from licenzy_django.simulator.simulator import Simulator

Json = dict[str, Any]
WEBHOOK_SECRET = "whsec_of_the_test_kit"  # noqa: S105

running: list[StripeDouble] = []


def http_client() -> SimulatorHTTPClient:
    """What ``LICENZY["STRIPE_HTTP_CLIENT"]`` names while a double is running."""
    return running[-1].http_client


def now() -> datetime:
    """The double's clock: it stands still unless ``advance`` moves it."""
    return running[-1].now if running else timezone.now()


class StripeDouble:
    """A Stripe account in memory, wired to the app under test."""

    def __init__(self, simulator: Simulator) -> None:
        from licenzy_django.simulator import client_of

        self.simulator = simulator
        self.http_client = client_of(simulator)
        self.undelivered: list[Json] = []

    @property
    def now(self) -> datetime:
        return self.simulator.today

    @property
    def faults(self) -> Any:
        """``faults.add("POST", "/v1/checkout/sessions", "drop_after")`` breaks the next such request."""
        return self.http_client.front.faults

    @property
    def requests(self) -> list[Any]:
        """Every request that Stripe was sent, oldest first."""
        return self.http_client.front.log

    # --- what is sold -------------------------------------------------------------------------------------------------

    def sell(self, code: str, *, kind: str = Kind.SUBSCRIPTION, amount: int = 1900, **terms: Any) -> Product:
        """A product with its price at Stripe; ``interval="year"`` for a yearly subscription, ``trial_days=…``."""
        interval, trial_days = terms.pop("interval", "month"), terms.pop("trial_days", None)
        recurring = {"interval": interval} if kind == Kind.SUBSCRIPTION else None
        price: Json = {"id": f"price_{code.lower()}", "currency": "eur", "unit_amount": amount, "product_name": code}
        price |= {"recurring": recurring, "trial_period_days": trial_days}
        self.simulator.create_price({name: value for name, value in price.items() if value is not None})
        defaults: Json = {Kind.TIME_PASS: {"duration_days": 7}, Kind.USAGE_PACK: {"units": 1000}}.get(Kind(kind), {})
        return Product.objects.create(
            mode="test", code=code, name=code, kind=kind, stripe_price_id=price["id"], **(defaults | terms)
        )

    # --- what customers do --------------------------------------------------------------------------------------------

    def checkout(self, subject: Any, code: str, **given: Any) -> Json:
        """Start a checkout as the app does, and return the open Stripe session."""
        given.setdefault("idempotency_key", uuid4().hex)
        started = checkout.start(subject_ref_of(subject) or "", code, mode="test", **given)
        session_id = started.checkout_url.rsplit("/", 1)[-1]
        return self.simulator.get("checkout.session", session_id)

    def buy(self, subject: Any, code: str, **given: Any) -> Json:
        """Checkout, pay by card, and deliver what Stripe tells of it. Returns the finished session."""
        session = self.simulator.pay(self.checkout(subject, code, **given))
        self.deliver()
        return session

    def renew(self, subscription: Any, *, paid: bool = True) -> Json:
        """The next period, paid or not; delivered."""
        renewed = self.simulator.renew(id_in(subscription, "subscription"), paid=paid)
        self.deliver()
        return renewed

    def cancel(self, subscription: Any, *, at_period_end: bool = False) -> Json:
        act = self.simulator.cancel_at_period_end if at_period_end else self.simulator.cancel
        canceled = act(id_in(subscription, "subscription"))
        self.deliver()
        return canceled

    def refund(self, payment: Any, amount: int | None = None) -> Json:
        """Money back for a session, invoice or payment intent: all of it, or an amount in minor units."""
        refunded = self.simulator.refund(payment, amount=amount)
        self.deliver()
        return refunded

    def dispute(self, payment: Any, **given: Any) -> Json:
        disputed = self.simulator.dispute(payment, **given)
        self.deliver()
        return disputed

    def advance(self, by: timedelta | int | None = None, **duration: float) -> datetime:
        """Move the clock (``days=31``); what falls due happens in order, and is delivered."""
        self.simulator.advance(by if by is not None else timedelta(**duration))
        self.deliver()
        return self.now

    # --- what Stripe tells --------------------------------------------------------------------------------------------

    def take_events(self) -> list[Json]:
        """The events that were not delivered yet, to be delivered in another order or never."""
        return self.simulator.take_events()

    def deliver(
        self,
        events: Sequence[Json] | None = None,
        *,
        times: int = 1,
        shuffled: random.Random | None = None,
        api_version: str | None = "2026-10-28.endive",
        secret: str = WEBHOOK_SECRET,
    ) -> list[int]:
        """Post events, really signed, to the webhook view; returns its statuses.

        Args:
            events: by default all that were not delivered yet.
            times: how often each.
            shuffled: the source of chance for another order.
            api_version: the shape in which Stripe renders them; None renders the newest one without its name.
        """
        sent = list(self.take_events() if events is None else events) * times
        if shuffled is not None:
            shuffled.shuffle(sent)
        return self.simulator.deliver(sent, post=post_to_webhook, secrets=[secret], api_version=api_version)


def post_to_webhook(body: bytes, headers: dict[str, str]) -> int:
    """Hand a request to the webhook view itself; what it raises is raised here."""
    return answer_of_webhook(body, headers).status_code


def answer_of_webhook(body: bytes, headers: dict[str, str]) -> HttpResponse:
    from licenzy_django.webhooks.views import stripe_webhook

    extra = {name: value for name, value in headers.items() if name.lower() != "content-type"}
    request = RequestFactory().post("/", data=body, content_type="application/json", headers=extra)
    return stripe_webhook(request)


def id_in(thing: Any, name: str) -> str:
    """The id itself, or the one that a session names."""
    if isinstance(thing, str):
        return thing
    found: str = thing.get(name) if thing.get("object") == "checkout.session" else thing["id"]
    return found


@contextmanager
def stripe_double_in_memory(simulator: Simulator | None = None) -> Iterator[StripeDouble]:
    """Everything inside talks to a Stripe in memory, in test mode, with the double's clock."""
    from licenzy_django.simulator import Simulator

    double = StripeDouble(simulator or Simulator())
    configured = {
        **getattr(settings, "LICENZY", {}),
        "MODE": "test",
        "TEST_SECRET_KEY": "sk_test_double",
        "TEST_WEBHOOK_SECRETS": [WEBHOOK_SECRET],
        "STRIPE_API_BASE": "",
        "STRIPE_HTTP_CLIENT": "licenzy_django.testing.http_client",
        "CLOCK": "licenzy_django.testing.now",
    }
    configured.setdefault("SUCCESS_URL", "https://testserver/return?session_id={CHECKOUT_SESSION_ID}")
    configured.setdefault("CANCEL_URL", "https://testserver/")
    running.append(double)
    stripe_client.build_client.cache_clear()
    try:
        with override_settings(LICENZY=configured):
            yield double
    finally:
        running.remove(double)
        stripe_client.build_client.cache_clear()


def entitled(subject: Any, product_code: str = "", *, mode: str = "test", **columns: Any) -> Entitlement:
    """Give a subject access without Stripe, as an operator would; the product is made if there is none.

    Args:
        subject: a ``subject_ref``, a user or a request.
        product_code: by default a product that is made for tests.
        columns: of the entitlement, for example ``available_until=…`` or ``units_granted=5``.
    """
    subject_ref = subject_ref_of(subject) or ""
    code = product_code or "TEST_PRODUCT"
    price = f"price_{code.lower()}"
    product, _ = Product.objects.get_or_create(
        mode=mode, code=code, defaults={"name": code, "kind": Kind.SUBSCRIPTION, "stripe_price_id": price}
    )
    owner, _ = Subject.objects.get_or_create(mode=mode, subject_ref=subject_ref)
    granted = columns.setdefault("units_granted", product.units or 0)
    public_id = new_entitlement_id()
    row: Json = {"public_id": public_id, "source_id": public_id, "source": "portal", "status": "active"}
    row |= {"grants_access": True, "starts_at": timezone.now(), "units_remaining": granted, **columns}
    with transaction.atomic():
        entitlement = Entitlement.objects.create(
            mode=mode, subject=owner, subject_ref=subject_ref, product=product, **row
        )
        EntitlementChange.objects.create(mode=mode, entitlement=entitlement, reason="manual_grant", source="portal")
        access_cache.changed(subject_ref, mode)
    return entitlement


def in_every_order(events: Sequence[Json]) -> Iterator[list[Json]]:
    """Each order of the events, for short histories: n! of them."""
    from itertools import permutations

    return (list(order) for order in permutations(events))


try:
    import pytest
except ImportError:
    pass
else:

    @pytest.fixture
    def stripe_double(db: None) -> Iterator[StripeDouble]:
        """A Stripe in memory, wired to the app."""
        with stripe_double_in_memory() as double:
            yield double


__all__: Sequence[str] = (
    "StripeDouble",
    "entitled",
    "in_every_order",
    "stripe_double_in_memory",
)
