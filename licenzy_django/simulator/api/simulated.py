"""What of each operation's parameters the simulator does something with. Everything else that Stripe knows is refused.

One entry for each operation: names separated by blanks, ``name{…}`` for what is simulated inside of a compound
(without braces all of it is), ``name=a|b`` for the values that are simulated, ``*`` for any name. A
parameter that a later SDK knows is refused until it is written here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from ..json_tree import Json
from ..refusals import RefusalError

_PAGED = "limit starting_after ending_before"
_LISTED = f"{_PAGED} created"
_PERIOD = "recurring{interval interval_count}"
_PRICED = f"price_data{{currency product product_data{{name description metadata}} {_PERIOD} unit_amount tax_behavior}}"
_AUTOMATIC = "capture_method=automatic|automatic_async"
_PLACE = "address{city country line1 line2 postal_code state}"
_SHIPPING = f"shipping{{{_PLACE} name phone}}"
_CHANGE = """payment_behavior=allow_incomplete|error_if_incomplete|pending_if_incomplete proration_behavior
    proration_date"""
_CURRENCIES = "currency_options{*{tax_behavior unit_amount}}"

_FEATURES = """features{invoice_history{enabled} payment_method_update{enabled}
    subscription_cancel{enabled mode=at_period_end|immediately proration_behavior=none}
    subscription_update{billing_cycle_anchor=now|unchanged default_allowed_updates=price|quantity enabled
      products{adjustable_quantity{enabled maximum minimum} prices product} proration_behavior
      schedule_at_period_end{conditions{type}} trial_update_behavior}}"""

SIMULATED: dict[str, str] = {
    "checkout.sessions.create": f"""
        adaptive_pricing{{enabled=false}} allow_promotion_codes allowed_payment_method_types=card|sepa_debit
        automatic_tax{{enabled}}
        billing_address_collection cancel_url client_reference_id consent_collection currency custom_fields custom_text
        customer customer_creation customer_email
        customer_update{{address name shipping=never}} discounts expires_at
        invoice_creation{{enabled invoice_data{{custom_fields description footer metadata}}}}
        line_items{{adjustable_quantity metadata price {_PRICED} quantity}} locale managed_payments{{enabled=false}}
        metadata mode name_collection optional_items
        payment_intent_data{{{_AUTOMATIC} description metadata receipt_email setup_future_usage {_SHIPPING}
          statement_descriptor statement_descriptor_suffix}}
        payment_method_collection payment_method_configuration phone_number_collection saved_payment_method_options
        submit_type subscription_data{{billing_mode{{type}} description metadata trial_end trial_period_days
          trial_settings}} success_url tax_id_collection ui_mode=hosted_page""",
    "checkout.sessions.list": f"{_LISTED} customer payment_intent status subscription",
    "checkout.sessions.update": "metadata",
    "checkout.sessions.expire": "",
    "checkout.sessions.line_items.list": _PAGED,
    "customers.create": f"""{_PLACE} balance description email invoice_settings{{default_payment_method}}
        metadata name payment_method phone preferred_locales {_SHIPPING} tax_exempt test_clock""",
    "customers.update": f"""{_PLACE} balance description email invoice_settings{{default_payment_method}}
        metadata name phone preferred_locales {_SHIPPING} tax_exempt""",
    "customers.list": f"{_LISTED} email test_clock",
    "customers.delete": "",
    "customers.tax_ids.list": _PAGED,
    "billing_portal.configurations.create": f"""default_return_url metadata name {_FEATURES}""",
    "billing_portal.configurations.update": f"""active default_return_url metadata name {_FEATURES}""",
    "billing_portal.configurations.list": f"{_PAGED} active is_default",
    "billing_portal.sessions.create": """configuration customer
        flow_data{after_completion{hosted_confirmation{custom_message} redirect{return_url} type}
          subscription_cancel{subscription} subscription_update{subscription}
          subscription_update_confirm{items{id price quantity} subscription}
          type=payment_method_update|subscription_cancel|subscription_update|subscription_update_confirm}
        locale return_url""",
    "subscriptions.list": f"{_LISTED} customer price status test_clock",
    "subscriptions.create": """automatic_tax{enabled} backdate_start_date billing_cycle_anchor billing_mode{type}
        cancel_at cancel_at_period_end collection_method currency customer days_until_due default_payment_method
        description discounts{coupon promotion_code} items{price quantity} metadata
        payment_behavior=allow_incomplete|default_incomplete|error_if_incomplete proration_behavior trial_end
        trial_period_days trial_settings""",
    "subscriptions.update": """billing_cycle_anchor{type} cancel_at cancel_at_period_end
        cancellation_details{comment feedback} default_payment_method description items{id price quantity deleted}
        metadata pause_collection
        payment_behavior=allow_incomplete|error_if_incomplete|pending_if_incomplete proration_behavior
        proration_date trial_end=now""",
    "subscriptions.cancel": "cancellation_details{comment feedback} invoice_now prorate",
    "subscriptions.pause": "type=subscription",
    "subscriptions.resume": "",
    "subscription_schedules.create": "from_subscription",
    "subscription_schedules.update": """default_settings{default_payment_method description}
        end_behavior=cancel|release metadata
        phases{billing_cycle_anchor=automatic|phase_start default_payment_method description discounts{discount}
          duration{interval interval_count} end_date items{metadata price quantity} metadata proration_behavior
          start_date trial_end}
        proration_behavior""",
    "subscription_schedules.list": f"{_LISTED} customer",
    "subscription_schedules.release": "preserve_cancel_date",
    "subscription_schedules.cancel": "invoice_now prorate",
    "subscription_items.create": f"price quantity subscription {_CHANGE}",
    "subscription_items.update": f"metadata price quantity {_CHANGE}",
    "subscription_items.delete": f"{_CHANGE}",
    "subscription_items.list": f"{_PAGED} subscription",
    "invoice_items.create": """amount currency customer description invoice metadata period pricing{price} quantity""",
    "invoice_items.update": "description metadata",
    "invoice_items.delete": "",
    "invoice_items.list": f"{_LISTED} customer invoice pending",
    "invoices.create": """auto_advance collection_method currency customer days_until_due description footer metadata
        pending_invoice_items_behavior""",
    "invoices.create_preview": """customer preview_mode=next subscription subscription_details{
        billing_cycle_anchor{type=now|unchanged} cancel_at cancel_at_period_end cancel_now
        items{id price quantity deleted} proration_behavior proration_date trial_end}""",
    "invoices.update": "description footer metadata",
    "invoices.delete": "",
    "invoices.finalize_invoice": "auto_advance=false",
    "invoices.send_invoice": "",
    "invoices.void_invoice": "",
    "invoices.mark_uncollectible": "",
    "credit_notes.create": "amount credit_amount invoice memo metadata out_of_band_amount reason refund_amount",
    "credit_notes.update": "memo metadata",
    "credit_notes.list": f"{_LISTED} customer invoice",
    "credit_notes.void_credit_note": "",
    "invoices.list": f"{_LISTED} customer status subscription",
    "invoices.line_items.list": _PAGED,
    "invoices.pay": "paid_out_of_band payment_method",
    "invoice_payments.list": f"{_LISTED} invoice payment{{type=payment_intent payment_intent}} status",
    "payment_methods.create": """allow_redisplay billing_details card{exp_month exp_year number token} metadata
        type=card""",
    "payment_methods.update": "allow_redisplay billing_details card{exp_month exp_year} metadata",
    "payment_methods.attach": "customer",
    "payment_methods.detach": "",
    "payment_methods.list": f"{_PAGED} allow_redisplay customer type=card",
    "charges.update": "description metadata receipt_email",
    "charges.list": f"{_LISTED} customer payment_intent",
    "payment_intents.create": f"""allowed_payment_method_types=card amount automatic_payment_methods {_AUTOMATIC}
        confirm confirmation_method currency customer description error_on_requires_action metadata off_session
        payment_method receipt_email return_url setup_future_usage {_SHIPPING} statement_descriptor
        statement_descriptor_suffix""",
    "payment_intents.update": f"""amount {_AUTOMATIC} currency description metadata payment_method receipt_email
        setup_future_usage {_SHIPPING} statement_descriptor statement_descriptor_suffix""",
    "payment_intents.confirm": f"""error_on_requires_action off_session payment_method receipt_email return_url
        setup_future_usage {_SHIPPING}""",
    "payment_intents.cancel": "cancellation_reason",
    "payment_intents.list": f"{_LISTED} customer",
    "refunds.create": "amount charge metadata payment_intent reason",
    "refunds.list": f"{_LISTED} charge payment_intent",
    "refunds.update": "metadata",
    "disputes.update": "evidence metadata submit",
    "disputes.close": "",
    "disputes.list": f"{_LISTED} charge payment_intent",
    "test_helpers.test_clocks.create": "frozen_time name",
    "test_helpers.test_clocks.advance": "frozen_time",
    "test_helpers.test_clocks.list": _PAGED,
    "test_helpers.test_clocks.delete": "",
    "events.retry": "webhook_endpoint for_stripecli",
    "events.list": f"{_LISTED} delivery_success type types",
    "prices.create": f"""active billing_scheme=per_unit currency {_CURRENCIES} lookup_key metadata nickname product
        product_data{{active id metadata name statement_descriptor unit_label}}
        recurring{{interval interval_count trial_period_days usage_type=licensed}} tax_behavior transfer_lookup_key
        unit_amount""",
    "prices.update": f"active {_CURRENCIES} lookup_key metadata nickname tax_behavior transfer_lookup_key",
    "prices.list": f"{_LISTED} active currency lookup_keys product recurring{{interval usage_type}} type",
    "products.create": f"""active default_price_data{{currency metadata {_PERIOD} tax_behavior unit_amount}}
        description id images marketing_features metadata name package_dimensions shippable statement_descriptor
        tax_code type unit_label url""",
    "products.update": """active default_price description images marketing_features metadata name package_dimensions
        shippable statement_descriptor tax_code unit_label url""",
    "products.list": f"{_LISTED} active ids shippable type url",
    "products.delete": "",
    "coupons.create": """amount_off currency duration=once|repeating|forever duration_in_months id max_redemptions
        metadata name percent_off redeem_by""",
    "coupons.update": "metadata name",
    "coupons.delete": "",
    "coupons.list": _LISTED,
    "promotion_codes.create": """active code customer expires_at max_redemptions metadata promotion{coupon type}
        restrictions{first_time_transaction minimum_amount minimum_amount_currency}""",
    "promotion_codes.update": "active metadata",
    "promotion_codes.list": f"{_LISTED} active code coupon customer",
    "webhook_endpoints.create": "api_version description enabled_events metadata url connect=false",
    "webhook_endpoints.list": _PAGED,
    "webhook_endpoints.update": "description disabled enabled_events metadata url",
    "webhook_endpoints.delete": "",
}

Known = dict[str, tuple["Known | None", frozenset[str]]]
"""Name → what is known inside (None: all of it), and the values that are simulated (empty: any)."""
_TOKEN = re.compile(r"(\w+|\*)(?:=([\w|]+))?(\{)?|(\})")


@cache
def known(operation: str) -> Known:
    """What is simulated of an operation; of a retrieval, ``expand`` alone."""
    return _parse(_TOKEN.finditer(SIMULATED.get(operation, "")))


def _parse(tokens: Iterator[re.Match[str]]) -> Known:
    found: Known = {}
    for token in tokens:
        name, values, opens, closes = token.groups()
        if closes:
            break
        found[name] = (_parse(tokens) if opens else None, frozenset(values.split("|") if values else ()))
    return found


def refuse_the_rest(operation: str, wanted: Json) -> None:
    """Raises RefusalError naming the first parameter that would be ignored."""
    _check(wanted, known(operation) | {"expand": (None, frozenset())}, "")


def _check(wanted: Json, simulated: Known, at: str) -> None:
    for name, value in wanted.items():
        path = f"{at}[{name}]" if at else name
        if not (here := simulated.get(name) or simulated.get("*")):
            raise RefusalError(f"The simulator does not do what `{path}` asks for.", param=path, code="not_simulated")
        inner, values = here
        for position, entry in enumerate(value) if isinstance(value, list) else [(None, value)]:
            place = path if position is None else f"{path}[{position}]"
            if values and _written(entry) not in values:
                raise RefusalError(
                    f"The simulator does not do what `{place}` asks for: it knows {', '.join(sorted(values))} only.",
                    param=place, code="not_simulated",
                )  # fmt: skip
            if inner is not None and isinstance(entry, dict):
                _check(entry, inner, place)


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
