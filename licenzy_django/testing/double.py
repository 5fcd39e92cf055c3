"""The double: a Stripe account in memory, and what customers do with it."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django.http import HttpResponse
from django.test import RequestFactory

from licenzy_django import catalog, checkout
from licenzy_django.models import Kind, Mode, Product

if TYPE_CHECKING:
    from licenzy_django.simulator.simulator import Simulator

Json = dict[str, Any]
WEBHOOK_SECRET = "whsec_of_the_test_kit"  # noqa: S105
USUAL_TERMS: dict[str, Json] = {Kind.TIME_PASS: {"duration_days": 7}, Kind.USAGE_PACK: {"units": 1000}}


class StripeDouble:
    """A Stripe account in memory, wired to the app under test.

    What customers do is delivered at once, really signed, to the webhook view. ``simulator`` has every other verb; what
    it does waits for ``deliver()``.
    """

    def __init__(self, simulator: Simulator) -> None:
        from licenzy_django.simulator import client_of

        self.simulator = simulator
        self.http_client = client_of(simulator)
        self.is_held_back = False

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
        """A product with its price at Stripe; of a product that exists already, only the price.

        Args:
            amount: of one, in minor units.
            terms: ``interval="year"``, and the product's own: ``features``, ``group``, ``is_add_on``, ``grace_days``,
                ``trial_days``, ``trial_card``, ``duration_days`` (7), ``units`` (of a pack 1000), ``valid_days``,
                ``unit``, ``units_every``, ``units_per``, ``rollover_units``, ``rollover_windows``, ``trial_units``.
        """
        interval = terms.pop("interval", "month")
        product = Product.objects.filter(mode=Mode.TEST, code=code).first()
        if product is None:
            usual = {"name": code, "stripe_price_id": f"price_{code.lower()}", **USUAL_TERMS.get(kind, {})}
            product = Product.objects.create(mode=Mode.TEST, code=code, kind=kind, **(usual | terms))
        price: Json = {"id": product.stripe_price_id, "currency": "eur", "unit_amount": amount, "product_name": code}
        if product.is_recurring:
            price |= {"recurring": {"interval": interval}}
        self.simulator.create_price(price)
        return product

    def sell_catalog(self, path: str | Path) -> list[Product]:
        """What a file of ``licenzy_catalog`` sells in test mode.

        Each has a price at the file's amount, or of 19.00 a month or at once.
        """
        entries = [entry for entry in json.loads(Path(path).read_text()) if entry["mode"] == Mode.TEST]
        for entry in entries:
            if "stripe_lookup_key" in entry and "amount" not in entry:
                self.name_price(entry)
        catalog.load(entries)
        for step in catalog.push_plan(Mode.TEST):
            catalog.carry_out(step)
        products = Product.objects.filter(mode=Mode.TEST, code__in=[entry["code"] for entry in entries])
        for product in products:
            if not product.stripe_lookup_key:
                self.sell(product.code)
        return list(products)

    def name_price(self, entry: Json) -> None:
        """Make the price that a lookup key names."""
        recurring = {"recurring": {"interval": "month"}} if entry["kind"] == Kind.SUBSCRIPTION else {}
        named = {"lookup_key": entry["stripe_lookup_key"], "product_name": entry["name"], "transfer_lookup_key": True}
        self.simulator.create_price({"currency": "eur", "unit_amount": 1900, **named, **recurring})

    # --- what customers do --------------------------------------------------------------------------------------------

    def checkout(self, subject: Any, code: str, **given: Any) -> Json:
        """Start a checkout as the app does, and return the open Stripe session."""
        given.setdefault("idempotency_key", uuid4().hex)
        started = checkout.start(subject, code, mode="test", **given)
        return self.session(started.checkout_url)

    def session(self, page: str) -> Json:
        """The Stripe session behind the address of a payment page, as it is now."""
        return self.simulator.get("checkout.session", session_id_in(page))

    def buy(self, subject: Any, code: str, **given: Any) -> Json:
        """Checkout, pay by card, and deliver what Stripe tells of it. Returns the finished session."""
        return self.pay(self.checkout(subject, code, **given))

    def pay(self, page: Any) -> Json:
        """Pay by card on a payment page: its address, as your view redirects to it, or its session."""
        return self.delivered(self.simulator.pay(session_id_in(page)))

    def pay_by_bank(self, page: Any, *, arrives: bool | None = None) -> Json:
        """By a bank debit, which takes days: ``arrives`` says whether the money came; None means it is on its way.

        Called again with the finished session it decides what was on its way.
        """
        session = self.simulator.get("checkout.session", session_id_in(page))
        if session["status"] == "open":
            session = self.delivered(self.simulator.pay_by_bank(session["id"]))
        if arrives is not None:
            act = self.simulator.settle_bank if arrives else self.simulator.bounce_bank
            session = self.delivered(act(session["id"]))
        return session

    def set_card(self, customer: Any, *, works: bool) -> Json:
        """Whether the card is charged from now on: that of a session, a subscription, or a customer's id."""
        return self.delivered(
            self.simulator.set_card(customer if isinstance(customer, str) else customer["customer"], works)
        )

    def renew(self, subscription: Any, *, paid: bool = True) -> Json:
        """On to the next period, paid or not. What failed is retried after days, and paid if the card works then."""
        return self.delivered(self.simulator.renew(id_in(subscription, "subscription"), paid=paid))

    def cancel(self, subscription: Any, *, at_period_end: bool = False) -> Json:
        act = self.simulator.cancel_at_period_end if at_period_end else self.simulator.cancel
        return self.delivered(act(id_in(subscription, "subscription")))

    def refund(self, payment: Any, amount: int | None = None) -> Json:
        """Money back for a session, invoice or payment intent: all of it, or an amount in minor units."""
        return self.delivered(self.simulator.refund(payment, amount=amount))

    def dispute(self, payment: Any, **given: Any) -> Json:
        """The customer's bank takes the money back; ``close_dispute`` says who gets it in the end."""
        return self.delivered(self.simulator.dispute(payment, **given))

    def close_dispute(self, dispute: Any, *, won: bool) -> Json:
        return self.delivered(self.simulator.close_dispute(dispute, "won" if won else "lost"))

    def advance(self, by: timedelta | int | None = None, **duration: float) -> datetime:
        """Move the clock (``days=31``); what falls due happens in order, and is delivered."""
        self.simulator.advance(by if by is not None else timedelta(**duration))
        self.delivered({})
        return self.now

    # --- what Stripe tells --------------------------------------------------------------------------------------------

    @contextmanager
    def webhooks_held_back(self) -> Iterator[None]:
        """Inside nothing is delivered; afterwards ``deliver()`` brings it, in any order, as often as you like."""
        self.is_held_back = True
        try:
            yield
        finally:
            self.is_held_back = False

    def delivered(self, outcome: Json) -> Json:
        if not self.is_held_back:
            self.deliver()
        return outcome

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


def session_id_in(page: Any) -> str:
    """The id of a session that is named by its id, its address, or itself."""
    if not isinstance(page, str):
        page = page["id"]
    return str(page).rstrip("/").rsplit("/", 1)[-1].partition("?")[0].partition("#")[0]


def in_every_order(events: Sequence[Json]) -> Iterator[list[Json]]:
    """Each order of the events, for short histories: n! of them."""
    from itertools import permutations

    return (list(order) for order in permutations(events))
