"""Trials begin, end, and are ended."""

from __future__ import annotations

from typing import Any

from conformance import reading
from conformance.account import Account, only
from conformance.scenario import Seen, scenario


def missing_card(behavior: str) -> Any:
    return {"end_behavior": {"missing_payment_method": behavior}}


@scenario("billing/subscriptions/trials")
def a_trial_converts(account: Account, seen: Seen) -> None:
    customer = account.customer()
    made = account.subscribe(customer, account.price(2000), trial_period_days=14)
    seen("status", made["status"], "trialing")
    seen("invoice", reading.bill(made["latest_invoice"]), ("subscription_create", "paid", 0, 0))
    seen("line", reading.lines(made["latest_invoice"]), [(0, 0, 14, False)])
    seen("trial", (reading.day(made["trial_start"]), reading.day(made["trial_end"])), (0, 14))
    seen("period", reading.period(made), (0, 14))
    account.advance(days=14, hours=2)
    now = account.subscription(made)
    seen("status then", now["status"], "active")
    seen("invoice then", reading.bill(now["latest_invoice"]), ("subscription_cycle", "paid", 2000, 2000))
    seen("line then", reading.lines(now["latest_invoice"]), [(2000, 14, 44, False)])


@scenario("billing/subscriptions/trials#trial-end-events")
def a_trial_is_about_to_end(account: Account, seen: Seen) -> None:
    customer = account.customer()
    account.subscribe(customer, account.price(2000), trial_period_days=14)
    account.advance(days=10)
    seen("after ten days", "customer.subscription.trial_will_end" in account.told(customer), False)
    account.advance(days=1, hours=1)
    seen("three days before", "customer.subscription.trial_will_end" in account.told(customer), True)


@scenario("billing/subscriptions/trials/free-trials#create-free-trials-without-payment")
def a_trial_without_a_card_is_canceled(account: Account, seen: Seen) -> None:
    customer = account.customer(card="")
    made = account.subscribe(customer, account.price(2000), trial_period_days=7, trial_settings=missing_card("cancel"))
    seen("status", made["status"], "trialing")
    account.advance(days=7, hours=2)
    seen("status then", account.subscription(made)["status"], "canceled")
    seen("ended", "customer.subscription.deleted" in account.told(customer), True)


@scenario("billing/subscriptions/trials/free-trials#create-free-trials-without-payment")
def a_trial_without_a_card_is_paused(account: Account, seen: Seen) -> None:
    customer = account.customer(card="")
    made = account.subscribe(customer, account.price(2000), trial_period_days=7, trial_settings=missing_card("pause"))
    account.advance(days=7, hours=2)
    seen("status then", account.subscription(made)["status"], "paused")
    seen("paused", "customer.subscription.paused" in account.told(customer), True)


@scenario("billing/subscriptions/trials#end-a-trial-early")
def a_trial_is_ended_early(account: Account, seen: Seen) -> None:
    customer = account.customer()
    made = account.subscribe(customer, account.price(2000), trial_period_days=14)
    account.advance(days=4)
    now = account.change(made, trial_end="now")
    seen("status", now["status"], "active")
    seen("invoice", reading.bill(now["latest_invoice"]), ("subscription_update", "paid", 2000, 2000))
    seen("line", reading.lines(now["latest_invoice"]), [(2000, 4, 34, False)])


@scenario("billing/subscriptions/trials")
def a_trial_is_canceled_on_its_third_day(account: Account, seen: Seen) -> None:
    made = account.subscribe(account.customer(), account.price(2000), trial_period_days=14)
    account.advance(days=3)
    account.change(made, cancel_at_period_end=True)
    account.advance(days=12)
    now = account.subscription(made)
    seen("status", now["status"], "canceled")
    seen("ended", reading.day(now["ended_at"]), 14)
    seen("billed", only(account.invoices(made))["total"], 0)
