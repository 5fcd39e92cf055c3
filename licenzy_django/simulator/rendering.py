"""Events and objects in the shapes of several API versions.

What is stored has the newest shape (endive) plus hidden keys (``_…``) for what older versions showed. The differences
follow Stripe's changelog for the objects that this simulator has; dates are those of the API versions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .conf import API_VERSION
from .json_tree import Json, snapshot

BASIL, CLOVER, DAHLIA, ENDIVE = "2025-03-31", "2025-09-30", "2026-03-25", "2026-09-30"

# Keys that a version before the date does not know, by object.
_SINCE: dict[str, dict[str, tuple[str, ...]]] = {
    BASIL: {
        "subscription": ("billing_mode",),
        "subscription_item": ("current_period_start", "current_period_end"),
        "invoice": ("parent", "amount_overpaid", "total_taxes"),
        "line_item": ("parent", "pricing", "taxes"),
        "checkout.session": ("adaptive_pricing", "wallet_options", "permissions"),
        "event": ("context",),
        "subscription_schedule": ("billing_mode",),
        "refund": ("pending_reason",),
        "credit_note": ("post_payment_amount", "pre_payment_amount", "total_taxes"),
    },
    CLOVER: {
        "subscription": ("customer_account",),
        "invoice": ("customer_account",),
        "payment_intent": ("customer_account",),
        "customer": ("customer_account",),
        "subscription_schedule": ("customer_account",),
        "credit_note": ("customer_account",),
        "line_item": ("subtotal",),
        "discount": ("customer_account", "source"),
        "promotion_code": ("customer_account", "promotion"),
        "checkout.session": ("customer_account", "origin_context"),
    },
    DAHLIA: {
        "subscription": ("billing_schedules", "managed_payments"),
        "subscription_item": ("billed_until",),
        "invoice": ("amount_paid_off_stripe",),
        "line_item": ("quantity_decimal",),
        "refund": ("customer", "customer_account", "payment_method"),
        "checkout.session": ("integration_identifier", "managed_payments"),
    },
    ENDIVE: {
        "subscription": ("status_details",),
        "subscription_item": ("current_trial",),
        "dispute": ("intended_submission_method",),
        "checkout.session": ("allowed_payment_method_types",),
    },
}
LINES_SHOWN = 10
"""Of an invoice; for more there is a list of their own."""
_OLD_UI_MODES = {"hosted_page": "hosted", "embedded_page": "embedded", "elements": "custom"}


def render(event: Mapping[str, Any], api_version: str | None) -> Json:
    """The event as an endpoint of this API version gets it. None: the newest shape, with ``api_version`` null."""
    shown = render_object(event, api_version)
    shown["api_version"] = api_version
    told = shown["data"]
    told["object"] = render_object(told["object"], api_version)
    if "previous_attributes" in told:
        hint = told["object"]["object"]
        told["previous_attributes"] = render_object(told["previous_attributes"], api_version, kind=hint)
    return shown


def render_object(thing: Mapping[str, Any], api_version: str | None, *, kind: str = "") -> Json:
    """A copy without hidden keys. ``kind`` names the object of a fragment, as in ``previous_attributes``."""
    date = (api_version or API_VERSION)[:10]
    shown: Json = _shape(snapshot(dict(thing)), date, kind)
    return shown


def _shape(thing: Json, date: str, kind: str = "") -> Json:
    kind = kind or str(thing.get("object", ""))
    for name, value in list(thing.items()):
        for child in _children(value) if name != "metadata" else ():
            _shape(child, date)
    if kind in _IN_EVERY_VERSION:
        _IN_EVERY_VERSION[kind](thing)
    _in_old_words(thing, date, kind)
    if date < DAHLIA and kind == "checkout.session" and "ui_mode" in thing:
        thing["ui_mode"] = _OLD_UI_MODES.get(thing["ui_mode"], thing["ui_mode"])
    for since, unknown in _SINCE.items():
        if date < since:
            for key in unknown.get(kind, ()):
                thing.pop(key, None)
    for key in [key for key in thing if key[0] == "_" and key != "_period"]:
        del thing[key]
    return thing


def _in_old_words(thing: Json, date: str, kind: str) -> None:
    for since, older in _BEFORE.items():
        if date < since and kind in older:
            older[kind](thing)


def _children(value: Any) -> Iterator[Json]:
    """The Stripe objects right below: expanded ones, and those of lists."""
    if isinstance(value, dict) and isinstance(value.get("object"), str):
        yield value
    elif isinstance(value, dict) and isinstance(value.get("data"), list):
        yield from value["data"]
    elif isinstance(value, dict) and isinstance(value.get("subscription_items"), list):
        yield from value["subscription_items"]
    elif isinstance(value, list):
        yield from (child for child in value if isinstance(child, dict) and isinstance(child.get("object"), str))


def _first_lines(invoice: Json) -> None:
    lines = invoice.get("lines") or {}
    if len(lines.get("data", ())) > LINES_SHOWN:
        invoice["lines"] = lines | {"data": lines["data"][:LINES_SHOWN], "has_more": True}


def _waiting_items(subscription: Json) -> list[Json]:
    return (subscription.get("pending_update") or {}).get("subscription_items") or []


def _old_subscription(subscription: Json) -> None:
    items = (subscription.get("items") or {}).get("data") or []
    # The children have been shaped already and remember their period under a hidden key.
    periods = [item["_period"] for item in items if item.get("_period")]
    for item in [*items, *_waiting_items(subscription)]:
        item.pop("_period", None)
    if periods:  # docs.stripe.com/billing/subscriptions/mixed-interval: the latest start and the earliest end
        subscription["current_period_start"] = max(start for start, _ in periods)
        subscription["current_period_end"] = min(end for _, end in periods)
    if "discounts" in subscription:
        subscription["discount"] = subscription.get("_discount") if subscription["discounts"] else None
    if len(items) == 1:
        subscription |= {"plan": items[0].get("plan"), "quantity": items[0].get("quantity")}


_OLD_INVOICE_NAMES = {"_payment_intent": "payment_intent", "_charge": "charge", "_out_of_band": "paid_out_of_band"}


def _old_invoice(invoice: Json) -> None:
    parent = (invoice.get("parent") or {}).get("subscription_details") or {}
    if "parent" in invoice:
        invoice["subscription"] = invoice.get("_subscription") or parent.get("subscription")
        invoice["quote"] = invoice.get("_quote")
        invoice["subscription_details"] = {"metadata": parent.get("metadata") or {}}
        invoice["subscription_proration_date"] = None
    if "status" in invoice:
        invoice["paid"] = invoice["status"] == "paid"
    for new, old in _OLD_INVOICE_NAMES.items():
        if new in invoice:
            invoice[old] = invoice[new]
    if "total" in invoice:
        invoice |= {"tax": None, "discount": invoice.get("_discount"), "total_tax_amounts": [], "transfer_data": None}
        if taxes := invoice.get("total_taxes"):
            invoice |= {"tax": sum(tax["amount"] for tax in taxes), "total_tax_amounts": _old_taxes(taxes)}
        invoice["application_fee_amount"] = None


def _old_taxes(taxes: list[Json]) -> list[Json]:
    return [{"amount": tax["amount"], "inclusive": tax["tax_behavior"] == "inclusive",
             "tax_rate": tax["tax_rate_details"]["tax_rate"], "taxability_reason": tax["taxability_reason"],
             "taxable_amount": tax["taxable_amount"]} for tax in taxes]  # fmt: skip


def _old_line(line: Json) -> None:
    parent = line.get("parent") or {}
    details = parent.get("subscription_item_details") or parent.get("invoice_item_details") or {}
    named = (line.get("pricing") or {}).get("price_details") or {}
    price = line.get("_price") or {"id": named.get("price"), "object": "price", "product": named.get("product")}
    line["type"] = "invoiceitem" if details.get("invoice_item") else "subscription"
    line |= {"proration": details.get("proration", False), "proration_details": details.get("proration_details")}
    line["subscription_item"] = details.get("subscription_item")
    if details.get("invoice_item"):
        line["invoice_item"] = details["invoice_item"]
    line["price"] = price
    line["plan"] = _plan(price) if price.get("recurring") else None
    line |= {"amount_excluding_tax": line.get("amount"), "tax_amounts": _old_taxes(line.get("taxes") or [])}


def _old_item(item: Json) -> None:
    if "current_period_start" in item:
        item["_period"] = (item["current_period_start"], item["current_period_end"])


def _plan(price: Json) -> Json:
    """A recurring price in the words of the Plans API, which items show beside it."""
    rhythm: Json = price.get("recurring") or {}
    copied = ("id", "active", "billing_scheme", "created", "currency", "livemode", "metadata", "nickname", "product",
              "tiers_mode")  # fmt: skip
    return {name: price.get(name) for name in copied} | {
        "object": "plan", "amount": price.get("unit_amount"), "amount_decimal": price.get("unit_amount_decimal"),
        "interval": rhythm.get("interval"), "interval_count": rhythm.get("interval_count"), "meter": None,
        "transform_usage": None, "trial_period_days": rhythm.get("trial_period_days"), "usage_type": "licensed",
    }  # fmt: skip


def _show_plan(item: Json) -> None:
    if item.get("price"):
        item["plan"] = _plan(item["price"])


def _own_currency(price: Json) -> None:
    """Charged in another currency it goes on showing its own."""
    price |= price.get("_own", {})


def _hide_products(configuration: Json) -> None:
    """Only there when it is expanded: ``features.subscription_update.products``."""
    update = (configuration.get("features") or {}).get("subscription_update") or {}
    if not configuration.get("_with_products"):
        update.pop("products", None)


_IN_EVERY_VERSION: dict[str, Callable[[Json], None]] = {
    "invoice": _first_lines,
    "price": _own_currency,
    "billing_portal.configuration": _hide_products,
    "subscription_item": _show_plan,
}


def _old_credit_note(note: Json) -> None:
    """One refund, where basil has a list."""
    refunds = note.pop("refunds", None) or []
    note |= {"refund": refunds[0]["refund"] if refunds else None, "tax_amounts": []}


def _invoiced(thing: Json) -> None:
    if "_invoice" in thing:
        thing["invoice"] = thing["_invoice"]


def _old_discount(thing: Json) -> None:
    """An object of its own, where clover has its id."""
    thing["coupon"] = thing.get("_coupon")


_BEFORE: dict[str, dict[str, Callable[[Json], None]]] = {
    BASIL: {
        "subscription": _old_subscription,
        "subscription_item": _old_item,
        "invoice": _old_invoice,
        "line_item": _old_line,
        "credit_note": _old_credit_note,
        "charge": _invoiced,
        "payment_intent": _invoiced,
    },
    CLOVER: {"discount": _old_discount, "promotion_code": _old_discount},
}
