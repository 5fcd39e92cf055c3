"""Options are checked by shape; what is ours or refused is refused by name."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import gettext_lazy

from licenzy_django.checkout_options import completed, merged, on_page_of, problems_of
from licenzy_django.checkout_options.lists import OURS, REFUSED

pytestmark = pytest.mark.rules

FIELD: dict[str, Any] = {
    "key": "vat",
    "label": {"type": "custom", "custom": "Cost center"},
    "type": "text",
    "optional": True,
}
TAX: dict[str, Any] = {"automatic_tax": {"enabled": True}}
NO_TAX: dict[str, Any] = {"automatic_tax": {"enabled": False}}
GOOD: dict[str, Any] = {
    "allow_promotion_codes": True,
    "automatic_tax": {"enabled": True},
    "billing_address_collection": "required",
    "consent_collection": {"terms_of_service": "required", "payment_method_reuse_agreement": {"position": "auto"}},
    "custom_fields": [
        FIELD,
        {
            "key": "size",
            "label": {"type": "custom", "custom": "Size"},
            "type": "dropdown",
            "dropdown": {"options": [{"label": "Small", "value": "s"}]},
        },
    ],
    "custom_text": {"submit": {"message": "Welcome."}},
    "invoice_creation": {"enabled": True, "invoice_data": {"footer": "Thanks", "account_tax_ids": ["txi_1"]}},
    "locale": "de",
    "payment_intent_data": {"description": "Credits", "statement_descriptor": "SHOP"},
    "payment_method_configuration": "pmc_1",
    "phone_number_collection": {"enabled": False},
    "saved_payment_method_options": {"payment_method_save": "enabled", "allow_redisplay_filters": ["always"]},
    "subscription_data": {"description": "Pro"},
    "tax_id_collection": {"enabled": True, "required": "if_supported"},
}


def paths(options: Any, **given: Any) -> list[str]:
    return [problem.path for problem in problems_of(options, **given)]


def test_everything_that_may_be_set_can_be_set() -> None:
    assert problems_of(GOOD) == []


def test_texts_may_wait_for_their_translation_and_lists_be_tuples() -> None:
    options = {"custom_text": {"submit": {"message": gettext_lazy("Checkout")}}, "custom_fields": ()}

    assert problems_of(options) == []
    assert merged({}, options) == {"custom_text": {"submit": {"message": "Checkout"}}}
    assert type(merged(options)["custom_text"]["submit"]["message"]) is str


@pytest.mark.parametrize("path", [*OURS, *REFUSED])
def test_what_is_ours_or_refused_is_refused_by_name(path: str) -> None:
    *outer, last = path.split(".")
    options: Any = {last: "anything"}
    for name in reversed(outer):
        options = {name: options}

    [problem, *missing] = problems_of(options)

    assert (problem.path, problem.sentence) == (path, OURS.get(path) or REFUSED[path])
    assert {each.path for each in missing} <= {"automatic_tax.enabled", "invoice_creation.enabled"}


@pytest.mark.parametrize(
    ("options", "path", "words"),
    [
        ({"allow_promotion_code": True}, "allow_promotion_code", "no parameter of this name"),
        ({7: True}, "7", "no parameter of this name"),
        ({"automatic_tax": {"enable": True, "enabled": True}}, "automatic_tax.enable", "no parameter of this name"),
        ({"allow_promotion_codes": "true"}, "allow_promotion_codes", "true or false"),
        ({"allow_promotion_codes": 1}, "allow_promotion_codes", "true or false"),
        ({"allow_promotion_codes": None}, "allow_promotion_codes", "true or false"),
        ({"automatic_tax": True}, "automatic_tax", "an object"),
        ({"automatic_tax": {}}, "automatic_tax.enabled", "missing"),
        ({"locale": "xx"}, "locale", "one of: auto"),
        ({"locale": ["de"]}, "locale", "one of: auto"),
        ({"custom_fields": {}}, "custom_fields", "a list"),
        ({"custom_fields": [FIELD] * 4}, "custom_fields", "at most 3"),
        ({"custom_fields": ["vat"]}, "custom_fields[0]", "an object"),
        (
            {"custom_fields": [{**GOOD["custom_fields"][0], "key": "no-no"}]},
            "custom_fields[0].key",
            "letters and digits",
        ),
        ({"custom_fields": [{**GOOD["custom_fields"][0], "key": ""}]}, "custom_fields[0].key", "1 to 200"),
        (
            {"custom_fields": [FIELD | {"text": {"maximum_length": True}}]},
            "custom_fields[0].text.maximum_length",
            "whole number from 1 to 255",
        ),
        ({"custom_text": {"submit": {"message": "x" * 1201}}}, "custom_text.submit.message", "0 to 1200"),
        ({"custom_text": {"submit": {"message": 5}}}, "custom_text.submit.message", "a text"),
        ({"custom_text": {"submit": {"message": "a\x00b"}}}, "custom_text.submit.message", "cannot be stored"),
        ({"custom_text": {"submit": {"message": "\ud800"}}}, "custom_text.submit.message", "cannot be stored"),
        (
            {"payment_intent_data": {"statement_descriptor": "A*B"}},
            "payment_intent_data.statement_descriptor",
            "may not have *",
        ),
        ([], "", "an object"),
        ("x", "", "an object"),
    ],
    ids=lambda given: str(given)[:50],
)
def test_a_value_of_another_shape_is_a_problem(options: Any, path: str, words: str) -> None:
    [problem] = problems_of(options)

    assert (problem.path, words in str(problem.sentence)) == (path, True), str(problem)


def test_a_long_name_is_cut_off() -> None:
    [path] = paths({"x" * 5000: 1})

    assert len(path) == 100


def test_what_is_for_one_kind_of_page_is_a_problem_on_the_other() -> None:
    assert paths(GOOD, session_mode="subscription") == ["invoice_creation", "payment_intent_data"]
    assert paths(GOOD, session_mode="payment") == ["subscription_data"]


def test_what_is_set_for_all_products_is_left_out_where_it_is_not_for_them() -> None:
    assert GOOD.keys() - on_page_of("subscription", GOOD).keys() == {"invoice_creation", "payment_intent_data"}
    assert GOOD.keys() - on_page_of("payment", GOOD).keys() == {"subscription_data"}


@pytest.mark.parametrize(
    ("before", "after", "together"),
    [
        ({"locale": "de"}, {}, {"locale": "de"}),
        ({"locale": "de"}, {"locale": "fr"}, {"locale": "fr"}),
        (
            {"custom_text": {"submit": {"message": "a"}}},
            {"custom_text": {"after_submit": {"message": "b"}}},
            {"custom_text": {"submit": {"message": "a"}, "after_submit": {"message": "b"}}},
        ),
        ({"custom_fields": [{"key": "a"}]}, {"custom_fields": [{"key": "b"}]}, {"custom_fields": [{"key": "b"}]}),
        ({"custom_fields": [{"key": "a"}]}, {"custom_fields": []}, {}),
        ({"custom_text": {"submit": {"message": "a"}}}, {"custom_text": {}}, {}),
        ({"custom_text": {"submit": {"message": "a"}}}, {"custom_text": {"submit": {"message": ""}}}, {}),
        (TAX, NO_TAX, NO_TAX),
    ],
)
def test_a_later_layer_wins_object_by_object(before: Any, after: Any, together: Any) -> None:
    assert merged(before, after) == together


def test_layers_stay_as_they_were() -> None:
    before, after = {"custom_text": {"submit": {"message": "a"}}}, {"custom_text": {"submit": {"message": "b"}}}

    found = merged(before, after)
    found["custom_text"]["submit"]["message"] = "c"

    assert (before["custom_text"]["submit"], after["custom_text"]["submit"]) == ({"message": "a"}, {"message": "b"})


AUTO = {"address": "auto", "name": "auto"}


@pytest.mark.parametrize(
    ("options", "added"),
    [
        ({}, {}),
        ({"automatic_tax": {"enabled": True}}, {"customer_update": AUTO}),
        ({"tax_id_collection": {"enabled": True}}, {"customer_update": AUTO}),
        ({"automatic_tax": {"enabled": False}, "tax_id_collection": {"enabled": False}}, {}),
        (
            {"custom_text": {"terms_of_service_acceptance": {"message": "I agree"}}},
            {"consent_collection": {"terms_of_service": "required"}},
        ),
        (
            {
                "custom_text": {"terms_of_service_acceptance": {"message": "I agree"}},
                "consent_collection": {"promotions": "auto", "terms_of_service": "none"},
            },
            {"consent_collection": {"promotions": "auto", "terms_of_service": "required"}},
        ),
        ({"custom_text": {"submit": {"message": "Pay"}}}, {}),
    ],
)
def test_what_stripe_demands_together_is_added(options: Any, added: Any) -> None:
    assert completed(options) == {**options, **added}
