"""Subscriptions begin."""

from __future__ import annotations

from conformance import reading
from conformance.account import DAY, Account, only
from conformance.scenario import Seen, scenario


@scenario("billing/subscriptions/overview#subscription-statuses")
def a_card_pays_the_first_invoice(account: Account, seen: Seen) -> None:
    customer = account.customer()
    made = account.subscribe(customer, account.price(2000))
    seen("status", made["status"], "active")
    seen("invoice", reading.bill(made["latest_invoice"]), ("subscription_create", "paid", 2000, 2000))
    seen("lines", reading.lines(made["latest_invoice"]), [(2000, 0, 30, False)])
    seen("period", reading.period(made), (0, 30))
    told = account.told(customer)
    seen(
        "events",
        told,
        {"customer.subscription.created", "invoice.paid", "invoice.payment_succeeded", "invoice_payment.paid"},
    )


@scenario("billing/subscriptions/quantities")
def several_seats(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), (account.price(2000), 3))
    seen("invoice", reading.bill(made["latest_invoice"]), ("subscription_create", "paid", 6000, 6000))
    seen("lines", reading.lines(made["latest_invoice"]), [(6000, 0, 30, False)])


@scenario("billing/subscriptions/quantities#multiple-products")
def several_items(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000), (account.price(500), 2))
    seen("items", reading.amounts_of_items(made), [(500, 2), (2000, 1)])
    seen("lines", reading.lines(made["latest_invoice"]), [(1000, 0, 30, False), (2000, 0, 30, False)])


@scenario("currencies#zero-decimal")
def a_currency_without_cents(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(3000, currency="jpy"))
    seen("invoice", reading.bill(made["latest_invoice"]), ("subscription_create", "paid", 3000, 3000))
    seen("currency", made["latest_invoice"]["currency"], "jpy")


@scenario("billing/subscriptions/overview#payment-behavior")
def a_first_payment_that_waits(account: Account, seen: Seen) -> None:
    customer = account.customer(card="")
    made = account.subscribe(customer, account.price(2000), payment_behavior="default_incomplete")
    seen("status", made["status"], "incomplete")
    seen("invoice", reading.bill(made["latest_invoice"]), ("subscription_create", "open", 2000, 0))
    account.advance(hours=24)
    seen("after 23 hours", account.subscription(made)["status"], "incomplete_expired")
    seen("its invoice then", only(account.invoices(made))["status"], "void")


@scenario("billing/subscriptions/overview#subscription-payment-behavior")
def a_first_payment_that_fails(account: Account, seen: Seen) -> None:
    customer = account.customer(card="pm_card_chargeCustomerFail")
    made = account.subscribe(customer, account.price(2000), payment_behavior="allow_incomplete")
    seen("status", made["status"], "incomplete")
    seen("invoice", reading.bill(made["latest_invoice"]), ("subscription_create", "open", 2000, 0))
    seen("events", account.told(customer), {"customer.subscription.created", "invoice.payment_failed"})


@scenario("api/subscriptions/create#create_subscription-payment_behavior")
def a_first_payment_that_must_not_fail(account: Account, seen: Seen) -> None:
    customer, price = account.customer(card="pm_card_chargeCustomerFail"), account.price(2000)
    seen.refused(
        "a subscription",
        lambda: account.subscribe(customer, price, payment_behavior="error_if_incomplete"),
        402,
        "card_declined",
    )
    seen("subscriptions", len(account.client.v1.subscriptions.list({"customer": customer, "status": "all"}).data), 0)


@scenario("billing/subscriptions/billing-cycle#new-subscriptions")
def an_anchor_ahead_is_billed_in_part(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(3000), billing_cycle_anchor=account.now + 10 * DAY)
    seen("status", made["status"], "active")
    # The cycle that ends at the anchor began on 11 October, and has 31 days.
    seen("lines", reading.lines(made["latest_invoice"]), [(968, 0, 10, True)])
    seen("period", reading.period(made), (0, 10))


@scenario("billing/subscriptions/billing-cycle#new-subscriptions")
def an_anchor_ahead_that_is_free_until_then(account: Account, seen: Seen) -> None:
    made = account.subscribe(
        account.customer(),
        account.price(3000),
        billing_cycle_anchor=account.now + 10 * DAY,
        proration_behavior="none",
    )
    seen("status", made["status"], "active")
    seen("its invoice", made["latest_invoice"], None)
    account.advance(days=10, hours=2)
    seen("the first one", reading.lines(only(account.invoices(made))), [(3000, 10, 40, False)])


@scenario("invoicing/overview#zero-amount")
def what_costs_nothing(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(card=""), account.price(0))
    seen("status", made["status"], "active")
    seen("invoice", reading.bill(made["latest_invoice"]), ("subscription_create", "paid", 0, 0))


@scenario("billing/collection-method")
def an_invoice_that_is_sent(account: Account, seen: Seen) -> None:
    customer = account.customer(card="")
    made = account.subscribe(customer, account.price(2000), collection_method="send_invoice", days_until_due=7)
    seen("status", made["status"], "active")
    account.advance(hours=2)
    [invoice] = account.invoices(made)
    seen(
        "invoice",
        (invoice["status"], invoice["amount_due"], invoice["collection_method"]),
        ("open", 2000, "send_invoice"),
    )
    account.advance(days=8)
    seen("after it was due", account.subscription(made)["status"], "past_due")
    account.client.v1.invoices.pay(invoice["id"], {"paid_out_of_band": True})
    now = account.subscription(made)
    seen("after it was paid elsewhere", (now["status"], now["latest_invoice"]["status"]), ("active", "paid"))
