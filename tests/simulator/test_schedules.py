"""Subscription schedules as the ``stripe`` library sends them; the month costs 19, the year 190."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import stripe

from licenzy_django.simulator.simulator import Simulator
from licenzy_django.simulator.stores.memory import MemoryStore
from tests.simulator.conftest import DAY, Json, Shop, make_shop

UPDATED = "customer.subscription.updated"


def at(year: int, month: int, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


@pytest.fixture
def shop() -> Shop:
    return make_shop(Simulator(MemoryStore(now=at(2026, 11))))


class Managed:
    """A subscription to 99 a month, on the 16th of November, and its schedule."""

    def __init__(self, shop: Shop, client: stripe.StripeClient, **more: Any) -> None:
        self.shop, self.v1 = shop, client.v1
        wanted = {"currency": "eur", "unit_amount": 9900, "recurring": {"interval": "month"}}
        self.dear = shop.simulator.create_price(wanted)
        customer = client.v1.customers.create({"payment_method": "pm_card_visa"})
        made = {"customer": customer.id, "items": [{"price": self.dear["id"]}], "metadata": {"kept": "yes"}}
        self.id = client.v1.subscriptions.create(made | more).id  # type: ignore[arg-type]
        shop.simulator.advance(15 * DAY)
        shop.simulator.take_events()
        self.schedule = client.v1.subscription_schedules.create({"from_subscription": self.id}).to_dict()

    def first(self, **more: Any) -> Json:
        phase = self.schedule["phases"][0]
        items = [{"price": item["price"], "quantity": item["quantity"]} for item in phase["items"]]
        return {"items": items, "start_date": phase["start_date"], "end_date": phase["end_date"]} | more

    def then(self, price: Json, **more: Any) -> Json:
        return {"items": [{"price": price["id"], "quantity": 1}], "proration_behavior": "none"} | more

    def plan(self, *phases: Json, **more: Any) -> Json:
        wanted: Any = {"phases": list(phases)} | more
        return self.v1.subscription_schedules.update(self.schedule["id"], wanted).to_dict()

    def downgrade(self, **more: Any) -> Json:
        month = {"interval": "month", "interval_count": 1}
        return self.plan(self.first(), self.then(self.shop.month, duration=month, **more))

    def shown(self) -> Json:
        return self.shop.simulator.get("subscription", self.id)

    def now(self) -> Json:
        return self.shop.simulator.get("subscription_schedule", self.schedule["id"])

    def latest(self) -> Json:
        return self.shop.simulator.get("invoice", self.shown()["latest_invoice"])


@pytest.fixture
def managed(shop: Shop, stripe_client: stripe.StripeClient) -> Managed:
    return Managed(shop, stripe_client)


def prices(subscription: Json) -> list[tuple[str, int]]:
    return [(item["price"]["id"], item["quantity"]) for item in subscription["items"]["data"]]


def amounts(invoice: Json) -> list[int]:
    return [line["amount"] for line in invoice["lines"]["data"]]


def test_a_schedule_begins_as_the_subscription_is(shop: Shop, managed: Managed) -> None:
    schedule = managed.schedule
    assert (schedule["status"], schedule["end_behavior"], schedule["subscription"]) == ("active", "release", managed.id)
    assert schedule["current_phase"] == {"start_date": at(2026, 11), "end_date": at(2026, 12)}
    [phase] = schedule["phases"]
    assert [(item["price"], item["quantity"]) for item in phase["items"]] == [(managed.dear["id"], 1)]
    assert phase["metadata"] == {"kept": "yes"}
    assert managed.shown()["schedule"] == schedule["id"]
    assert shop.told() == ["subscription_schedule.created", UPDATED]
    listed = managed.v1.subscription_schedules.list({"customer": managed.shown()["customer"]})
    assert [entry.id for entry in listed.data] == [schedule["id"]]
    assert managed.v1.subscription_schedules.retrieve(schedule["id"]).id == schedule["id"]


def test_a_downgrade_happens_with_the_renewal_and_the_schedule_stays_until_its_last_phase_ends(
    shop: Shop, managed: Managed
) -> None:
    managed.downgrade()
    assert prices(managed.shown()) == [(managed.dear["id"], 1)]
    shop.told()
    shop.simulator.advance(15 * DAY)
    assert shop.told() == ["subscription_schedule.updated", "invoice.created", UPDATED]
    shown = managed.shown()
    assert prices(shown) == [(shop.month["id"], 1)]
    assert (amounts(managed.latest()), managed.latest()["billing_reason"]) == ([1900], "subscription_cycle")
    assert [item["current_period_end"] for item in shown["items"]["data"]] == [at(2027, 1)]
    assert (shown["schedule"], managed.now()["status"]) == (managed.schedule["id"], "active")
    assert managed.now()["current_phase"] == {"start_date": at(2026, 12), "end_date": at(2027, 1)}

    shop.simulator.advance(31 * DAY)
    assert (managed.shown()["schedule"], managed.now()["status"]) == (None, "completed")
    assert "subscription_schedule.completed" in shop.told()
    assert (prices(managed.shown()), amounts(managed.latest())) == ([(shop.month["id"], 1)], [1900])


def test_a_renewal_asked_for_by_name_enters_the_phase_too(shop: Shop, managed: Managed) -> None:
    managed.downgrade()
    invoice = shop.simulator.renew(managed.id)
    assert (amounts(invoice), invoice["status"]) == ([1900], "paid")


def test_the_preview_of_the_next_renewal_knows_the_next_phase(managed: Managed) -> None:
    managed.downgrade()
    preview = managed.v1.invoices.create_preview({"subscription": managed.id})
    assert preview.amount_due == 1900
    assert prices(managed.shown()) == [(managed.dear["id"], 1)]


def test_a_year_to_a_month_is_billed_by_the_month_from_the_end_of_the_year(
    shop: Shop, stripe_client: stripe.StripeClient
) -> None:
    managed = Managed(shop, stripe_client, items=[{"price": shop.year["id"]}])
    managed.downgrade()
    shop.simulator.advance(at(2027, 11) - shop.simulator.now)
    assert (prices(managed.shown()), amounts(managed.latest())) == ([(shop.month["id"], 1)], [1900])
    assert managed.shown()["items"]["data"][0]["current_period_end"] == at(2027, 12)


def test_a_year_in_the_place_of_a_month_needs_a_new_anchor_to_be_billed(shop: Shop, managed: Managed) -> None:
    """Seen by others in a sandbox (better-auth/better-auth, issue 11336): without ``phase_start`` nobody is charged."""
    managed.plan(managed.first(), managed.then(shop.year))
    shop.simulator.advance(16 * DAY)
    assert (prices(managed.shown()), amounts(managed.latest())) == ([(shop.year["id"], 1)], [9900])
    assert managed.shown()["items"]["data"][0]["current_period_end"] == at(2027, 11)


def test_with_a_new_anchor_the_year_begins_with_its_phase(shop: Shop, managed: Managed) -> None:
    managed.plan(managed.first(), managed.then(shop.year, billing_cycle_anchor="phase_start"))
    shop.simulator.advance(16 * DAY)
    assert (amounts(managed.latest()), managed.latest()["status"]) == ([19_000], "paid")
    shown = managed.shown()
    assert (shown["billing_cycle_anchor"], shown["items"]["data"][0]["current_period_end"]) == (
        at(2026, 12), at(2027, 12),
    )  # fmt: skip


def test_a_phase_replaces_everything_but_the_metadata(shop: Shop, managed: Managed) -> None:
    """Two of them lose the payment method that the first phase had: the renewal fails."""
    card = managed.v1.payment_methods.attach("pm_card_visa", {"customer": managed.shown()["customer"]}).id
    managed.v1.subscriptions.update(managed.id, {"default_payment_method": card, "description": "Dear"})
    managed.schedule = managed.now()
    first = managed.first(start_date=at(2026, 11, 16), end_date=at(2026, 12), default_payment_method=card)
    managed.plan(first, managed.then(shop.month, metadata={"plan": "basic"}))
    shop.simulator.advance(16 * DAY)
    shown = managed.shown()
    assert (shown["default_payment_method"], shown["description"]) == (None, None)
    assert shown["metadata"] == {"kept": "yes", "plan": "basic"}
    assert (shown["status"], managed.latest()["status"]) == ("past_due", "open")
    managed.v1.customers.update(shown["customer"], {"invoice_settings": {"default_payment_method": card}})
    shop.simulator.advance(4 * DAY)
    assert managed.shown()["status"] == "active"


def test_released_everything_stays_as_it_is(shop: Shop, managed: Managed) -> None:
    managed.downgrade()
    shop.told()
    released = managed.v1.subscription_schedules.release(managed.schedule["id"])
    assert (released.status, released.subscription, released.released_subscription) == ("released", None, managed.id)
    assert shop.told() == [UPDATED, "subscription_schedule.released"]
    assert managed.shown()["schedule"] is None
    shop.simulator.advance(16 * DAY)
    assert prices(managed.shown()) == [(managed.dear["id"], 1)]
    for verb in ("release", "cancel", "update"):
        with pytest.raises(stripe.InvalidRequestError, match=f"cannot {verb} a .* in the `released` status"):
            getattr(managed.v1.subscription_schedules, verb)(managed.schedule["id"])


@pytest.mark.parametrize("preserve", [False, True])
def test_a_schedule_that_ends_its_subscription_shows_when(shop: Shop, managed: Managed, preserve: bool) -> None:
    managed.plan(managed.first(), managed.then(shop.month), end_behavior="cancel")
    assert managed.shown()["cancel_at"] == at(2027, 1)
    managed.v1.subscription_schedules.release(managed.schedule["id"], {"preserve_cancel_date": preserve})
    assert managed.shown()["cancel_at"] == (at(2027, 1) if preserve else None)


def test_at_its_end_the_subscription_ends_with_it(shop: Shop, managed: Managed) -> None:
    managed.plan(managed.first(), managed.then(shop.month), end_behavior="cancel")
    shop.simulator.advance(at(2027, 1) - shop.simulator.now)
    assert (managed.shown()["status"], managed.now()["status"]) == ("canceled", "completed")


def test_what_is_going_to_end_has_a_schedule_that_ends_it(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    managed = Managed(shop, stripe_client, cancel_at_period_end=True)
    assert (managed.schedule["end_behavior"], managed.schedule["phases"][0]["end_date"]) == ("cancel", at(2026, 12))
    shop.simulator.advance(15 * DAY)
    assert managed.shown()["status"] == "canceled"


@pytest.mark.parametrize(
    "change",
    [{"cancel_at_period_end": True}, {"cancel_at_period_end": False}, {"cancel_at": ""}, {"cancel_at": at(2027, 5)}],
    ids=str,
)
def test_a_managed_subscription_refuses_to_be_canceled_directly(managed: Managed, change: Any) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refused:
        managed.v1.subscriptions.update(managed.id, change)
    assert str(refused.value.user_message) == (
        f"The subscription is managed by the subscription schedule `{managed.schedule['id']}`, and updating any "
        "cancelation behavior directly is not allowed. Please update the schedule instead."
    )
    assert managed.shown()["cancel_at"] is None


def test_a_direct_change_splits_the_phase_that_runs_and_the_next_phase_undoes_it(shop: Shop, managed: Managed) -> None:
    managed.downgrade()
    item = managed.shown()["items"]["data"][0]["id"]
    managed.v1.subscriptions.update(managed.id, {"items": [{"id": item, "quantity": 5}]})
    phases = managed.now()["phases"]
    assert [(phase["start_date"], phase["items"][0]["quantity"]) for phase in phases] == [
        (at(2026, 11), 1), (at(2026, 11, 16), 5), (at(2026, 12), 1),
    ]  # fmt: skip
    assert managed.now()["current_phase"]["start_date"] == at(2026, 11, 16)
    shop.simulator.advance(16 * DAY)
    assert prices(managed.shown()) == [(shop.month["id"], 1)]


def test_a_change_of_the_current_phase_is_prorated_as_the_request_says(shop: Shop, managed: Managed) -> None:
    """99 → 19 at half: −49.50 and +9.50."""
    first = managed.first() | {"items": [{"price": shop.month["id"], "quantity": 1}]}
    managed.plan(first, proration_behavior="always_invoice")
    assert prices(managed.shown()) == [(shop.month["id"], 1)]
    assert amounts(managed.latest()) == [-4950, 950]


def test_a_new_phase_ends_a_change_that_waits(shop: Shop, managed: Managed) -> None:
    first = managed.first() | {"end_date": at(2026, 11, 16) + 3_600}
    managed.plan(first, managed.then(shop.month))
    shop.simulator.set_card(managed.shown()["customer"], False)
    shop.simulator.propose_update(managed.id, quantity=4)
    shop.told()
    shop.simulator.advance(3_600)
    assert managed.shown()["pending_update"] is None
    assert "customer.subscription.pending_update_expired" in shop.told()
    assert prices(managed.shown()) == [(shop.month["id"], 1)]


def test_a_canceled_schedule_ends_the_subscription_and_gives_back(shop: Shop, managed: Managed) -> None:
    """Half of 99, to the customer's balance."""
    canceled = managed.v1.subscription_schedules.cancel(managed.schedule["id"])
    assert (canceled.status, managed.shown()["status"]) == ("canceled", "canceled")
    assert (amounts(managed.latest()), shop.simulator.get("customer", canceled.customer)["balance"]) == ([-4950], -4950)
    assert "subscription_schedule.canceled" in shop.told()


