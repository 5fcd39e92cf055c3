"""An account at Stripe, real or simulated, as the scenarios use it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import stripe

from licenzy_django.sync.inbox import HANDLED

DAY, HOUR = 86_400, 3_600
NAME = "licenzy conformance"
START = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
"""When every scenario begins: a month of 30 days."""
Json = dict[str, Any]


class Account(ABC):
    """One account for one scenario: a clock of its own, customers on that clock, prices that all scenarios share.

    Attributes:
        client: the real stripe library.
    """

    client: stripe.StripeClient

    # --- time ---------------------------------------------------------------------------------------------------------

    @property
    @abstractmethod
    def now(self) -> int:
        """Of its clock, in Unix seconds."""

    @abstractmethod
    def advance_to(self, at: int) -> None:
        """Moves the clock, and waits until what falls due on the way is done."""

    def advance(self, *, days: float = 0, hours: float = 0) -> None:
        self.advance_to(self.now + int(days * DAY + hours * HOUR))

    # --- what is sold and who buys ------------------------------------------------------------------------------------

    @abstractmethod
    def price(self, amount: int, interval: str = "month", currency: str = "eur") -> str:
        """The id of a price of the amount, in the currency's smallest unit. ``interval`` may be empty: paid once."""

    of_its_customers: Any = {}
    """Further parameters of each customer."""

    def customer(self, card: str = "pm_card_visa") -> str:
        """The id of a new customer with this test card as the default, or without any card.

        https://docs.stripe.com/testing
        """
        wanted: Any = {"name": NAME, **self.of_its_customers}
        made = self.client.v1.customers.create(wanted)
        if card:
            self.give_card(made.id, card)
        return made.id

    @abstractmethod
    def coupon(self, **what: Any) -> str:
        """The id of a new coupon."""

    def give_card(self, customer: str, card: str) -> str:
        """Makes a test card the customer's default. Returns its id."""
        method = self.client.v1.payment_methods.attach(card, {"customer": customer})
        self.client.v1.customers.update(customer, {"invoice_settings": {"default_payment_method": method.id}})
        return method.id

    def subscribe(self, customer: str, *prices: str | tuple[str, int], **more: Any) -> Json:
        """A subscription to these prices, each once or with its quantity."""
        pairs = (price if isinstance(price, tuple) else (price, 1) for price in prices)
        items = [{"price": price, "quantity": quantity} for price, quantity in pairs]
        params: Any = {"customer": customer, "items": items, "expand": ["latest_invoice"], **more}
        return plain(self.client.v1.subscriptions.create(params))

    # --- what there is ------------------------------------------------------------------------------------------------

    def subscription(self, subscription: Json) -> Json:
        """As it is now, with its latest invoice."""
        return plain(self.client.v1.subscriptions.retrieve(subscription["id"], {"expand": ["latest_invoice"]}))

    def change(self, subscription: Json, **params: Any) -> Json:
        asked: Any = {"expand": ["latest_invoice"], **params}
        return plain(self.client.v1.subscriptions.update(subscription["id"], asked))

    def invoices(self, subscription: Json) -> list[Json]:
        """The oldest first."""
        return [plain(each) for each in self.client.v1.invoices.list({"subscription": subscription["id"]}).data][::-1]

    def told(self, about: str) -> set[str]:
        """The types of the events about a customer, or a session, that licenzy_django acts on. In no order."""
        listed = self.client.v1.events.list({"limit": 100}).auto_paging_iter()
        events = [plain(event) for _, event in zip(range(MOST_EVENTS), listed, strict=False)]
        # A dispute, or the payment of an invoice, names its charge or its invoice alone.
        ids = {event["data"]["object"]["id"] for event in events if about in names_in(event)}
        return {event["type"] for event in events if ids & names_in(event) and event["type"] in HANDLED}

    @abstractmethod
    def rest(self) -> None:
        """Waits for what Stripe does some seconds after an answer, whatever the test clock says."""

    @abstractmethod
    def leave(self) -> None:
        """Removes what the scenario made."""


MOST_EVENTS = 1000


def names_in(event: Json) -> set[str]:
    """The objects that an event is about."""
    about = event["data"]["object"]
    return {
        about[name]
        for name in ("id", "customer", "invoice", "charge", "payment_intent")
        if isinstance(about.get(name), str)
    }


def price_params(amount: int, interval: str, currency: str) -> Any:
    rhythm = {"recurring": {"interval": interval}} if interval else {}
    product = {"name": f"licenzy conformance {amount} {currency} {interval or 'once'}"}
    return {"currency": currency, "unit_amount": amount, "product_data": product, **rhythm}


def plain(stripe_object: Any) -> Json:
    """As a plain dict, which has no surprises."""
    found: Json = stripe_object.to_dict()
    return found


def only(items: Iterable[Any]) -> Any:
    """The one that there is. Raises ValueError."""
    [item] = items
    return item
