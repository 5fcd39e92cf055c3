"""Every parameter of Stripe's Checkout Sessions is in one of three lists: settable, ours, or refused.

A parameter inside of another one is written with a dot. Without an entry of its own it is where its parent is.
https://docs.stripe.com/api/checkout/sessions/create
"""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from licenzy_django.checkout_options.shapes import Flag, Several, Whole, Words, fields, one_of

LOCALES = (
    *("auto", "bg", "cs", "da", "de", "el", "en", "en-GB", "es", "es-419", "et", "fi", "fil", "fr", "fr-CA", "hi-IN"),
    *("hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "ms", "mt", "nb", "nl", "pl", "pt", "pt-BR", "ro", "ru", "sk"),
    *("sl", "sv", "th", "tr", "vi", "zh", "zh-HK", "zh-TW"),
)
MESSAGE = fields("message", message=Words(1200))
LENGTHS = {"minimum_length": Whole(0, 255), "maximum_length": Whole(1, 255)}
STATEMENT = Words(22, without="<>\\'\"*")

SETTABLE = fields(
    allow_promotion_codes=Flag(),
    automatic_tax=fields("enabled", enabled=Flag()),
    billing_address_collection=one_of("auto", "required"),
    consent_collection=fields(
        payment_method_reuse_agreement=fields("position", position=one_of("auto", "hidden")),
        promotions=one_of("auto", "none"),
        terms_of_service=one_of("none", "required"),
    ),
    custom_fields=Several(
        fields(
            *("key", "label", "type"),
            dropdown=fields(
                "options",
                default_value=Words(100),
                options=Several(
                    fields("label", "value", label=Words(100, 1), value=Words(100, 1, is_alphanumeric=True)), 200
                ),
            ),
            key=Words(200, 1, is_alphanumeric=True),
            label=fields("custom", "type", custom=Words(100, 1), type=one_of("custom")),
            numeric=fields(default_value=Words(255), **LENGTHS),
            optional=Flag(),
            text=fields(default_value=Words(255), **LENGTHS),
            type=one_of("dropdown", "numeric", "text"),
        ),
        3,
    ),
    custom_text=fields(after_submit=MESSAGE, submit=MESSAGE, terms_of_service_acceptance=MESSAGE),
    invoice_creation=fields(
        "enabled",
        enabled=Flag(),
        invoice_data=fields(
            account_tax_ids=Several(Words(5000, 1), 50),
            custom_fields=Several(fields("name", "value", name=Words(40, 1), value=Words(140, 1)), 4),
            description=Words(1500),
            footer=Words(5000),
            rendering_options=fields(
                amount_tax_display=one_of("", "exclude_tax", "include_inclusive_tax"), template=Words(5000)
            ),
        ),
    ),
    locale=one_of(*LOCALES),
    payment_intent_data=fields(
        description=Words(1000), statement_descriptor=STATEMENT, statement_descriptor_suffix=STATEMENT
    ),
    payment_method_configuration=Words(100),
    phone_number_collection=fields("enabled", enabled=Flag()),
    saved_payment_method_options=fields(
        allow_redisplay_filters=Several(one_of("always", "limited", "unspecified"), 3),
        payment_method_remove=one_of("disabled", "enabled"),
        payment_method_save=one_of("disabled", "enabled"),
    ),
    subscription_data=fields(description=Words(500)),
    tax_id_collection=fields("enabled", enabled=Flag(), required=one_of("if_supported", "never")),
)
"""What a host may set, with the shape of its value: the list of the contract."""

ONLY_IN: Mapping[str, str] = {
    "invoice_creation": "payment",
    "payment_intent_data": "payment",
    "subscription_data": "subscription",
}
"""What Stripe knows for one-time purchases alone, or for subscriptions alone."""

CUSTOMER = _("We make a customer for each subject; checkout.start(customer_email=…) prefills the e-mail.")
METADATA = _("It finds the purchase again; give your own to checkout.start(metadata=…), and it stays with us.")
ADDRESSES = _("Set SUCCESS_URL and CANCEL_URL, or give them to checkout.start.")
PAGE = _("The page is Stripe's own, and we send the customer there.")
TRIAL = _("Set trial_days and trial_card of the product.")
ANCHOR = _("A subscription begins when it is bought, and is billed from then on.")

OURS: Mapping[str, str | Promise] = {
    "after_expiration": _("A page that Stripe opens again after it expired would belong to no purchase of ours."),
    "cancel_url": ADDRESSES,
    "client_reference_id": _("It shows our id of the purchase in Stripe's dashboard."),
    "customer": CUSTOMER,
    "customer_account": CUSTOMER,
    "customer_creation": CUSTOMER,
    "customer_email": CUSTOMER,
    "customer_update": _("It is added where automatic_tax or tax_id_collection needs it."),
    "discounts": _("Customers type their promotion codes; set allow_promotion_codes."),
    "expand": _("Nobody but us reads Stripe's answer."),
    "expires_at": _("A page is open for 24 hours, as Stripe has it; a newer one closes it."),
    "invoice_creation.invoice_data.metadata": METADATA,
    "line_items": _("The product decides the price, and checkout.start(quantity=…) how many."),
    "metadata": METADATA,
    "mode": _("The product's kind decides it."),
    "optional_items": _("Give codes of add-ons to checkout.start(optional_items=…)."),
    "payment_intent_data.capture_method": _("What was bought begins when it is paid, so the money is taken at once."),
    "payment_intent_data.metadata": METADATA,
    "payment_method_collection": TRIAL,
    "permissions": PAGE,
    "redirect_on_completion": PAGE,
    "return_url": ADDRESSES,
    "subscription_data.billing_cycle_anchor": ANCHOR,
    "subscription_data.billing_cycle_anchor_config": ANCHOR,
    "subscription_data.metadata": METADATA,
    "subscription_data.proration_behavior": ANCHOR,
    "subscription_data.trial_end": TRIAL,
    "subscription_data.trial_period_days": TRIAL,
    "subscription_data.trial_settings": TRIAL,
    "success_url": ADDRESSES,
    "ui_mode": PAGE,
}
"""What we set ourselves, each with what to do instead."""

CONNECT = _("It is for platforms with Stripe Connect, where each seller would need books of its own.")
METHODS = _("Choose the methods in Stripe's dashboard, and name your choice in payment_method_configuration.")
DASHBOARD = _("Set it in Stripe's dashboard, where it counts for all pages.")
SHIPPING = _("We sell access and units; nothing is shipped.")

REFUSED: Mapping[str, str | Promise] = {
    "adaptive_pricing": DASHBOARD,
    "allowed_payment_method_types": METHODS,
    "automatic_tax.liability": CONNECT,
    "branding_settings": DASHBOARD,
    "currency": _("Stripe takes the currency from the price, and from where the customer is."),
    "custom_text.shipping_address": SHIPPING,
    "excluded_payment_method_types": METHODS,
    "integration_identifier": _("It is a mark in Stripe's own statistics, and changes nothing on the page."),
    "invoice_creation.invoice_data.issuer": CONNECT,
    "managed_payments": _("Stripe would be the seller: its refunds and disputes follow other rules than ours."),
    "name_collection": _("Tax ids and billing addresses ask for the name already."),
    "origin_context": _("It is for apps on phones, and changes nothing of what is sold."),
    "payment_intent_data.application_fee_amount": CONNECT,
    "payment_intent_data.on_behalf_of": CONNECT,
    "payment_intent_data.receipt_email": _("Stripe sends receipts to the address that is typed on the page."),
    "payment_intent_data.setup_future_usage": _("Customers decide what is saved; set saved_payment_method_options."),
    "payment_intent_data.shipping": SHIPPING,
    "payment_intent_data.transfer_data": CONNECT,
    "payment_intent_data.transfer_group": CONNECT,
    "payment_method_data": _("Customers decide what is saved; set saved_payment_method_options."),
    "payment_method_options": METHODS,
    "setup_intent_data": _("It is for pages on which nothing is bought."),
    "shipping_address_collection": SHIPPING,
    "shipping_options": SHIPPING,
    "submit_type": _("It only changes the word on the button; write yours into custom_text.submit."),
    "subscription_data.application_fee_percent": CONNECT,
    "subscription_data.billing_mode": _("Prorations follow the billing mode of your Stripe account."),
    "subscription_data.default_tax_rates": _("Rates that are written down go out of date; set automatic_tax."),
    "subscription_data.invoice_settings": DASHBOARD,
    "subscription_data.on_behalf_of": CONNECT,
    "subscription_data.pending_invoice_item_interval": _("It bills at other times than the paid periods we follow."),
    "subscription_data.transfer_data": CONNECT,
    "wallet_options": DASHBOARD,
}
"""What nobody sets, each with why."""
