"""The paths: method and pattern → the operation."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from ..json_tree import Json
from ..refusals import RefusalError
from . import discount_and_tax_operations as off
from . import invoice_operations as bill
from . import lists, previews
from . import operations as do
from . import payment_operations as pay
from . import portal_operations as portals
from . import schedule_operations as plan
from . import subscription_operations as subs
from . import test_clock_operations as tests


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    name: str
    run: Callable[..., Json]


_TABLE: tuple[tuple[str, str, str, Callable[..., Json]], ...] = (
    ("POST", "/v1/checkout/sessions", "checkout.sessions.create", do.create_session),
    ("GET", "/v1/checkout/sessions", "checkout.sessions.list",
     lists.list_of("checkout.session", "customer", "payment_intent", "subscription", "status")),
    ("GET", "/v1/checkout/sessions/{id}", "checkout.sessions.retrieve", lists.retrieve("checkout.session")),
    ("POST", "/v1/checkout/sessions/{id}", "checkout.sessions.update", do.update_session),
    ("POST", "/v1/checkout/sessions/{id}/expire", "checkout.sessions.expire", do.expire_session),
    ("GET", "/v1/checkout/sessions/{id}/line_items", "checkout.sessions.line_items.list", do.list_line_items),
    ("POST", "/v1/customers", "customers.create", do.create_customer),
    ("GET", "/v1/customers", "customers.list", lists.customers),
    ("GET", "/v1/customers/{id}", "customers.retrieve", lists.retrieve("customer")),
    ("POST", "/v1/customers/{id}", "customers.update", do.update_customer),
    ("DELETE", "/v1/customers/{id}", "customers.delete", do.delete_customer),
    ("GET", "/v1/customers/{id}/tax_ids", "customers.tax_ids.list", off.list_tax_ids),
    ("GET", "/v1/tax_rates/{id}", "tax_rates.retrieve", off.retrieve_tax_rate),
    ("POST", "/v1/billing_portal/sessions", "billing_portal.sessions.create", do.create_portal_session),
    ("POST", "/v1/billing_portal/configurations", "billing_portal.configurations.create", portals.create),
    ("GET", "/v1/billing_portal/configurations", "billing_portal.configurations.list", portals.list_all),
    ("GET", "/v1/billing_portal/configurations/{id}", "billing_portal.configurations.retrieve", portals.retrieve),
    ("POST", "/v1/billing_portal/configurations/{id}", "billing_portal.configurations.update", portals.update),
    ("POST", "/v1/subscriptions", "subscriptions.create", subs.create_subscription),
    ("GET", "/v1/subscriptions", "subscriptions.list", lists.subscriptions),
    ("GET", "/v1/subscriptions/{id}", "subscriptions.retrieve", lists.retrieve("subscription")),
    ("POST", "/v1/subscriptions/{id}", "subscriptions.update", subs.update_subscription),
    ("DELETE", "/v1/subscriptions/{id}", "subscriptions.cancel", subs.cancel_subscription),
    ("POST", "/v1/subscriptions/{id}/pause", "subscriptions.pause", subs.pause_subscription),
    ("POST", "/v1/subscriptions/{id}/resume", "subscriptions.resume", subs.resume_subscription),
    ("POST", "/v1/subscription_schedules", "subscription_schedules.create", plan.create_schedule),
    ("GET", "/v1/subscription_schedules", "subscription_schedules.list",
     lists.list_of("subscription_schedule", "customer", url="/v1/subscription_schedules")),
    ("GET", "/v1/subscription_schedules/{id}", "subscription_schedules.retrieve",
     lists.retrieve("subscription_schedule")),
    ("POST", "/v1/subscription_schedules/{id}", "subscription_schedules.update", plan.update_schedule),
    ("POST", "/v1/subscription_schedules/{id}/release", "subscription_schedules.release", plan.release_schedule),
    ("POST", "/v1/subscription_schedules/{id}/cancel", "subscription_schedules.cancel", plan.cancel_schedule),
    ("POST", "/v1/subscription_items", "subscription_items.create", subs.create_item),
    ("GET", "/v1/subscription_items", "subscription_items.list", lists.subscription_items),
    ("GET", "/v1/subscription_items/{id}", "subscription_items.retrieve", subs.retrieve_item),
    ("POST", "/v1/subscription_items/{id}", "subscription_items.update", subs.update_item),
    ("DELETE", "/v1/subscription_items/{id}", "subscription_items.delete", subs.delete_item),
    ("POST", "/v1/invoiceitems", "invoice_items.create", bill.create_item),
    ("GET", "/v1/invoiceitems", "invoice_items.list", lists.invoice_items),
    ("GET", "/v1/invoiceitems/{id}", "invoice_items.retrieve", lists.retrieve("invoiceitem")),
    ("POST", "/v1/invoiceitems/{id}", "invoice_items.update", bill.update_item),
    ("DELETE", "/v1/invoiceitems/{id}", "invoice_items.delete", bill.delete_item),
    ("POST", "/v1/invoices", "invoices.create", bill.create_invoice),
    ("GET", "/v1/invoices", "invoices.list", lists.invoices),
    ("POST", "/v1/invoices/create_preview", "invoices.create_preview", previews.create),
    ("GET", "/v1/invoices/{id}", "invoices.retrieve", lists.retrieve("invoice")),
    ("GET", "/v1/invoices/{id}/lines", "invoices.line_items.list", lists.invoice_lines),
    ("POST", "/v1/invoices/{id}/pay", "invoices.pay", bill.pay_invoice),
    ("POST", "/v1/invoices/{id}", "invoices.update", bill.update_invoice),
    ("DELETE", "/v1/invoices/{id}", "invoices.delete", bill.delete_invoice),
    ("POST", "/v1/invoices/{id}/finalize", "invoices.finalize_invoice", bill.finalize_invoice),
    ("POST", "/v1/invoices/{id}/send", "invoices.send_invoice", bill.send_invoice),
    ("POST", "/v1/invoices/{id}/void", "invoices.void_invoice", bill.void_invoice),
    ("POST", "/v1/invoices/{id}/mark_uncollectible", "invoices.mark_uncollectible", bill.mark_uncollectible),
    ("POST", "/v1/credit_notes", "credit_notes.create", bill.create_credit_note),
    ("GET", "/v1/credit_notes", "credit_notes.list", lists.list_of("credit_note", "customer", "invoice")),
    ("GET", "/v1/credit_notes/{id}", "credit_notes.retrieve", lists.retrieve("credit_note")),
    ("POST", "/v1/credit_notes/{id}", "credit_notes.update", bill.update_credit_note),
    ("POST", "/v1/credit_notes/{id}/void", "credit_notes.void_credit_note", bill.void_credit_note),
    ("GET", "/v1/invoice_payments", "invoice_payments.list", lists.invoice_payments),
    ("GET", "/v1/invoice_payments/{id}", "invoice_payments.retrieve", lists.retrieve("invoice_payment")),
    ("POST", "/v1/payment_methods", "payment_methods.create", pay.create_payment_method),
    ("GET", "/v1/payment_methods", "payment_methods.list", pay.list_payment_methods),
    ("GET", "/v1/payment_methods/{id}", "payment_methods.retrieve", pay.retrieve_payment_method),
    ("POST", "/v1/payment_methods/{id}", "payment_methods.update", pay.update_payment_method),
    ("POST", "/v1/payment_methods/{id}/attach", "payment_methods.attach", pay.attach_payment_method),
    ("POST", "/v1/payment_methods/{id}/detach", "payment_methods.detach", pay.detach_payment_method),
    ("GET", "/v1/charges", "charges.list", lists.list_of("charge", "customer", "payment_intent")),
    ("GET", "/v1/charges/{id}", "charges.retrieve", lists.retrieve("charge")),
    ("POST", "/v1/charges/{id}", "charges.update", pay.update_charge),
    ("POST", "/v1/payment_intents", "payment_intents.create", pay.create_payment_intent),
    ("POST", "/v1/payment_intents/{id}", "payment_intents.update", pay.update_payment_intent),
    ("POST", "/v1/payment_intents/{id}/confirm", "payment_intents.confirm", pay.confirm_payment_intent),
    ("POST", "/v1/payment_intents/{id}/cancel", "payment_intents.cancel", pay.cancel_payment_intent),
    ("GET", "/v1/payment_intents", "payment_intents.list", lists.list_of("payment_intent", "customer")),
    ("GET", "/v1/payment_intents/{id}", "payment_intents.retrieve", lists.retrieve("payment_intent")),
    ("POST", "/v1/refunds", "refunds.create", pay.create_refund),
    ("GET", "/v1/refunds", "refunds.list", lists.list_of("refund", "charge", "payment_intent")),
    ("GET", "/v1/refunds/{id}", "refunds.retrieve", lists.retrieve("refund")),
    ("POST", "/v1/refunds/{id}", "refunds.update", pay.update_refund),
    ("GET", "/v1/disputes", "disputes.list", lists.list_of("dispute", "charge", "payment_intent")),
    ("GET", "/v1/disputes/{id}", "disputes.retrieve", lists.retrieve("dispute")),
    ("POST", "/v1/disputes/{id}", "disputes.update", pay.update_dispute),
    ("POST", "/v1/disputes/{id}/close", "disputes.close", pay.close_dispute),
    ("POST", "/v1/test_helpers/test_clocks", "test_helpers.test_clocks.create", tests.create),
    ("GET", "/v1/test_helpers/test_clocks", "test_helpers.test_clocks.list",
     lists.list_of("test_helpers.test_clock", url="/v1/test_helpers/test_clocks")),
    ("GET", "/v1/test_helpers/test_clocks/{id}", "test_helpers.test_clocks.retrieve",
     lists.retrieve("test_helpers.test_clock")),
    ("POST", "/v1/test_helpers/test_clocks/{id}/advance", "test_helpers.test_clocks.advance", tests.advance),
    ("DELETE", "/v1/test_helpers/test_clocks/{id}", "test_helpers.test_clocks.delete", tests.delete),
    ("GET", "/v1/events", "events.list", lists.events),
    ("GET", "/v1/events/{id}", "events.retrieve", lists.event),
    ("POST", "/v1/events/{id}/retry", "events.retry", do.retry_event),
    ("POST", "/v1/prices", "prices.create", do.create_price),
    ("GET", "/v1/prices", "prices.list", lists.prices),
    ("GET", "/v1/prices/{id}", "prices.retrieve", lists.retrieve("price")),
    ("POST", "/v1/prices/{id}", "prices.update", do.update_price),
    ("POST", "/v1/products", "products.create", do.create_product),
    ("GET", "/v1/products", "products.list", lists.products),
    ("GET", "/v1/products/{id}", "products.retrieve", lists.retrieve("product")),
    ("POST", "/v1/products/{id}", "products.update", do.update_product),
    ("DELETE", "/v1/products/{id}", "products.delete", do.delete_product),
    ("POST", "/v1/coupons", "coupons.create", off.create_coupon),
    ("GET", "/v1/coupons", "coupons.list", off.list_coupons),
    ("GET", "/v1/coupons/{id}", "coupons.retrieve", off.retrieve_coupon),
    ("POST", "/v1/coupons/{id}", "coupons.update", off.update_coupon),
    ("DELETE", "/v1/coupons/{id}", "coupons.delete", off.delete_coupon),
    ("POST", "/v1/promotion_codes", "promotion_codes.create", off.create_promotion_code),
    ("GET", "/v1/promotion_codes", "promotion_codes.list", off.list_promotion_codes),
    ("GET", "/v1/promotion_codes/{id}", "promotion_codes.retrieve", off.retrieve_promotion_code),
    ("POST", "/v1/promotion_codes/{id}", "promotion_codes.update", off.update_promotion_code),
    ("POST", "/v1/webhook_endpoints", "webhook_endpoints.create", do.create_endpoint),
    ("GET", "/v1/webhook_endpoints", "webhook_endpoints.list", lists.list_of("webhook_endpoint")),
    ("GET", "/v1/webhook_endpoints/{id}", "webhook_endpoints.retrieve", lists.retrieve("webhook_endpoint")),
    ("POST", "/v1/webhook_endpoints/{id}", "webhook_endpoints.update", do.update_endpoint),
    ("DELETE", "/v1/webhook_endpoints/{id}", "webhook_endpoints.delete", do.delete_endpoint),
)  # fmt: skip
ROUTES = tuple(
    Route(method, re.compile(path.replace("{id}", "(?P<id>[^/]+)")), name, run) for method, path, name, run in _TABLE
)


def route(method: str, path: str) -> tuple[Route, str]:
    """The route and the id in the path. Raises RefusalError as Stripe does for what it does not know."""
    for candidate in ROUTES:
        if candidate.method == method and (match := candidate.pattern.fullmatch(path)):
            identifier = unquote(match.groupdict().get("id", ""))
            if identifier == "search":
                raise RefusalError(f"The simulator has no search ({path}): list and filter.", code="not_simulated")
            return candidate, identifier
    raise RefusalError(
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs or we can help at "
        "https://support.stripe.com/.", status=404,
    )  # fmt: skip