def test_what_delinquency_ends_aborts_the_schedule(shop: Shop, managed: Managed) -> None:
    managed.plan(managed.first(), managed.then(managed.dear, duration={"interval": "year"}))
    shop.simulator.set_card(managed.shown()["customer"], False)
    shop.simulator.advance(40 * DAY)
    assert (managed.shown()["status"], managed.now()["status"]) == ("canceled", "canceled")
    assert "subscription_schedule.aborted" in shop.told()


def test_a_trial_that_the_phases_leave_out_ends_at_once(shop: Shop, stripe_client: stripe.StripeClient) -> None:
    managed = Managed(shop, stripe_client, trial_period_days=30)
    trial = managed.schedule["phases"][0]["trial_end"]
    assert trial == at(2026, 12)
    managed.plan(managed.first(trial_end=trial), managed.then(shop.month))
    assert managed.shown()["status"] == "trialing"
    managed.plan(managed.first(), managed.then(shop.month))
    assert managed.shown()["status"] == "active"


def test_at_the_end_of_a_trial_the_first_payment_is_that_of_the_next_phase(
    shop: Shop, stripe_client: stripe.StripeClient
) -> None:
    managed = Managed(shop, stripe_client, trial_period_days=30)
    managed.plan(managed.first(trial_end=at(2026, 12)), managed.then(shop.month))
    shop.simulator.advance(16 * DAY)
    assert (managed.shown()["status"], amounts(managed.latest())) == ("active", [1900])


