"""Plans and quantities change in the middle of a period: fifteen days of thirty are left."""

from __future__ import annotations

from typing import Any

from conformance import reading
from conformance.account import Account, Json, only
from conformance.scenario import Seen, scenario

NOW: dict[str, Any] = {"proration_behavior": "always_invoice"}
WAITING: dict[str, Any] = {**NOW, "payment_behavior": "pending_if_incomplete"}


def half_way(account: Account, amount: int = 2000, quantity: int = 1) -> Json:
    """A subscription in the middle of its month."""
    made = account.subscribe(account.customer(), (account.price(amount), quantity))
    account.advance(days=15)
    return made


def to(account: Account, subscription: Json, amount: int, quantity: int = 1) -> list[Json]:
    return [{"id": reading.item_of(subscription), "price": account.price(amount), "quantity": quantity}]


def declined(account: Account) -> Json:
    """A subscription in the middle of its month whose card is not charged any more."""
    made = half_way(account)
    account.give_card(made["customer"], "pm_card_chargeCustomerFail")
    return made


@scenario("billing/subscriptions/prorations")
def an_upgrade_is_invoiced_at_once(account: Account, seen: Seen) -> None:
    made = half_way(account)
    now = account.change(made, items=to(account, made, 5000), **NOW)
    seen("price", reading.amounts_of_items(now), [(5000, 1)])
    seen("invoice", reading.bill(now["latest_invoice"]), ("subscription_update", "paid", 1500, 1500))
    seen("lines", reading.lines(now["latest_invoice"]), [(-1000, 15, 30, True), (2500, 15, 30, True)])
    seen("period", reading.period(now), (0, 30))


@scenario("api/invoices/create_preview")
def the_preview_of_an_upgrade_is_its_invoice(account: Account, seen: Seen) -> None:
    made = half_way(account)
    at, items = account.now, to(account, made, 5000, 2)
    details: Any = {"items": items, "proration_date": at, **NOW}
    preview = account.client.v1.invoices.create_preview({"subscription": made["id"], "subscription_details": details})
    now = account.change(made, items=items, proration_date=at, **NOW)
    seen("amount due", preview.amount_due, 4000)
    seen("amount paid", now["latest_invoice"]["amount_paid"], 4000)
    seen("lines", reading.lines(preview.to_dict()), reading.lines(now["latest_invoice"]))


@scenario("billing/subscriptions/prorations")
def a_change_waits_for_the_next_invoice(account: Account, seen: Seen) -> None:
    """``create_prorations``, which is the default."""
    made = half_way(account)
    now = account.change(made, items=to(account, made, 5000))
    seen("price", reading.amounts_of_items(now), [(5000, 1)])
    seen("invoices", len(account.invoices(made)), 1)
    account.advance(days=15, hours=2)
    seen(
        "the renewal",
        reading.lines(account.subscription(made)["latest_invoice"]),
        [(-1000, 15, 30, True), (2500, 15, 30, True), (5000, 30, 61, False)],
    )


@scenario("billing/subscriptions/prorations#disable-prorations")
def a_change_that_bills_nothing(account: Account, seen: Seen) -> None:
    made = half_way(account)
    now = account.change(made, items=to(account, made, 5000), proration_behavior="none")
    seen("price", reading.amounts_of_items(now), [(5000, 1)])
    seen("invoices", len(account.invoices(made)), 1)
    account.advance(days=15, hours=2)
    seen("the renewal", reading.lines(account.subscription(made)["latest_invoice"]), [(5000, 30, 61, False)])


@scenario("billing/subscriptions/prorations")
def a_downgrade_at_once_gives_credit(account: Account, seen: Seen) -> None:
    made = half_way(account, amount=5000)
    invoice = account.change(made, items=to(account, made, 2000), **NOW)["latest_invoice"]
    seen("invoice", reading.bill(invoice), ("subscription_update", "paid", -1500, 0))
    seen("lines", reading.lines(invoice), [(-2500, 15, 30, True), (1000, 15, 30, True)])
    seen("balance", account.client.v1.customers.retrieve(made["customer"]).balance, -1500)


@scenario("billing/subscriptions/quantities")
def more_seats(account: Account, seen: Seen) -> None:
    made = half_way(account, quantity=2)
    now = account.change(made, items=to(account, made, 2000, 5), **NOW)
    seen("items", reading.amounts_of_items(now), [(2000, 5)])
    seen("invoice", reading.bill(now["latest_invoice"]), ("subscription_update", "paid", 3000, 3000))
    seen("lines", reading.lines(now["latest_invoice"]), [(-2000, 15, 30, True), (5000, 15, 30, True)])


@scenario("billing/subscriptions/quantities")
def fewer_seats(account: Account, seen: Seen) -> None:
    made = half_way(account, quantity=4)
    now = account.change(made, items=to(account, made, 2000, 1), **NOW)
    seen("invoice", reading.bill(now["latest_invoice"]), ("subscription_update", "paid", -3000, 0))
    account.advance(days=15, hours=2)
    renewal = account.subscription(made)["latest_invoice"]
    seen("the renewal", (renewal["total"], renewal["amount_due"], renewal["ending_balance"]), (2000, 0, -1000))


