"""What of an event is stored: the fields that a translation may need, and nothing that describes a person."""

from __future__ import annotations

from typing import Any

from licenzy_django.db.text import storable
from licenzy_django.stripe.objects.session import ATTEMPT_METADATA_KEY

# Named one by one, at any depth: what is not here is not stored, whatever Stripe adds.
ALLOWED_WORDS = (
    "id object type api_version created livemode account context request idempotency_key data previous_attributes "
    "mode status payment_status payment_intent subscription invoice customer amount_total currency payment_link "
    "recovered_from expires_at metadata "
    "items has_more price plan product quantity current_period_start current_period_end cancel_at cancel_at_period_end "
    "canceled_at ended_at trial_start trial_end latest_invoice pause_collection behavior resumes_at pending_update "
    "start_date billing_mode schedule status_details paused transitioned_at "
    "billing_reason amount_paid amount_due amount_remaining total attempt_count next_payment_attempt "
    "status_transitions "
    "paid_at paid lines period start end parent subscription_details subscription_item_details subscription_item "
    "invoice_item_details proration pricing price_details charge payment collection_method "
    "discount_amounts quantity starting_balance ending_balance pre_payment_credit_notes_amount "
    "post_payment_credit_notes_amount post_payment_amount pre_payment_amount refunds refund "
    "amount amount_captured amount_refunded refunded disputed reason failure_reason pending_reason "
    "is_charge_refundable deleted "
    "current_phase phases start_date end_date end_behavior released_subscription "
)
ALLOWED = frozenset(ALLOWED_WORDS.split())
# The keys of metadata are the host's own: anything can be in there, so only ours is stored.
ALLOWED_OF = {"metadata": frozenset({ATTEMPT_METADATA_KEY})}
DEEPEST = 32


def redacted(value: Any, names: frozenset[str] = ALLOWED, depth: int = 0) -> Any:
    """The value without what is not named above, and without what a database cannot store."""
    if depth > DEEPEST:
        return None
    if isinstance(value, dict):
        return {
            name: redacted(value[name], ALLOWED_OF.get(name, ALLOWED), depth + 1) for name in value if name in names
        }
    if isinstance(value, list):
        return [redacted(inner, names, depth + 1) for inner in value]
    return storable(value) if isinstance(value, str) else value
