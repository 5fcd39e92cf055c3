"""What can go wrong, one tree. ``code`` is part of the contract; ``api/errors.py`` gives each its HTTP status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied


class LicenzyError(Exception):
    """The root. ``code`` is stable, the message is one sentence for a person.

    Args:
        message: replaces the default sentence.
        extra: further keys of the HTTP answer.
    """

    code = "licenzy_error"
    message = "Something went wrong."

    def __init__(self, message: str = "", **extra: Any) -> None:
        self.message = message or self.message
        self.extra: Mapping[str, Any] = extra
        super().__init__(self.message)

    @property
    def form(self) -> dict[str, Any]:
        """The error as every API of ours words it."""
        return {"error": self.code, "message": str(self.message), **self.extra}


class InvalidRequest(LicenzyError, ValueError):
    """A missing, wrong or unknown field. ``fields`` names each with its reasons."""

    code = "invalid_request"
    message = "The request is not valid."

    def __init__(self, message: str = "", *, fields: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(message, **({"fields": dict(fields)} if fields else {}))


class IdempotencyKeyMissing(LicenzyError):
    code = "idempotency_key_missing"
    message = "This request needs an Idempotency-Key header."


class IdempotencyKeyInvalid(LicenzyError):
    code = "idempotency_key_invalid"
    message = "The Idempotency-Key must be 1 to 255 printable ASCII characters."


class IdempotencyKeyInUse(LicenzyError):
    code = "idempotency_key_in_use"
    message = "The first request with this Idempotency-Key is still running; retry in a moment."


class IdempotencyKeyReused(LicenzyError):
    code = "idempotency_key_reused"
    message = "This Idempotency-Key was used for a different request."


class MissingBearerToken(LicenzyError):
    code = "missing_bearer_token"
    message = "Send your API key as 'Authorization: Bearer lz_…'."


class InvalidApiKey(LicenzyError):
    code = "invalid_api_key"
    message = "This API key is unknown or revoked."


class ProductNotFound(LicenzyError):
    code = "product_not_found"
    message = "There is no active product with this code in this mode."


class NoBillingAccount(LicenzyError):
    code = "no_billing_account"
    message = "This subject has never started a purchase."


class AlreadySubscribed(LicenzyError):
    code = "already_subscribed"
    message = "This subject already has an available subscription to this product; send them to the billing portal."


class CheckoutSessionExpired(LicenzyError):
    code = "checkout_session_expired"
    message = "The Checkout page of this Idempotency-Key is no longer open; use a new key."


class InsufficientUsage(LicenzyError, PermissionDenied):
    """Not enough units: a normal state of a product, not a failure. Uncaught in a view it *is* a 403.

    Attributes:
        usage_remaining: what is left over the packs that were asked for.
    """

    code = "insufficient_usage"
    message = "There are not enough units left."

    def __init__(self, message: str = "", *, usage_remaining: int) -> None:
        super().__init__(message, usage_remaining=usage_remaining)
        self.usage_remaining = usage_remaining


class ReservationNotFound(LicenzyError):
    code = "reservation_not_found"
    message = "There is no reservation with this id in this mode."


class ReservationClosed(LicenzyError):
    code = "reservation_closed"
    message = "This reservation was confirmed, released or expired before."


class StripeRefused(LicenzyError):
    """Stripe refused what we asked: an operator has to act. The reason is logged, never shown."""

    code = "stripe_error"
    message = "Stripe refused the request; the operator has been told why in the log."


class StripeUnavailable(LicenzyError):
    """Stripe could not be reached or failed: the same request may simply be sent again."""

    code = "stripe_unavailable"
    message = "Stripe could not be reached; retry with the same Idempotency-Key."


class ModeNotConfigured(LicenzyError):
    code = "mode_not_configured"
    message = "There are no Stripe credentials for this mode."


class EntitlementRequired(LicenzyError, PermissionDenied):
    """The subject has no available entitlement that answers the question. *Is* a PermissionDenied: a 403.

    Attributes:
        decision: the ``access.Decision`` behind the refusal, with its reason.
    """

    code = "entitlement_required"
    message = "This needs an active subscription or purchase."

    def __init__(self, message: str = "", *, decision: Any = None) -> None:
        super().__init__(message)
        self.decision = decision
        # Of a PermissionDenied that nobody catches DRF answers with the args.
        self.args = (self.form,)

    def __str__(self) -> str:
        return str(self.message)