@scenario("billing/subscriptions/billing-cycle#changing")
def from_months_to_years(account: Account, seen: Seen) -> None:
    """The whole new period is no proration; what is left of the old one comes back."""
    made = half_way(account)
    yearly = [{"id": reading.item_of(made), "price": account.price(20_000, interval="year")}]
    now = account.change(made, items=yearly, billing_cycle_anchor={"type": "now"}, **NOW)
    seen("period", reading.period(now), (15, 380))
    seen("lines", reading.lines(now["latest_invoice"]), [(-1000, 15, 30, True), (20_000, 15, 380, False)])
    seen("invoice", reading.bill(now["latest_invoice"]), ("subscription_update", "paid", 19_000, 19_000))


@scenario("billing/subscriptions/multiple-products")
def an_add_on_is_added(account: Account, seen: Seen) -> None:
    made = half_way(account)
    now = account.change(made, items=[{"price": account.price(600), "quantity": 2}], **NOW)
    seen("items", reading.amounts_of_items(now), [(600, 2), (2000, 1)])
    seen("lines", reading.lines(now["latest_invoice"]), [(600, 15, 30, True)])


@scenario("billing/subscriptions/multiple-products")
def an_add_on_is_removed(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000), (account.price(600), 2))
    account.advance(days=15)
    own = only(each["id"] for each in made["items"]["data"] if each["price"]["unit_amount"] == 600)
    now = account.change(made, items=[{"id": own, "deleted": True}], **NOW)
    seen("items", reading.amounts_of_items(now), [(2000, 1)])
    seen("lines", reading.lines(now["latest_invoice"]), [(-600, 15, 30, True)])


@scenario("billing/subscriptions/pending-updates")
def an_upgrade_that_is_declined_waits(account: Account, seen: Seen) -> None:
    made = declined(account)
    now = account.change(made, items=to(account, made, 5000), **WAITING)
    seen("status", now["status"], "active")
    seen("price", reading.amounts_of_items(now), [(2000, 1)])
    seen("it waits", bool(now["pending_update"]), True)
    seen("invoice", reading.bill(now["latest_invoice"]), ("subscription_update", "open", 1500, 0))
    invoice = now["latest_invoice"]["id"]
    account.advance(hours=24)
    later = account.subscription(made)
    seen("it waits after a day", bool(later["pending_update"]), False)
    seen("price then", reading.amounts_of_items(later), [(2000, 1)])
    seen("invoice then", account.client.v1.invoices.retrieve(invoice).status, "void")
    expired = "customer.subscription.pending_update_expired"
    seen("told", expired in account.told(made["customer"]), True)


@scenario("billing/subscriptions/pending-updates")
def an_upgrade_that_waits_is_paid(account: Account, seen: Seen) -> None:
    made = declined(account)
    waiting = account.change(made, items=to(account, made, 5000), **WAITING)
    account.give_card(made["customer"], "pm_card_visa")
    account.client.v1.invoices.pay(waiting["latest_invoice"]["id"])
    now = account.subscription(made)
    seen("price", reading.amounts_of_items(now), [(5000, 1)])
    seen("it waits", bool(now["pending_update"]), False)
    applied = "customer.subscription.pending_update_applied"
    seen("told", applied in account.told(made["customer"]), True)


@scenario("billing/subscriptions/pending-updates")
def an_upgrade_that_waits_is_taken_back(account: Account, seen: Seen) -> None:
    """By voiding its invoice."""
    made = declined(account)
    waiting = account.change(made, items=to(account, made, 5000), **WAITING)
    account.client.v1.invoices.void_invoice(waiting["latest_invoice"]["id"])
    now = account.subscription(made)
    seen("it waits", bool(now["pending_update"]), False)
    seen("price", reading.amounts_of_items(now), [(2000, 1)])
    seen("status", now["status"], "active")


@scenario("api/subscriptions/update#update_subscription-payment_behavior")
def an_upgrade_that_must_be_paid(account: Account, seen: Seen) -> None:
    made = declined(account)
    asked = {"items": to(account, made, 5000), "payment_behavior": "error_if_incomplete", **NOW}
    seen.refused("the upgrade", lambda: account.change(made, **asked), 402, "card_declined")
    seen("price", reading.amounts_of_items(account.subscription(made)), [(2000, 1)])


@scenario("billing/subscriptions/pending-updates-reference")
def what_a_waiting_upgrade_cannot_carry(account: Account, seen: Seen) -> None:
    made = half_way(account)
    asked = {"items": to(account, made, 5000), "cancel_at_period_end": True, **WAITING}
    seen.refused("a cancellation", lambda: account.change(made, **asked), 400, None)


@scenario("billing/subscriptions/trials")
def a_change_during_a_trial_bills_nothing(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000), trial_period_days=14)
    account.advance(days=4)
    now = account.change(made, items=to(account, made, 5000), **NOW)
    seen("status", now["status"], "trialing")
    seen("trial", reading.day(now["trial_end"]), 14)
    seen("billed", sum(each["total"] for each in account.invoices(made)), 0)
    account.advance(days=10, hours=2)
    seen("the first real invoice", account.subscription(made)["latest_invoice"]["total"], 5000)
