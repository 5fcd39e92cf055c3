"""What Licenzy's codes mean, as a customer would want to read it."""

from __future__ import annotations

REASONS = {
    "payment_pending": "The payment has not arrived yet.",
    "past_due": "The last payment did not go through. Update your card to get back in.",
    "disputed": "The payment is disputed at the bank, so this is on hold.",
    "refunded": "It was refunded.",
    "canceled": "It was canceled.",
    "expired": "Its time is over.",
    "paused": "It is paused.",
    "usage_exhausted": "All of it is used up.",
    "revoked": "It was withdrawn. Please contact us.",
    "not_started": "It starts when the one before it ends.",
}

# What the shop says, and on which page.
REFUSALS = {
    "already_subscribed": ("You already have this subscription, so there is nothing to pay.", "account"),
    "checkout_session_expired": ("That payment page is closed. Choose again to open a new one.", "pricing"),
    "no_billing_account": ("You have not bought anything yet.", "pricing"),
    "product_not_found": ("This is not for sale any more.", "pricing"),
}


def in_words(reason: str | None) -> str:
    """One sentence, or nothing where there is nothing to explain."""
    return REASONS.get(reason or "", "")
