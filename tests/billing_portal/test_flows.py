"""One page of Stripe's portal: what Stripe is asked, and what is refused before."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from licenzy_django import billing_portal
from licenzy_django.billing_portal import sessions
from licenzy_django.billing_portal.flows import FLOWS
from licenzy_django.exceptions import (
    AlreadySubscribed,
    ChangePending,
    InvalidRequest,
    LicenzyError,
    NoBillingAccount,
    NoSubscription,
    NotChangeable,
    ProductNotFound,
    StripeRefused,
)
from licenzy_django.models import Product
from licenzy_django.stripe import client
from licenzy_django.subscriptions import change, resume
from licenzy_django.testing import StripeDouble
from tests.backend import Backend, error_of
from tests.sync.schedules import Schedules

pytestmark = pytest.mark.django_db

Json = dict[str, Any]
BACK = "https://shop.example/back"


@pytest.fixture
def stripe(stripe_double: StripeDouble, settings: Any) -> StripeDouble:
    settings.LICENZY = {**settings.LICENZY, "CANCEL_URL": BACK}
    for code in ("PRO", "MAX", "TEAM"):
        stripe_double.sell(code)
    stripe_double.sell("MORE", is_add_on=True)
    stripe_double.sell("CREDITS", kind="usage_pack")
    return stripe_double


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Json]:
    """The parameters of each session that Stripe was asked for."""
    asked: list[Json] = []

    def create(params: Json) -> Any:
        asked.append(params)
        return {"object": "billing_portal.session", "url": "https://billing.stripe.com/p/session/x"}

    v1 = SimpleNamespace(billing_portal=SimpleNamespace(sessions=SimpleNamespace(create=create)))
    door = SimpleNamespace(ask=lambda mode, call: call(SimpleNamespace(v1=v1)), StripeObjectMissing=KeyError)
    monkeypatch.setattr(sessions, "client", door)
    return asked


@pytest.fixture
def subscription(stripe: StripeDouble) -> Json:
    session = stripe.buy("user_1", "PRO", quantity=2)
    found: Json = stripe.simulator.get("subscription", session["subscription"])
    return found


@pytest.fixture
def schedules(stripe: StripeDouble, monkeypatch: pytest.MonkeyPatch) -> Schedules:
    made = Schedules(stripe)
    monkeypatch.setattr(client, "fetch_schedule", made.fetch)
    return made


def flow_data(sent: list[Json], **given: Any) -> Json:
    assert billing_portal.session_url("user_1", **given).startswith("https://")
    [params] = sent
    data: Json = params["flow_data"]
    assert data.pop("after_completion") == {"type": "redirect", "redirect": {"return_url": params["return_url"]}}
    return data


def item_of(subscription: Json) -> str:
    name: str = subscription["items"]["data"][0]["id"]
    return name


def test_without_a_flow_the_start_page_opens(subscription: Json, sent: list[Json]) -> None:
    billing_portal.session_url("user_1")

    assert sent == [{"customer": subscription["customer"], "return_url": BACK}]


def test_another_card(subscription: Json, sent: list[Json]) -> None:
    assert flow_data(sent, flow="payment_method") == {"type": "payment_method_update"}


def test_a_cancellation(subscription: Json, sent: list[Json]) -> None:
    assert flow_data(sent, flow="cancel", product_code="PRO") == {
        "type": "subscription_cancel",
        "subscription_cancel": {"subscription": subscription["id"]},
    }


CHANGES: dict[str, tuple[Json, Json]] = {
    "another product": ({"to_product_code": "MAX"}, {"price": "price_max", "quantity": 2}),
    "another quantity": ({"quantity": 5}, {"price": "price_pro", "quantity": 5}),
    "both": ({"to_product_code": "MAX", "quantity": 1}, {"price": "price_max", "quantity": 1}),
    "the same product, named": ({"to_product_code": "PRO", "quantity": 1}, {"price": "price_pro", "quantity": 1}),
}


@pytest.mark.parametrize(("given", "item"), CHANGES.values(), ids=CHANGES)
def test_a_change_to_confirm(subscription: Json, sent: list[Json], given: Json, item: Json) -> None:
    assert flow_data(sent, flow="change", product_code="PRO", **given) == {
        "type": "subscription_update_confirm",
        "subscription_update_confirm": {
            "subscription": subscription["id"],
            "items": [{"id": item_of(subscription), **item}],
        },
    }


def test_a_change_to_choose(subscription: Json, sent: list[Json]) -> None:
    assert flow_data(sent, flow="change", product_code="PRO") == {
        "type": "subscription_update",
        "subscription_update": {"subscription": subscription["id"]},
    }


def test_another_quantity_keeps_the_price_that_was_sold(subscription: Json, sent: list[Json]) -> None:
    Product.objects.filter(code="PRO").update(stripe_price_id="price_pro_new")

    data = flow_data(sent, flow="change", product_code="PRO", quantity=3)

    assert data["subscription_update_confirm"]["items"][0]["price"] == "price_pro"


BAD: dict[str, tuple[Json, str]] = {
    "an unknown flow": ({"flow": "pause"}, "flow"),
    "a product without a flow": ({"product_code": "PRO"}, "product_code"),
    "a product for a card": ({"flow": "payment_method", "product_code": "PRO"}, "product_code"),
    "no product to cancel": ({"flow": "cancel"}, "product_code"),
    "a target to cancel": ({"flow": "cancel", "product_code": "PRO", "to_product_code": "MAX"}, "to_product_code"),
    "a quantity to cancel": ({"flow": "cancel", "product_code": "PRO", "quantity": 1}, "quantity"),
    "no product to change": ({"flow": "change", "to_product_code": "MAX"}, "product_code"),
    "none of it": ({"flow": "change", "product_code": "PRO", "quantity": 0}, "quantity"),
    "too much of it": ({"flow": "change", "product_code": "PRO", "quantity": 1_000_000}, "quantity"),
    "half of it": ({"flow": "change", "product_code": "PRO", "quantity": 0.5}, "quantity"),
}


@pytest.mark.parametrize(("given", "field"), BAD.values(), ids=BAD)
def test_what_does_not_fit_names_the_field(subscription: Json, sent: list[Json], given: Json, field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        billing_portal.session_url("user_1", **given)

    assert list(refused.value.extra["fields"]) == [field]
    assert sent == []


REFUSED: dict[str, tuple[Json, type[LicenzyError]]] = {
    "nothing would change": ({"to_product_code": "PRO", "quantity": 2}, InvalidRequest),
    "the same product": ({"to_product_code": "PRO"}, InvalidRequest),
    "an unknown target": ({"to_product_code": "NOTHING"}, ProductNotFound),
    "a target with a strange code": ({"to_product_code": "a\0b"}, ProductNotFound),
    "a target that is no subscription": ({"to_product_code": "CREDITS"}, NotChangeable),
    "a target that is an add-on": ({"to_product_code": "MORE"}, NotChangeable),
    "an unknown product": ({"product_code": "NOTHING"}, ProductNotFound),
    "a product that the subject does not have": ({"product_code": "MAX"}, NoSubscription),
}


@pytest.mark.parametrize(("given", "error"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_changed_is_refused(
    subscription: Json, sent: list[Json], given: Json, error: type[LicenzyError]
) -> None:
    with pytest.raises(error):
        billing_portal.session_url("user_1", **{"flow": "change", "product_code": "PRO", **given})

    assert sent == []


def test_a_target_that_is_not_for_sale(subscription: Json, sent: list[Json]) -> None:
    Product.objects.filter(code="MAX").update(is_active=False)

    with pytest.raises(ProductNotFound):
        billing_portal.session_url("user_1", flow="change", product_code="PRO", to_product_code="MAX")


def test_a_target_that_the_subject_has_already(stripe: StripeDouble, subscription: Json, sent: list[Json]) -> None:
    stripe.buy("user_1", "MAX")

    with pytest.raises(AlreadySubscribed) as refused:
        billing_portal.session_url("user_1", flow="change", product_code="PRO", to_product_code="MAX")
    assert refused.value.product_code == "MAX"


def test_who_never_bought_has_no_account(stripe: StripeDouble, sent: list[Json]) -> None:
    with pytest.raises(NoBillingAccount):
        billing_portal.session_url("user_2", flow="payment_method")


def test_a_subscription_that_has_ended_is_none(stripe: StripeDouble, subscription: Json, sent: list[Json]) -> None:
    stripe.cancel(subscription)

    for flow in ("cancel", "change"):
        with pytest.raises(NoSubscription):
            billing_portal.session_url("user_1", flow=flow, product_code="PRO")


def test_what_is_canceled_already(stripe: StripeDouble, subscription: Json, sent: list[Json]) -> None:
    stripe.cancel(subscription, at_period_end=True)

    for flow in ("cancel", "change"):
        with pytest.raises(NotChangeable, match="canceled already"):
            billing_portal.session_url("user_1", flow=flow, product_code="PRO")


def test_what_does_not_run_can_be_canceled_alone(stripe: StripeDouble, subscription: Json, sent: list[Json]) -> None:
    stripe.delivered(stripe.simulator.pause(subscription["id"]))

    with pytest.raises(NotChangeable, match="paused"):
        billing_portal.session_url("user_1", flow="change", product_code="PRO")
    assert flow_data(sent, flow="cancel", product_code="PRO")["type"] == "subscription_cancel"


def test_a_product_that_the_subject_has_twice(stripe: StripeDouble, subscription: Json, sent: list[Json]) -> None:
    stripe.delivered(stripe.simulator.subscribe(subscription["customer"], [("price_pro", 1)]))

    for flow in ("cancel", "change"):
        with pytest.raises(NotChangeable, match="twice"):
            billing_portal.session_url("user_1", flow=flow, product_code="PRO")


def test_of_several_items_it_can_be_canceled_as_a_whole(
    stripe: StripeDouble, subscription: Json, sent: list[Json]
) -> None:
    stripe.delivered(stripe.simulator.add_item(subscription["id"], "price_more", quantity=2))

    with pytest.raises(NotChangeable, match="several items"):
        billing_portal.session_url("user_1", flow="change", product_code="PRO", to_product_code="MAX")
    with pytest.raises(NotChangeable, match="with its add-on"):
        billing_portal.session_url("user_1", flow="cancel", product_code="MORE")
    assert flow_data(sent, flow="cancel", product_code="PRO")["type"] == "subscription_cancel"


@pytest.mark.parametrize("flow", [name for name in FLOWS if name != "payment_method"])
def test_while_a_change_is_scheduled(subscription: Json, schedules: Schedules, sent: list[Json], flow: str) -> None:
    made = schedules.make(subscription, [("price_max", 1)])
    schedules.deliver()
    with pytest.raises(ChangePending):
        billing_portal.session_url("user_1", flow=flow, product_code="PRO")
    assert sent == []

    last = made["phases"][-1]
    schedules.change(made, "updated", current_phase={name: last[name] for name in ("start_date", "end_date")})
    schedules.deliver()
    assert flow_data(sent, flow=flow, product_code="PRO")


def test_what_should_have_begun_is_pending_no_longer(
    stripe: StripeDouble, subscription: Json, schedules: Schedules, sent: list[Json]
) -> None:
    schedules.make(subscription, [("price_max", 1)])
    schedules.deliver()
    stripe.simulator.advance(timedelta(days=32))
    stripe.deliver()

    assert flow_data(sent, flow="cancel", product_code="PRO")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"flow": "cancel", "product_code": "PRO"}, (201, None)),
        ({"flow": "change", "product_code": "PRO", "to_product_code": "MAX", "quantity": 3}, (201, None)),
        ({"flow": "change", "product_code": "PRO", "quantity": "3"}, (400, "invalid_request")),
        ({"flow": "", "product_code": "PRO"}, (400, "invalid_request")),
        ({"flow": "cancel", "product_code": "MAX"}, (404, "no_subscription")),
        ({"flow": "cancel", "product_code": "NONE"}, (404, "product_not_found")),
        ({"flow": "change", "product_code": "PRO", "to_product_code": "CREDITS"}, (409, "not_changeable")),
    ],
)
def test_over_http(
    subscription: Json, sent: list[Json], backend: Backend, body: Json, expected: tuple[int, str | None]
) -> None:
    answer = backend.post("billing-portal/session", {"subject_ref": "user_1", **body})

    assert (answer.status_code, answer.json().get("error")) == expected
    assert bool(sent) == (answer.status_code == 201)


def test_change_pending_over_http(subscription: Json, schedules: Schedules, sent: list[Json], backend: Backend) -> None:
    schedules.make(subscription, [("price_max", 1)])
    schedules.deliver()

    answer = backend.post("billing-portal/session", {"subject_ref": "user_1", "flow": "cancel", "product_code": "PRO"})

    assert error_of(answer) == (409, "change_pending")


@pytest.mark.urls("tests.views.urls")
def test_a_form_opens_the_page_that_it_names(stripe: StripeDouble, sent: list[Json], ada: User, client: Client) -> None:
    stripe.buy(ada, "PRO")
    client.force_login(ada)

    there = client.post(
        "/billing/", {"flow": "change", "product_code": "PRO", "to_product_code": "MAX", "quantity": "4"}
    )
    assert there.status_code == 302
    assert sent[0]["flow_data"]["subscription_update_confirm"]["items"][0]["quantity"] == 4

    for quantity in ("four", "-1", "１", "9" * 40):
        wrong = client.post("/billing/", {"flow": "change", "product_code": "PRO", "quantity": quantity})
        assert wrong.status_code == 409
    assert client.post("/billing/", {"flow": "cancel", "product_code": "MAX"}).status_code == 409
    assert len(sent) == 1


# --- at Stripe --------------------------------------------------------------------------------------------------------


def flow_at_stripe(stripe: StripeDouble, **given: Any) -> Json:
    page = billing_portal.session_url("user_1", **given)
    session: Json = stripe.simulator.get("billing_portal.session", page.rsplit("/", 1)[-1])
    flow: Json = session["flow"]
    return flow


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"flow": "payment_method"}, "payment_method_update"),
        ({"flow": "cancel", "product_code": "PRO"}, "subscription_cancel"),
        ({"flow": "change", "product_code": "PRO"}, "subscription_update"),
        ({"flow": "change", "product_code": "PRO", "to_product_code": "MAX"}, "subscription_update_confirm"),
        ({"flow": "change", "product_code": "PRO", "quantity": 7}, "subscription_update_confirm"),
    ],
)
def test_stripe_takes_what_is_asked(stripe: StripeDouble, subscription: Json, given: Json, kind: str) -> None:
    flow = flow_at_stripe(stripe, **given)

    assert flow["type"] == kind
    assert flow["after_completion"]["redirect"] == {"return_url": BACK}


def test_a_change_that_the_verbs_have_scheduled_is_pending_until_it_is_taken_back(
    stripe: StripeDouble, subscription: Json
) -> None:
    change("user_1", "PRO", quantity=1, idempotency_key="less")
    for flow in ("cancel", "change"):
        with pytest.raises(ChangePending):
            billing_portal.session_url("user_1", flow=flow, product_code="PRO")

    resume("user_1", "PRO", idempotency_key="back")

    assert flow_at_stripe(stripe, flow="cancel", product_code="PRO")["type"] == "subscription_cancel"


def test_what_the_portals_settings_do_not_allow_is_for_an_operator(stripe: StripeDouble, subscription: Json) -> None:
    features: Any = {"features": {"subscription_cancel": {"enabled": False}}}
    client.ask("test", lambda client: client.v1.billing_portal.configurations.update("bpc_simulator", features))

    with pytest.raises(StripeRefused):
        billing_portal.session_url("user_1", flow="cancel", product_code="PRO")