def refusals() -> Any:
    month = {"interval": "month"}
    yield "missing at least one phase with a `start_date`", lambda m: [m.first() | {"start_date": ...}]
    yield "You can not modify the start date of the current phase", lambda m: [m.first(start_date=at(2026, 11, 2))]
    yield "only specify one of these", lambda m: [m.first(duration=month)]
    yield "starts when the one before it ends", lambda m: [m.first(), m.then(m.dear, start_date=at(2027, 3))]
    yield "must end after it starts", lambda m: [m.first(end_date=at(2026, 10))]
    yield "must be the current one", lambda m: [m.first(end_date=at(2026, 11, 3))]
    yield "type=one_time", lambda m: [m.first(), m.then(m.shop.pack)]
    yield "No such price", lambda m: [m.first(), m.then({"id": "price_nobody"})]
    yield "trial_end", lambda m: [m.first(), m.then(m.dear, trial_end=at(2026, 12, 9))]
    yield "discounts", lambda m: [m.first(), m.then(m.dear, discounts=[{"discount": "di_1"}])]
    yield "PaymentMethod|payment_method", lambda m: [m.first(default_payment_method="pm_nobody")]
    yield "timestamps", lambda m: [m.first(end_date="now")]


@pytest.mark.parametrize(("words", "phases"), list(refusals()), ids=[words for words, _ in refusals()])
def test_phases_that_cannot_be_are_refused(managed: Managed, words: str, phases: Any) -> None:
    wanted = [{name: value for name, value in phase.items() if value is not ...} for phase in phases(managed)]
    before = managed.now()
    with pytest.raises(stripe.InvalidRequestError, match=words):
        managed.plan(*wanted)
    assert managed.now() == before


def test_a_subscription_has_one_schedule_and_an_ended_one_none(managed: Managed) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="already attached to a schedule: `sub_sched"):
        managed.v1.subscription_schedules.create({"from_subscription": managed.id})
    managed.v1.subscriptions.cancel(managed.id)
    with pytest.raises(stripe.InvalidRequestError):
        managed.v1.subscription_schedules.create({"from_subscription": managed.id})


def test_a_schedule_without_a_subscription_is_refused_by_name(shop: Shop, managed: Managed) -> None:
    wanted: Any = {"customer": shop.customer["id"], "start_date": "now", "phases": [managed.then(shop.month)]}
    with pytest.raises(stripe.InvalidRequestError) as refused:
        managed.v1.subscription_schedules.create(wanted)
    assert refused.value.code == "not_simulated"
