"""Codes in the words of a customer. Codes stay English; these are translated."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Text = str | Promise

REASONS: Mapping[str, Text] = {
    "payment_pending": _("The payment has not arrived yet."),
    "past_due": _("The last payment did not go through. Update your card to get back in."),
    "disputed": _("The payment is disputed at the bank, so this is on hold."),
    "refunded": _("It was refunded."),
    "canceled": _("It was canceled."),
    "expired": _("Its time is over."),
    "paused": _("It is paused."),
    "usage_exhausted": _("All of it is used up."),
    "revoked": _("It was withdrawn. Please contact us."),
    "not_started": _("It has not started yet."),
}

REFUSALS: dict[str, Text] = {
    "already_subscribed": _("You already have this subscription, so there is nothing to pay."),
    "checkout_session_expired": _("That payment page is closed. Choose again to open a new one."),
    "idempotency_key_in_use": _("Your payment page is being opened. Try again in a moment."),
    "no_billing_account": _("You have not bought anything yet."),
    "product_not_found": _("This is not for sale any more."),
    "stripe_error": _("The payment page is out of order. You were not charged."),
    "stripe_unavailable": _("The payment page is out of reach. You were not charged; please try again in a minute."),
    "mode_not_configured": _("The payment page is out of order. You were not charged."),
    "no_subscription": _("You have no such subscription any more."),
    "change_pending": _("A change is scheduled already. Take it back first."),
    "change_expired": _("Your subscription has changed since. Please look at the amount again."),
    "not_changeable": _("This subscription cannot be changed here. Please contact us."),
}


def reason_in_words(reason: str | None) -> Text:
    """Why something is not available, in one sentence; empty where there is nothing to explain."""
    return REASONS.get(reason or "", "")


def refusal_in_words(code: str) -> Text:
    """Why a checkout, a change or the billing page was not possible, in one sentence."""
    return REFUSALS.get(code, _("This was not possible."))
