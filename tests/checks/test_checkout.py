"""What Stripe's payment page is asked to do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.checks.conftest import Found

GOOD: dict[str, Any] = {"allow_promotion_codes": True, "automatic_tax": {"enabled": True}}


@pytest.mark.parametrize("options", [{}, None, GOOD])
def test_what_may_be_set_is_no_error(ids: Any, options: Any) -> None:
    assert ids(CHECKOUT=options) == []


@pytest.mark.parametrize(
    ("options", "path", "hint"),
    [
        ({"mode": "payment"}, "mode", "The product's kind decides it."),
        ({"subscription_data": {"trial_period_days": 3}}, "subscription_data.trial_period_days", "trial_days"),
        ({"shipping_options": []}, "shipping_options", "shipped"),
        ({"allow_promotion_code": True}, "allow_promotion_code", "no parameter of this name"),
        ({"locale": "german"}, "locale", "one of"),
    ],
)
def test_e019_what_may_not_be_set(found: Found, options: Any, path: str, hint: str) -> None:
    [message] = found(CHECKOUT=options)

    assert (message.id, path in message.msg, hint in str(message.hint)) == ("licenzy.E019", True, True)


def test_e019_names_each(ids: Any) -> None:
    assert ids(CHECKOUT={"mode": "payment", "customer": "cus_1"}) == ["licenzy.E019", "licenzy.E019"]


def test_e009_the_options_are_a_dict(found: Found) -> None:
    [message] = found(CHECKOUT=["allow_promotion_codes"])

    assert message.id == "licenzy.E009"


def add(attempt: Any, request: Any) -> None:
    """A dotted path leads here."""


@pytest.mark.parametrize("value", [add, f"{__name__}.add"])
def test_a_callable_or_its_path_adds_more(ids: Any, value: Any) -> None:
    assert ids(CHECKOUT_PARAMS=value) == []


@pytest.mark.parametrize(("value", "id_"), [("tests.nowhere.add", "licenzy.E010"), ({"locale": "de"}, "licenzy.E009")])
def test_what_cannot_be_called_is_an_error(found: Found, value: Any, id_: str) -> None:
    [message] = found(CHECKOUT_PARAMS=value)

    assert (message.id, "CHECKOUT_PARAMS" in message.msg) == (id_, True)
