"""Subscriptions end, and are kept after all."""

from __future__ import annotations

from conformance import reading
from conformance.account import DAY, Account
from conformance.scenario import Seen, scenario

PAGE = "billing/subscriptions/cancel"


@scenario(PAGE)
def canceled_at_the_end_of_the_period(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000))
    account.advance(days=3)
    asked = account.change(made, cancel_at_period_end=True)
    seen("status", asked["status"], "active")
    seen("asked on", reading.day(asked["canceled_at"]), 3)
    account.advance(days=28)
    now = account.subscription(made)
    seen("status then", now["status"], "canceled")
    seen("ended on", reading.day(now["ended_at"]), 30)
    seen("invoices", len(account.invoices(made)), 1)
    seen("told", "customer.subscription.deleted" in account.told(made["customer"]), True)


@scenario(PAGE)
def kept_after_all(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000))
    account.change(made, cancel_at_period_end=True)
    kept = account.change(made, cancel_at_period_end=False)
    seen("fields", (kept["cancel_at_period_end"], kept["cancel_at"], kept["canceled_at"]), (False, None, None))
    account.advance(days=30, hours=2)
    seen("status", account.subscription(made)["status"], "active")


@scenario(PAGE)
def canceled_at_a_moment(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000))
    asked = account.change(made, cancel_at=account.now + 10 * DAY, proration_behavior="none")
    seen("cancel_at", reading.day(asked["cancel_at"]), 10)
    account.advance(days=10, hours=1)
    seen("status", account.subscription(made)["status"], "canceled")


@scenario(PAGE)
def both_ways_at_once_are_refused(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000))
    both = {"cancel_at": account.now + 10 * DAY, "cancel_at_period_end": True}
    seen.refused("the cancellation", lambda: account.change(made, **both), 400, None)
    seen("status", account.subscription(made)["status"], "active")


@scenario(PAGE)
def canceled_now_gives_nothing_back(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000))
    account.advance(days=3)
    now = account.client.v1.subscriptions.cancel(made["id"])
    seen("status", (now.status, reading.day(now.ended_at)), ("canceled", 3))
    seen("balance", account.client.v1.customers.retrieve(made["customer"]).balance, 0)
    bills = [reading.bill(each) for each in account.invoices(made)]
    seen("invoices", bills, [("subscription_create", "paid", 2000, 2000)])


@scenario(PAGE)
def what_ended_is_over_for_good(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000))
    cancel = account.client.v1.subscriptions.cancel
    cancel(made["id"])
    items = [{"id": reading.item_of(made), "quantity": 2}]
    seen.refused("a change", lambda: account.change(made, items=items), 400, None)
    seen.refused("a second cancellation", lambda: cancel(made["id"]), 404, "resource_missing")


@scenario("api/customers/delete")
def with_its_customer(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000))
    account.client.v1.customers.delete(made["customer"])
    seen("status", account.subscription(made)["status"], "canceled")
    gone = account.client.v1.customers.retrieve(made["customer"]).to_dict()
    seen("the customer", gone.get("deleted"), True)
    told = account.told(made["customer"])
    seen("told", {"customer.deleted", "customer.subscription.deleted"} <= told, True)
