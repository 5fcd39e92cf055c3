"""A request of an older API version, in the words of the newest one."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..conf import API_VERSION
from ..json_tree import Json
from ..refusals import RefusalError, invalid
from ..rendering import BASIL, CLOVER, DAHLIA, ENDIVE

OLDEST = "2024-06-20"
_FORM = re.compile(r"\d{4}-\d\d-\d\d(\.[a-z]+)?")
_UI_MODES = {"hosted": "hosted_page", "embedded": "embedded_page", "custom": "elements"}


def checked(version: str) -> str:
    """The version itself. Raises RefusalError for one that the simulator cannot speak."""
    if not _FORM.fullmatch(version) or version[:10] > API_VERSION[:10]:
        raise RefusalError(f"Invalid Stripe API version: {version}")
    if version[:10] < OLDEST:
        raise RefusalError(f"The simulator speaks Stripe's API from {OLDEST} on, not {version}.", code="not_simulated")
    return version


def translated(operation: str, form: Json, version: str) -> Json:
    """``form`` with what the versions since renamed; what they removed is refused under its old name elsewhere."""
    for since, changes in _CHANGES.items():
        for change in changes.get(operation, ()) if version[:10] < since else ():
            form = change(form)
    return form


def _payment_method_types(form: Json) -> Json:
    return _renamed(form, "payment_method_types", "allowed_payment_method_types")


def _renamed(form: Json, old: str, new: str) -> Json:
    if old not in form:
        return form
    if new in form:
        raise invalid(f"Received unknown parameter: {new}", new, "parameter_unknown")
    return {new if name == old else name: value for name, value in form.items()}


def _anchor(form: Json) -> Json:
    """A word until endive, an object since."""
    anchor = form.get("billing_cycle_anchor")
    return form | {"billing_cycle_anchor": {"type": anchor}} if isinstance(anchor, str) else form


def _previewed_anchor(form: Json) -> Json:
    details = form.get("subscription_details")
    return form | {"subscription_details": _anchor(details)} if isinstance(details, dict) else form


def _ui_mode(form: Json) -> Json:
    mode = form.get("ui_mode")
    return form | {"ui_mode": _UI_MODES.get(mode, mode)} if isinstance(mode, str) else form


def _invoice_item_price(form: Json) -> Json:
    """``price`` until basil, ``pricing[price]`` since."""
    if "price" not in form:
        return form
    return {name: value for name, value in form.items() if name != "price"} | {"pricing": {"price": form["price"]}}


def _promotion(form: Json) -> Json:
    """``coupon`` until clover, ``promotion[coupon]`` since."""
    if "coupon" not in form:
        return form
    rest = {name: value for name, value in form.items() if name != "coupon"}
    return rest | {"promotion": {"type": "coupon", "coupon": form["coupon"]}}


Change = Callable[[Json], Json]
_CHANGES: dict[str, dict[str, tuple[Change, ...]]] = {
    BASIL: {"invoice_items.create": (_invoice_item_price,), "invoice_items.update": (_invoice_item_price,)},
    CLOVER: {"promotion_codes.create": (_promotion,)},
    DAHLIA: {"checkout.sessions.create": (_ui_mode,)},
    ENDIVE: {
        "checkout.sessions.create": (_payment_method_types,),
        "payment_intents.create": (_payment_method_types,),
        "payment_intents.update": (_payment_method_types,),
        "invoices.create_preview": (_previewed_anchor,),
        "subscriptions.update": (_anchor,),
        "subscriptions.resume": (_anchor,),
    },
}
"""The first version that knows the new words → operation → what to do to a form in the old ones."""
