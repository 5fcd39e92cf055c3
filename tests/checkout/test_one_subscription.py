"""A subject buys one subscription of a product or plan group at a time: what is billed decides, not what is on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from licenzy_django import access, operators
from licenzy_django.checkout.sessions import StartedCheckout
from licenzy_django.exceptions import AlreadySubscribed, CheckoutSessionExpired, StripeUnavailable
from licenzy_django.models import CheckoutAttempt, Product
from licenzy_django.testing import StripeDouble
from tests.backend import Backend
from tests.checkouts import open_pages, start

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.sells(
        "SUPPORT",
        PRO_MONTHLY={"group": "plans", "grace_days": 3},
        PRO_YEARLY={"group": "plans", "interval": "year", "amount": 19000},
        CREDITS={"kind": "usage_pack"},
    ),
]


# --- already subscribed -----------------------------------------------------------------------------------------------


def in_force(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "PRO_MONTHLY")


def past_due(stripe: StripeDouble) -> None:
    session = stripe.buy("user_1", "PRO_MONTHLY")
    stripe.renew(session, paid=False)


def past_due_and_grace_is_over(stripe: StripeDouble) -> None:
    past_due(stripe)
    stripe.advance(days=6)


def debit_on_its_way(stripe: StripeDouble) -> None:
    stripe.pay_by_bank(stripe.checkout("user_1", "PRO_MONTHLY"))


def to_end_at_the_period_end(stripe: StripeDouble) -> None:
    stripe.cancel(stripe.buy("user_1", "PRO_MONTHLY"), at_period_end=True)


def made_by_hand(stripe: StripeDouble) -> None:
    customer = stripe.buy("user_1", "SUPPORT")["customer"]
    stripe.simulator.subscribe(customer, [("price_pro_monthly", 1)])
    stripe.deliver()


@pytest.mark.parametrize(
    "begun", [in_force, past_due, past_due_and_grace_is_over, debit_on_its_way, to_end_at_the_period_end, made_by_hand]
)
@pytest.mark.parametrize("product", ["PRO_MONTHLY", "PRO_YEARLY"])
def test_nobody_buys_beside_a_subscription_of_the_group_that_has_not_ended(
    stripe: StripeDouble, begun: Callable[[StripeDouble], None], product: str
) -> None:
    begun(stripe)

    with pytest.raises(AlreadySubscribed) as refused:
        start(product, "order-2")

    assert refused.value.product_code == "PRO_MONTHLY"
    assert open_pages(stripe) == []


def test_the_answer_names_the_product_and_points_at_the_billing_portal(stripe: StripeDouble, backend: Backend) -> None:
    in_force(stripe)

    answer = backend.checkout("user_1", "PRO_YEARLY")

    body = answer.json()
    assert (answer.status_code, body["error"], body["product_code"]) == (409, "already_subscribed", "PRO_MONTHLY")
    assert body["billing_portal"] == "/v1/billing-portal/session"


def canceled(stripe: StripeDouble) -> None:
    stripe.cancel(stripe.buy("user_1", "PRO_MONTHLY"))


def over_though_no_event_said_so(stripe: StripeDouble) -> None:
    to_end_at_the_period_end(stripe)
    stripe.simulator.advance(40 * 86_400)
    stripe.take_events()


def granted(stripe: StripeDouble) -> None:
    product = Product.objects.get(code="PRO_MONTHLY")
    operators.grant("user_1", product, actor=None, reason="a gift", request_id="1")
    assert access.check("user_1", "PRO_MONTHLY")


def of_another_product(stripe: StripeDouble) -> None:
    stripe.buy("user_1", "SUPPORT")


def of_somebody_else(stripe: StripeDouble) -> None:
    stripe.buy("user_2", "PRO_MONTHLY")


@pytest.mark.parametrize(
    "before", [canceled, over_though_no_event_said_so, granted, of_another_product, of_somebody_else]
)
def test_what_is_not_billed_does_not_stand_in_the_way(
    stripe: StripeDouble, before: Callable[[StripeDouble], None]
) -> None:
    before(stripe)

    assert start("PRO_YEARLY").checkout_url


# --- one open page ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", ["PRO_MONTHLY", "PRO_YEARLY"])
def test_another_key_closes_the_earlier_page_and_opens_a_new_one(stripe: StripeDouble, product: str) -> None:
    start()

    second = start(product, "order-2")

    assert open_pages(stripe) == [second.checkout_url]
    with pytest.raises(CheckoutSessionExpired):
        start()
    assert start(product, "order-2").replayed


def test_packs_other_products_and_other_subjects_may_have_many_pages(stripe: StripeDouble) -> None:
    for number, product in enumerate(["PRO_MONTHLY", "SUPPORT", "CREDITS", "CREDITS"]):
        start(product, f"order-{number}")
    start(subject="user_2", key="order-9")

    assert len(open_pages(stripe)) == 5


def test_an_earlier_page_that_was_completed_meanwhile_is_a_subscription(stripe: StripeDouble) -> None:
    page = start().checkout_url
    with stripe.webhooks_held_back():
        stripe.pay(page)

    with pytest.raises(AlreadySubscribed):
        start("PRO_YEARLY", "order-2")

    stripe.deliver()
    assert access.check("user_1", "PRO_MONTHLY")
    assert CheckoutAttempt.objects.count() == 1


def test_while_stripe_cannot_be_asked_about_the_earlier_page_no_other_is_opened(stripe: StripeDouble) -> None:
    page = start().checkout_url
    stripe.faults.add("POST", "*", "server_error", times=9)

    with pytest.raises(StripeUnavailable):
        start("PRO_YEARLY", "order-2")

    stripe.faults.clear()
    assert open_pages(stripe) == [page]
    assert start().checkout_url == page


def test_a_page_that_ran_out_without_an_event_makes_way(stripe: StripeDouble) -> None:
    start()
    stripe.simulator.advance(2 * 86_400)
    stripe.take_events()

    assert start(key="order-2").checkout_url
    assert CheckoutAttempt.objects.get(idempotency_key="order-1").failure_reason == "expired"


def test_a_page_that_stripe_no_longer_has_makes_way(stripe: StripeDouble) -> None:
    start()
    CheckoutAttempt.objects.update(stripe_session_id="cs_test_gone")

    assert start(key="order-2").checkout_url


def test_a_page_whose_answer_was_lost_is_found_and_closed(stripe: StripeDouble) -> None:
    stripe.faults.add("POST", "/v1/checkout/sessions", "timeout", times=3)
    with pytest.raises(StripeUnavailable):
        start()
    assert len(open_pages(stripe)) == 1

    second = start("PRO_YEARLY", "order-2")

    assert open_pages(stripe) == [second.checkout_url]
    with pytest.raises(CheckoutSessionExpired):
        start()


def test_an_earlier_request_that_died_before_it_asked_stripe_makes_way(
    stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: Any, **kwargs: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("licenzy_django.checkout.sessions.open_session", die)
        with pytest.raises(KeyboardInterrupt):
            start()
    stripe.simulator.advance(16)

    second = start("PRO_YEARLY", "order-2")

    assert open_pages(stripe) == [second.checkout_url]
    with pytest.raises(CheckoutSessionExpired):
        start()


def test_a_slow_request_whose_place_was_taken_opens_no_page(stripe: StripeDouble) -> None:
    later: list[StartedCheckout] = []

    def overtake() -> None:
        stripe.simulator.advance(16)
        later.append(start("PRO_YEARLY", "order-2"))

    stripe.faults.add("POST", "/v1/checkout/sessions", "call_before", call=overtake)

    with pytest.raises(CheckoutSessionExpired):
        start()

    assert open_pages(stripe) == [later[0].checkout_url]


# --- add-ons ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def more_seats(stripe: StripeDouble) -> Product:
    return stripe.sell("MORE_SEATS", is_add_on=True)


@pytest.mark.parametrize(("first", "then"), [("PRO_MONTHLY", "MORE_SEATS"), ("MORE_SEATS", "PRO_MONTHLY")])
def test_an_add_on_and_a_plan_are_bought_one_after_the_other(
    stripe: StripeDouble, more_seats: Product, first: str, then: str
) -> None:
    stripe.buy("user_1", first)

    stripe.buy("user_1", then)

    assert access.check("user_1", first)
    assert access.check("user_1", then)


def test_an_add_on_and_a_plan_have_their_pages_open_at_once(stripe: StripeDouble, more_seats: Product) -> None:
    start("PRO_MONTHLY", "order-1")
    start("MORE_SEATS", "order-2")

    assert len(open_pages(stripe)) == 2


def test_the_same_add_on_is_not_subscribed_to_twice(stripe: StripeDouble, more_seats: Product) -> None:
    stripe.buy("user_1", "MORE_SEATS")

    with pytest.raises(AlreadySubscribed) as refused:
        start("MORE_SEATS", "order-2")

    assert refused.value.product_code == "MORE_SEATS"
