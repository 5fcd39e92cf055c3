"""Periods that follow, paid or not."""

from __future__ import annotations

from conformance import reading
from conformance.account import Account, Json
from conformance.scenario import Seen, scenario


def with_a_failed_renewal(account: Account) -> tuple[str, Json]:
    """A customer whose card is not charged any more, one month later."""
    customer = account.customer()
    made = account.subscribe(customer, account.price(2000))
    account.give_card(customer, "pm_card_chargeCustomerFail")
    account.advance(days=30, hours=2)
    return customer, account.subscription(made)


@scenario("billing/invoices/subscription#subscription-lifecycle-events")
def a_renewal_is_paid(account: Account, seen: Seen) -> None:
    customer = account.customer()
    made = account.subscribe(customer, account.price(2000))
    account.advance(days=30, hours=2)
    now = account.subscription(made)
    seen("status", now["status"], "active")
    seen("period", reading.period(now), (30, 61))
    seen("invoice", reading.bill(now["latest_invoice"]), ("subscription_cycle", "paid", 2000, 2000))
    seen("line", reading.lines(now["latest_invoice"]), [(2000, 30, 61, False)])
    seen("told", "customer.subscription.updated" in account.told(customer), True)


@scenario("billing/invoices/subscription#the-invoice-draft-period")
def a_renewal_rests_as_a_draft_for_an_hour(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000))
    account.advance(days=30, hours=0.5)
    now = account.subscription(made)
    seen("status", now["status"], "active")
    seen("period", reading.period(now), (30, 61))
    seen("invoice", reading.bill(now["latest_invoice"]), ("subscription_cycle", "draft", 2000, 0))


@scenario("billing/subscriptions/overview#subscription-statuses")
def a_renewal_fails(account: Account, seen: Seen) -> None:
    customer, now = with_a_failed_renewal(account)
    invoice = now["latest_invoice"]
    seen("status", now["status"], "past_due")
    seen("period", reading.period(now), (30, 61))
    seen("invoice", reading.bill(invoice), ("subscription_cycle", "open", 2000, 0))
    seen("tries", invoice["attempt_count"], 1)
    seen("told", "invoice.payment_failed" in account.told(customer), True)


@scenario("billing/subscriptions/overview#subscription-statuses")
def a_failed_renewal_is_paid_with_another_card(account: Account, seen: Seen) -> None:
    customer, failed = with_a_failed_renewal(account)
    account.give_card(customer, "pm_card_visa")
    account.client.v1.invoices.pay(failed["latest_invoice"]["id"])
    now = account.subscription(failed)
    seen("status", now["status"], "active")
    seen("invoice", reading.bill(now["latest_invoice"]), ("subscription_cycle", "paid", 2000, 2000))


@scenario("billing/subscriptions/overview")
def a_failed_renewal_is_voided(account: Account, seen: Seen) -> None:
    """Voided invoices do not count for the status: the one before was paid."""
    _, failed = with_a_failed_renewal(account)
    account.client.v1.invoices.void_invoice(failed["latest_invoice"]["id"])
    now = account.subscription(failed)
    seen("invoice", now["latest_invoice"]["status"], "void")
    seen("status", now["status"], "active")


@scenario("billing/subscriptions/overview")
def a_failed_renewal_is_written_off(account: Account, seen: Seen) -> None:
    """Marking the latest invoice as uncollectible makes the subscription active again."""
    _, failed = with_a_failed_renewal(account)
    account.client.v1.invoices.mark_uncollectible(failed["latest_invoice"]["id"])
    now = account.subscription(failed)
    seen("invoice", now["latest_invoice"]["status"], "uncollectible")
    seen("status", now["status"], "active")


@scenario("invoicing/payment-method#mark-an-invoice-as-paid")
def a_renewal_is_paid_out_of_band(account: Account, seen: Seen) -> None:
    customer, failed = with_a_failed_renewal(account)
    account.client.v1.invoices.pay(failed["latest_invoice"]["id"], {"paid_out_of_band": True})
    now = account.subscription(failed)
    seen("status", now["status"], "active")
    seen("invoice", now["latest_invoice"]["status"], "paid")
    seen("told", "invoice.paid" in account.told(customer), True)


@scenario("billing/customer/balance")
def credit_of_the_customer_pays_first(account: Account, seen: Seen) -> None:
    # Credit has a currency only once the customer has one: a first subscription gives it that.
    customer = account.customer()
    account.subscribe(customer, account.price(1000))
    account.client.v1.customers.update(customer, {"balance": -500})
    invoice = account.subscribe(customer, account.price(2000))["latest_invoice"]
    seen("invoice", reading.bill(invoice), ("subscription_create", "paid", 2000, 1500))
    seen("balance", (invoice["starting_balance"], invoice["ending_balance"]), (-500, 0))
    seen("of the customer", account.client.v1.customers.retrieve(customer).balance, 0)


@scenario("currencies#minimum-and-maximum-charge-amounts")
def less_than_the_minimum_is_paid_later(account: Account, seen: Seen) -> None:
    """An invoice below the minimum charge is paid by a debt on the customer's balance."""
    made = account.subscribe(account.customer(), account.price(20))
    invoice = made["latest_invoice"]
    seen("status", (made["status"], invoice["status"]), ("active", "paid"))
    seen("amounts", (invoice["total"], invoice["amount_paid"], invoice["ending_balance"]), (20, 0, 20))


@scenario("billing/subscriptions/pause-payment")
def collection_is_paused(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000))
    account.change(made, pause_collection={"behavior": "void"})
    account.advance(days=30, hours=2)
    now = account.subscription(made)
    seen("status", now["status"], "active")
    seen("invoice", now["latest_invoice"]["status"], "void")
    seen("collected again", account.change(made, pause_collection="")["pause_collection"], None)


@scenario("billing/subscriptions/coupons")
def a_coupon_takes_a_quarter_off(account: Account, seen: Seen) -> None:
    coupon = account.coupon(percent_off=25, duration="once")
    made = account.subscribe(account.customer(), account.price(2000), discounts=[{"coupon": coupon}])
    invoice = made["latest_invoice"]
    seen("amounts", (invoice["subtotal"], invoice["total"], invoice["amount_paid"]), (2000, 1500, 1500))
    account.advance(days=30, hours=2)
    seen("the next one", account.subscription(made)["latest_invoice"]["total"], 2000)


@scenario("billing/subscriptions/coupons")
def a_coupon_takes_everything_off(account: Account, seen: Seen) -> None:
    coupon = account.coupon(percent_off=100, duration="forever")
    made = account.subscribe(account.customer(), account.price(2000), discounts=[{"coupon": coupon}])
    seen("status", made["status"], "active")
    seen("invoice", reading.bill(made["latest_invoice"]), ("subscription_create", "paid", 0, 0))
    account.advance(days=30, hours=2)
    seen("the next one", account.subscription(made)["latest_invoice"]["total"], 0)
    seen("how many", len(account.invoices(made)), 2)


@scenario("invoicing/invoice-items")
def an_item_waits_for_the_renewal(account: Account, seen: Seen) -> None:
    customer = account.customer()
    made = account.subscribe(customer, account.price(2000))
    account.client.v1.invoice_items.create({"customer": customer, "amount": 700, "currency": "eur"})
    seen("before", len(account.invoices(made)), 1)
    account.advance(days=30, hours=2)
    seen("the renewal", reading.amounts(account.subscription(made)["latest_invoice"]), [700, 2000])
