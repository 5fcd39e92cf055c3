"""Real Checkout pages, paid with the test card in Chromium: what no API call can show."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import stripe

from conformance.account import plain
from conformance.real import Shelf, client_of
from conformance.scenario import ODD, Row, Seen, rows_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

BACK = "https://example.com/"
GOOD, DECLINED = "4242424242424242", "4000000000000002"
"""https://docs.stripe.com/testing"""
PAGE_SECONDS = 60


def played(key: str) -> dict[str, list[Row]]:
    """The pages at Stripe; nothing without a key, since the simulator's pages have their own tests."""
    if not key:
        return {}
    from playwright.sync_api import sync_playwright

    client = client_of(key)
    shelf = Shelf(client)
    with sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=os.environ.get("CHROMIUM") or None)
        try:
            return {"stripe, in Chromium": [row for page in PAGES for row in page(client, shelf, chromium)]}
        finally:
            chromium.close()
            shelf.clear()


def opened(chromium: Any, session: Any) -> Page:
    page: Page = chromium.new_page(locale="en-US")
    page.set_default_timeout(PAGE_SECONDS * 1000)
    page.goto(session.url)
    return page


def fill(page: Page, card: str) -> None:
    """The form of a hosted page. A field that this account's settings do not show is left out."""
    from playwright.sync_api import Error

    page.locator("#cardNumber").wait_for()
    values = {"#email": "ada@example.com", "#cardNumber": card, "#cardExpiry": "12 / 34", "#cardCvc": "123"}
    values |= {"#billingName": "Ada Lovelace", "#billingPostalCode": "94107"}
    for field, value in values.items():
        with suppress(Error):
            page.locator(field).fill(value, timeout=3000)
    with suppress(Error):
        # Link would ask for a phone number.
        page.locator("#enableStripePass").uncheck(timeout=2000)
    page.locator(".SubmitButton").click()


def session_of(client: stripe.StripeClient, price: str, mode: str, **more: Any) -> Any:
    asked: Any = {"mode": mode, "line_items": [{"price": price, "quantity": 1}], "success_url": BACK, **more}
    return client.v1.checkout.sessions.create(asked)


def a_page_that_is_paid(client: stripe.StripeClient, shelf: Shelf, chromium: Any) -> list[Row]:
    """https://docs.stripe.com/payments/checkout/how-checkout-works"""

    def play(seen: Seen) -> str:
        session = session_of(client, shelf.price(2000, "month", "eur"), "subscription")
        page = opened(chromium, session)
        fill(page, GOOD)
        page.wait_for_url(f"{BACK}**")
        found = plain(client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]}))
        seen("session", (found["status"], found["payment_status"], found["amount_total"]), ("complete", "paid", 2000))
        seen("subscription", found["subscription"]["status"], "active")
        return str(found["customer"])

    return of_page("a Checkout page that is paid", client, play)


def a_page_with_a_trial(client: stripe.StripeClient, shelf: Shelf, chromium: Any) -> list[Row]:
    """https://docs.stripe.com/payments/checkout/free-trials"""

    def play(seen: Seen) -> str:
        trial = {"subscription_data": {"trial_period_days": 14}}
        session = session_of(client, shelf.price(2000, "month", "eur"), "subscription", **trial)
        page = opened(chromium, session)
        fill(page, GOOD)
        page.wait_for_url(f"{BACK}**")
        found = plain(client.v1.checkout.sessions.retrieve(session.id, {"expand": ["subscription"]}))
        expected = ("complete", "no_payment_required", 0)
        seen("session", (found["status"], found["payment_status"], found["amount_total"]), expected)
        seen("subscription", found["subscription"]["status"], "trialing")
        return str(found["customer"])

    return of_page("a Checkout page with a trial", client, play)


def a_page_whose_card_is_declined(client: stripe.StripeClient, shelf: Shelf, chromium: Any) -> list[Row]:
    """https://docs.stripe.com/testing#declined-payments"""

    def play(seen: Seen) -> str:
        session = session_of(client, shelf.price(2000, "", "eur"), "payment")
        page = opened(chromium, session)
        fill(page, DECLINED)
        page.get_by_text("declined").first.wait_for()
        found = client.v1.checkout.sessions.retrieve(session.id)
        seen("session", (found.status, found.payment_status), ("open", "unpaid"))
        client.v1.checkout.sessions.expire(session.id)
        return str(found.customer or "")

    return of_page("a Checkout page whose card is declined", client, play)


def of_page(name: str, client: stripe.StripeClient, play: Callable[[Seen], str]) -> list[Row]:
    """The comparisons of one page; the customer that it made is deleted, and with it what renews."""
    from playwright.sync_api import Error

    customers: list[str] = []
    try:
        return rows_of(name, lambda seen: customers.append(play(seen)), (*ODD, Error))
    finally:
        for customer in filter(None, customers):
            with suppress(stripe.StripeError):
                client.v1.customers.delete(customer)


PAGES = (a_page_that_is_paid, a_page_with_a_trial, a_page_whose_card_is_declined)
