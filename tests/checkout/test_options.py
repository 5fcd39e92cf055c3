"""What a host has set for Stripe's page reaches Stripe, for this purchase, as it was when it began."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest
from django.test import RequestFactory

from licenzy_django import checkout
from licenzy_django.exceptions import InvalidRequest, StripeRefused, StripeUnavailable
from licenzy_django.models import CheckoutAttempt, Product
from licenzy_django.testing import StripeDouble
from tests.backend import Backend, error_of
from tests.contract.typed_params import assert_valid_params

pytestmark = pytest.mark.django_db

CREATE = ("POST", "/v1/checkout/sessions")
PROMOTION = {"allow_promotion_codes": True}
TAX = {"automatic_tax": {"enabled": True}, "tax_id_collection": {"enabled": True}}
WELCOME = {"custom_text": {"submit": {"message": "Welcome."}}}


@pytest.fixture
def stripe(stripe_double: StripeDouble) -> StripeDouble:
    stripe_double.sell("PRO", trial_days=14, trial_card=False)
    stripe_double.sell("CREDITS", kind="usage_pack")
    return stripe_double


@pytest.fixture
def licenzy(settings: Any) -> Any:
    """``licenzy(CHECKOUT={…})`` changes settings."""

    def change(**changed: Any) -> None:
        settings.LICENZY = settings.LICENZY | changed

    return change


def sell_with(code: str, **options: Any) -> None:
    Product.objects.filter(code=code).update(checkout=options)


def asked(code: str = "PRO", **given: Any) -> dict[str, Any]:
    """What Stripe is asked, from the attempt; the simulator does not do all of it."""
    given.setdefault("idempotency_key", f"of-{CheckoutAttempt.objects.count()}")
    with suppress(StripeRefused):
        checkout.start("user_1", code, **given)
    params: dict[str, Any] = CheckoutAttempt.objects.latest("pk").stripe_params
    assert_valid_params("checkout.sessions.create", params)
    return params


def test_stripe_gets_the_setting_and_the_product_goes_before_it(stripe: StripeDouble, licenzy: Any) -> None:
    licenzy(CHECKOUT={**PROMOTION, **WELCOME, "billing_address_collection": "required"})
    sell_with("CREDITS", allow_promotion_codes=False, custom_text={"after_submit": {"message": "Soon."}})

    asked("CREDITS")

    sent = stripe.requests[-1].params
    assert (sent["allow_promotion_codes"], sent["billing_address_collection"]) == ("false", "required")
    assert sent["custom_text"] == {"submit": {"message": "Welcome."}, "after_submit": {"message": "Soon."}}


def test_what_is_only_for_one_kind_of_page_is_left_out_of_the_other(stripe: StripeDouble, licenzy: Any) -> None:
    licenzy(
        CHECKOUT={
            "invoice_creation": {"enabled": True},
            "payment_intent_data": {"description": "Credits"},
            "subscription_data": {"description": "Access"},
        }
    )

    once, again_and_again = asked("CREDITS"), asked("PRO")

    assert once.keys() & {"invoice_creation", "payment_intent_data", "subscription_data"} == {
        "invoice_creation",
        "payment_intent_data",
    }
    assert again_and_again.keys() & {"invoice_creation", "payment_intent_data"} == set()
    assert once["payment_intent_data"]["description"] == "Credits"
    assert again_and_again["subscription_data"]["description"] == "Access"
    assert again_and_again["subscription_data"]["trial_period_days"] == 14


def test_our_own_parameters_stay_ours(stripe: StripeDouble, licenzy: Any) -> None:
    licenzy(CHECKOUT={"payment_intent_data": {"description": "Credits"}})

    params = asked("CREDITS", metadata={"licenzy_attempt": "att_of_somebody_else"})

    attempt = CheckoutAttempt.objects.get()
    assert params["metadata"] == {"licenzy_attempt": attempt.public_id}
    assert params["payment_intent_data"] == {"description": "Credits", "metadata": params["metadata"]}


def test_tax_brings_what_stripe_demands_with_it(stripe: StripeDouble, licenzy: Any) -> None:
    licenzy(CHECKOUT=TAX)

    params = asked("CREDITS")

    assert {name: params[name] for name in (*TAX, "customer_update")} == {
        **TAX,
        "customer_update": {"address": "auto", "name": "auto"},
    }


def test_a_retry_sends_the_options_that_were_frozen(stripe: StripeDouble, licenzy: Any) -> None:
    licenzy(CHECKOUT=PROMOTION)
    stripe.faults.add("POST", "/v1/checkout/sessions", "drop_after", times=3)
    with pytest.raises(StripeUnavailable):
        checkout.start("user_1", "PRO", idempotency_key="k")

    licenzy(CHECKOUT=WELCOME)
    checkout.start("user_1", "PRO", idempotency_key="k")

    bodies = {sent.body for sent in stripe.requests if (sent.method, sent.path) == CREATE}
    assert len(bodies) == 1


def test_a_subject_without_a_trial_keeps_the_other_options(stripe: StripeDouble, licenzy: Any) -> None:
    licenzy(CHECKOUT={**PROMOTION, "subscription_data": {"description": "Access"}})
    stripe.buy("user_1", "PRO")
    stripe.sell("MAX", trial_days=14, trial_card=False)

    params = asked("MAX")

    assert params["subscription_data"] == {"description": "Access", "metadata": params["metadata"]}
    assert (params["allow_promotion_codes"], "payment_method_collection" in params) == (True, False)


# --- the host's callable ----------------------------------------------------------------------------------------------


def test_the_callable_adds_for_this_purchase(stripe: StripeDouble, licenzy: Any) -> None:
    seen: list[Any] = []

    def add(attempt: CheckoutAttempt, request: HttpRequest | None) -> dict[str, Any]:
        seen.append((attempt.subject.subject_ref, attempt.product.code, attempt.quantity, attempt.metadata, request))
        return {"custom_text": {"submit": {"message": f"For {attempt.subject}"}}}

    request = RequestFactory().get("/")
    licenzy(CHECKOUT=PROMOTION, CHECKOUT_PARAMS=add)
    params = asked("CREDITS", quantity=2, metadata={"order": "42"}, request=request)

    assert seen == [("user_1", "CREDITS", 2, {"order": "42"}, request)]
    assert (params["allow_promotion_codes"], "user_1" in params["custom_text"]["submit"]["message"]) == (True, True)


def of_a_dotted_path(attempt: CheckoutAttempt, request: HttpRequest | None) -> dict[str, Any] | None:
    return PROMOTION if attempt.product.code == "PRO" else None


def test_the_callable_may_be_a_dotted_path_and_answer_nothing(stripe: StripeDouble, licenzy: Any) -> None:
    licenzy(CHECKOUT_PARAMS=f"{__name__}.of_a_dotted_path")

    assert "allow_promotion_codes" in asked("PRO")
    assert "allow_promotion_codes" not in asked("CREDITS")


def test_a_request_that_is_the_subject_is_the_callables_request(
    stripe: StripeDouble, licenzy: Any, request_of: Any, ada: Any
) -> None:
    seen: list[Any] = []
    licenzy(CHECKOUT_PARAMS=lambda attempt, request: seen.append(request))
    request = request_of(ada)

    checkout.start(request, "PRO", idempotency_key="k")

    assert seen == [request]


def test_the_api_has_no_visitor(stripe: StripeDouble, licenzy: Any, backend: Backend) -> None:
    seen: list[Any] = []
    licenzy(CHECKOUT_PARAMS=lambda attempt, request: seen.append(request))

    assert backend.checkout("user_1", "PRO").status_code == 201

    assert seen == [None]


def test_the_callable_is_asked_once_for_a_key(stripe: StripeDouble, licenzy: Any) -> None:
    seen: list[Any] = []
    licenzy(CHECKOUT_PARAMS=lambda attempt, request: seen.append(request))

    for _ in range(2):
        checkout.start("user_1", "PRO", idempotency_key="k")

    assert len(seen) == 1


# --- what may not be set ----------------------------------------------------------------------------------------------

BAD: dict[str, Any] = {"subscription_data": {"trial_end": 1}}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"CHECKOUT": BAD}, "LICENZY['CHECKOUT']"),
        ({"CHECKOUT_PARAMS": lambda attempt, request: BAD}, "CHECKOUT_PARAMS"),
        ({"CHECKOUT_PARAMS": lambda attempt, request: {"invoice_creation": {"enabled": True}}}, "paid once"),
        ({"CHECKOUT_PARAMS": lambda attempt, request: ["mode"]}, "an object"),
    ],
    ids=["setting", "callable", "callable, another mode", "callable, no object"],
)
def test_a_refused_parameter_is_an_error_and_nothing_is_begun(
    stripe: StripeDouble, licenzy: Any, where: dict[str, Any], words: str
) -> None:
    licenzy(**where)

    with pytest.raises(ImproperlyConfigured, match=words.replace("[", r"\[")):
        checkout.start("user_1", "PRO", idempotency_key="k")

    assert (CheckoutAttempt.objects.count(), stripe.requests) == (0, [])


def test_a_product_that_was_written_past_the_form_is_an_error_too(stripe: StripeDouble) -> None:
    sell_with("PRO", **BAD)

    with pytest.raises(ImproperlyConfigured, match=r"PRO cannot be used\. subscription_data\.trial_end: Set"):
        checkout.start("user_1", "PRO", idempotency_key="k")

    assert CheckoutAttempt.objects.count() == 0


def test_what_the_callable_raises_comes_out_as_it_is(stripe: StripeDouble, licenzy: Any) -> None:
    licenzy(CHECKOUT_PARAMS=lambda attempt, request: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        checkout.start("user_1", "PRO", idempotency_key="k")

    assert (CheckoutAttempt.objects.count(), stripe.requests) == (0, [])


def test_the_callable_may_refuse_a_purchase_in_the_form_of_the_api(
    stripe: StripeDouble, licenzy: Any, backend: Backend
) -> None:
    def refuse(attempt: CheckoutAttempt, request: HttpRequest | None) -> dict[str, Any]:
        raise InvalidRequest("Not in your country.")

    licenzy(CHECKOUT_PARAMS=refuse)

    assert error_of(backend.checkout("user_1", "PRO")) == (400, "invalid_request")


def test_once_an_operator_has_put_it_right_the_same_key_asks_anew(stripe: StripeDouble, licenzy: Any) -> None:
    licenzy(CHECKOUT={"automatic_tax": {"enabled": True}})
    Product.objects.filter(code="PRO").update(stripe_price_id="price_that_is_not_there")
    with pytest.raises(StripeRefused):
        checkout.start("user_1", "PRO", idempotency_key="k", locale="de", metadata={"order": "42"})

    licenzy(CHECKOUT=PROMOTION)
    Product.objects.filter(code="PRO").update(stripe_price_id="price_pro")
    checkout.start("user_1", "PRO", idempotency_key="k", locale="de", metadata={"order": "42"})

    params = CheckoutAttempt.objects.get().stripe_params
    assert (params["allow_promotion_codes"], params["locale"], "automatic_tax" in params) == (True, "de", False)


# --- the locale -------------------------------------------------------------------------------------------------------


def test_a_locale_goes_before_every_other(stripe: StripeDouble, licenzy: Any, backend: Backend) -> None:
    licenzy(CHECKOUT={"locale": "fr"}, CHECKOUT_PARAMS=lambda attempt, request: {"locale": "it"})

    assert backend.checkout("user_1", "PRO", locale="de").status_code == 201
    assert CheckoutAttempt.objects.latest("pk").stripe_params["locale"] == "de"
    assert asked("CREDITS")["locale"] == "it"


@pytest.mark.parametrize("locale", ["xx", "DE", "de ", 5, ""])
def test_a_locale_is_one_of_stripes(stripe: StripeDouble, backend: Backend, locale: object) -> None:
    answer = backend.checkout("user_1", "PRO", locale=locale)

    assert (error_of(answer), [*answer.json()["fields"]]) == ((400, "invalid_request"), ["locale"])


def test_another_locale_is_another_request(stripe: StripeDouble, backend: Backend) -> None:
    backend.checkout("user_1", "PRO", locale="de")

    assert error_of(backend.checkout("user_1", "PRO", locale="fr")) == (422, "idempotency_key_reused")
