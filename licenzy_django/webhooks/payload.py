"""What of an event is kept: the fields that a translation may need, and nothing that describes a person."""

from __future__ import annotations

from typing import Any

# Named one by one, at any depth: what is not here is not stored, whatever Stripe adds.
KEPT_WORDS = (
    "id object type api_version created livemode account context request idempotency_key data previous_attributes "
    "mode status payment_status payment_intent subscription invoice customer amount_total currency payment_link "
    "recovered_from expires_at metadata licenzy_attempt client_reference_id "
    "items has_more price plan product quantity current_period_start current_period_end cancel_at cancel_at_period_end "
    "canceled_at ended_at trial_start trial_end latest_invoice pause_collection behavior resumes_at pending_update "
    "start_date billing_mode schedule status_details paused transitioned_at "
    "billing_reason amount_paid amount_due amount_remaining total attempt_count next_payment_attempt "
    "status_transitions "
    "paid_at paid lines period start end parent subscription_details subscription_item_details subscription_item "
    "proration pricing price_details charge payment collection_method "
    "amount amount_captured amount_refunded refunded disputed reason failure_reason pending_reason "
    "is_charge_refundable deleted "
)
KEPT = frozenset(KEPT_WORDS.split())


def kept(value: Any) -> Any:
    """The value without what is not named above, and without NUL, which PostgreSQL cannot store."""
    if isinstance(value, dict):
        return {name: kept(inner) for name, inner in value.items() if name in KEPT}
    if isinstance(value, list):
        return [kept(inner) for inner in value]
    return value.replace("\x00", "") if isinstance(value, str) else value
