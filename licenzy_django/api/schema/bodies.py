"""The bodies that the documentation shows."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

SUBJECT: Json = {"subject_ref": "user_123"}
CHECKOUT_REQUEST: Json = {**SUBJECT, "product_code": "PRO_MONTHLY"}
CHECKOUT_RESPONSE: Json = {
    "attempt_id": "att_01J9ZQ5M3H8VFW2T6B7K4N1XCD",
    "status": "created",
    "checkout_url": "https://checkout.stripe.com/c/pay/cs_test_a1b2c3",
    "mode": "test",
    "expires_at": "2026-11-24T08:00:00Z",
    "trial_days": 0,
}
CHECK_REQUEST: Json = {**SUBJECT, "unit": "credits", "units": 5}
CHECK_RESPONSE: Json = {**SUBJECT, "allowed": True}
ENTITLEMENT: Json = {
    "id": "ent_01J9ZQ6R5C2M8T4Y7W3P1KDHVB",
    "product_code": "PRO_MONTHLY",
    "kind": "subscription",
    "status": "active",
    "available": True,
    "reason": None,
    "quantity": 1,
    "features": ["export"],
    "limits": {"projects": 10, "api_keys": None},
    "starts_at": "2026-11-23T08:00:00Z",
    "expires_at": None,
    "current_period_end": "2026-12-23T08:00:00Z",
    "cancel_at": None,
    "trial_ends_at": None,
    "changes_at": "2026-12-23T08:00:00Z",
    "changes_to": "BASIC_MONTHLY",
    "changes_quantity": 1,
    "canceled_at": None,
    "unit": "credits",
    "usage_granted": 1000,
    "usage_remaining": 900,
    "usage_resets_at": "2026-12-23T08:00:00Z",
    "usage_rolled_over": 0,
    "source": "stripe",
    "created_at": "2026-11-23T08:00:00Z",
    "updated_at": "2026-11-23T08:00:00Z",
}
PACK: Json = {
    **ENTITLEMENT,
    "id": "ent_01J9ZQ7B9S4F6N2X8V5M3TGKQR",
    "product_code": "CREDITS_500",
    "kind": "usage_pack",
    "features": [],
    "limits": {},
    "current_period_end": None,
    "changes_at": None,
    "changes_to": None,
    "changes_quantity": None,
    "usage_granted": 500,
    "usage_remaining": 500,
    "usage_resets_at": None,
    "usage_rolled_over": None,
}
ACCESS_RESPONSE: Json = {
    **SUBJECT,
    "has_access": True,
    "status": "active",
    "usage_remaining": 1400,
    "features": ["export"],
    "limits": {"projects": 10, "api_keys": None},
    "units": {"credits": {"remaining": 1400, "granted": 1500, "resets_at": "2026-12-23T08:00:00Z"}},
    "entitlements": [PACK, ENTITLEMENT],
}
ENTITLEMENTS_RESPONSE: Json = {**SUBJECT, "entitlements": [PACK, ENTITLEMENT], "has_more": False}
CONSUME_REQUEST: Json = {**SUBJECT, "units": 100, "unit": "credits"}
CONSUME_RESPONSE: Json = {"ok": True, "consumed": 100, "usage_remaining": 900}
RESERVE_REQUEST: Json = {**CONSUME_REQUEST, "ttl_seconds": 900}
RESERVATION: Json = {"reservation_id": "res_01J9ZQ8D1W7H3K5P9C2B6MFTXY"}
RESERVE_RESPONSE: Json = {**RESERVATION, "reserved": 100, "usage_remaining": 800, "expires_at": "2026-11-23T08:15:00Z"}
CONFIRM_REQUEST: Json = {**RESERVATION, "units": 70}
CONFIRM_RESPONSE: Json = {"ok": True, "consumed": 70, "usage_remaining": 830}
RELEASE_RESPONSE: Json = {"ok": True, "usage_remaining": 900}
REFUND_REQUEST: Json = {"consumption_key": "report-4711", "units": 30, "reason": "the picture failed"}
REFUND_RESPONSE: Json = {"ok": True, "refunded": 30, "usage_remaining": 930}
MEMBER: Json = {"member_ref": "user_7", "available": True}
SEAT_RESPONSE: Json = {"subject_ref": "org:acme", **MEMBER}
MEMBERS_RESPONSE: Json = {
    "subject_ref": "org:acme",
    "members": [{**MEMBER, "assigned_at": "2026-11-23T08:00:00Z"}],
    "has_more": False,
}
PORTAL_RESPONSE: Json = {"url": "https://billing.stripe.com/p/session/test_a1b2c3"}
CHANGE_BODY: Json = {**SUBJECT, "product_code": "PRO_MONTHLY", "to_product_code": "MAX_MONTHLY", "quantity": 1}
PREVIEW_RESPONSE: Json = {
    "amount_due": 1450,
    "currency": "eur",
    "next_amount": 2900,
    "effective_at": "2026-12-08T08:00:00Z",
    "lines": [
        {"description": "Unused time on Pro after 08 Dec 2026", "amount": -950, "proration": True},
        {"description": "Remaining time on Max after 08 Dec 2026", "amount": 2400, "proration": True},
    ],
    "change_token": "eyJhIjoxfQ:9TkXbZ1sQm",
    "expires_at": "2026-12-08T08:15:00Z",
}
CHANGE_REQUEST: Json = {**CHANGE_BODY, "change_token": "eyJhIjoxfQ:9TkXbZ1sQm"}
CHANGE_RESPONSE: Json = {"status": "changed", "effective_at": "2026-12-08T08:00:00Z", "payment_url": None}
CANCEL_REQUEST: Json = {**SUBJECT, "product_code": "PRO_MONTHLY", "when": "period_end"}
CANCEL_RESPONSE: Json = {"status": "scheduled", "effective_at": "2026-12-23T08:00:00Z"}
RESUME_REQUEST: Json = {**SUBJECT, "product_code": "PRO_MONTHLY"}
RESUME_RESPONSE: Json = {"status": "active"}
