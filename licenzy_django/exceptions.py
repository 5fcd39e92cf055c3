"""What can go wrong, one tree. ``code`` and ``status`` are part of the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import PermissionDenied


class LicenzyError(Exception):
    """The root. ``code`` is stable, the message is one sentence for a person.

    Attributes:
        status: the HTTP status with which the API answers.
        retry_after_seconds: when the same request is worth sending again; 0 means not as it is.

    Args:
        message: replaces the default sentence.
        extra: further keys of the HTTP answer.
    """

    code = "licenzy_error"
    status = 500
    retry_after_seconds = 0
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
    status = 400
    message = "The request is not valid."

    def __init__(self, message: str = "", *, fields: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(message, **({"fields": dict(fields)} if fields else {}))


class IdempotencyKeyMissing(LicenzyError):
    code = "idempotency_key_missing"
    status = 400
    message = "This request needs an Idempotency-Key header."


class IdempotencyKeyInvalid(LicenzyError):
    code = "idempotency_key_invalid"
    status = 400
    message = "The Idempotency-Key must be 1 to 255 printable ASCII characters."


class IdempotencyKeyInUse(LicenzyError):
    code = "idempotency_key_in_use"
    status = 409
    retry_after_seconds = 1
    message = "The first request with this Idempotency-Key is still running; retry in a moment."


class IdempotencyKeyReused(LicenzyError):
    code = "idempotency_key_reused"
    status = 422
    message = "This Idempotency-Key was used for a different request."


class MissingBearerToken(LicenzyError):
    code = "missing_bearer_token"
    status = 401
    message = "Send your API key as 'Authorization: Bearer lz_…'."


class InvalidApiKey(LicenzyError):
    code = "invalid_api_key"
    status = 401
    message = "This API key is unknown or revoked."


class ProductNotFound(LicenzyError):
    code = "product_not_found"
    status = 404
    message = "There is no active product with this code in this mode."


class NoBillingAccount(LicenzyError):
    code = "no_billing_account"
    status = 404
    message = "This subject has never started a purchase."


class AlreadySubscribed(LicenzyError):
    """Something is billed already, whether or not it gives access now.

    Attributes:
        product_code: what the subject is subscribed to.
    """

    code = "already_subscribed"
    status = 409
    message = (
        "This subject has a subscription to this product, or to another one of its plan group, that has not ended; "
        "send them to the billing portal."
    )

    def __init__(self, message: str = "", *, product_code: str = "") -> None:
        super().__init__(message, product_code=product_code)
        self.product_code = product_code


class CheckoutSessionExpired(LicenzyError):
    code = "checkout_session_expired"
    status = 409
    message = "The Checkout page of this Idempotency-Key is no longer open; use a new key."


class NoSubscription(LicenzyError):
    code = "no_subscription"
    status = 404
    message = "This subject has no subscription to this product that has not ended."


class ChangePending(LicenzyError):
    """A change is scheduled. Taking it back makes room for another one."""

    code = "change_pending"
    status = 409
    message = "A change of this subscription is scheduled already; take it back first."


class ChangeExpired(LicenzyError):
    """The preview no longer fits: it is too old, or the subscription has changed or renewed since."""

    code = "change_expired"
    status = 409
    message = "This preview no longer fits the subscription; make a new one."


class NotChangeable(LicenzyError):
    """This subscription cannot be changed in this way; the message says why."""

    code = "not_changeable"
    status = 409
    message = "This subscription cannot be changed in this way."


class InsufficientUsage(LicenzyError, PermissionDenied):
    """Not enough units: a normal state of a product, not a failure. Uncaught in a view it *is* a 403.

    Attributes:
        usage_remaining: what is left over the packs that were asked for.
    """

    code = "insufficient_usage"
    status = 409
    message = "There are not enough units left."

    def __init__(self, message: str = "", *, usage_remaining: int) -> None:
        super().__init__(message, usage_remaining=usage_remaining)
        self.usage_remaining = usage_remaining


class LimitReached(LicenzyError, PermissionDenied):
    """There may be no more of something: a normal state of a product, not a failure. Uncaught in a view it *is* a 403.

    Attributes:
        limit: how many there may be.
        in_use: how many there are.
    """

    code = "limit_reached"
    status = 409
    message = "The limit is reached."

    def __init__(self, message: str = "", *, limit: int | None, in_use: int) -> None:
        super().__init__(message, limit=limit, in_use=in_use)
        self.limit = limit
        self.in_use = in_use
        # Of a PermissionDenied that nobody catches DRF answers with the args.
        self.args = (self.form,)

    def __str__(self) -> str:
        return str(self.message)


class UnitRequired(LicenzyError, ValueError):
    """Several units are or were sold, and neither a unit nor a product says which. ``fields["unit"]`` lists them."""

    code = "unit_required"
    status = 400
    message = "Several units are sold; say which one in unit, or name a product in product_code."

    def __init__(self, message: str = "", *, units: Sequence[str] = ()) -> None:
        super().__init__(message, fields={"unit": list(units)})


class ReservationNotFound(LicenzyError):
    code = "reservation_not_found"
    status = 404
    message = "There is no reservation with this id in this mode."


class ReservationClosed(LicenzyError):
    code = "reservation_closed"
    status = 409
    message = "This reservation was confirmed, released or expired before."


class ConsumptionNotFound(LicenzyError):
    code = "consumption_not_found"
    status = 404
    message = "Nothing was consumed with this key in this mode."


class StripeFailure(Exception):
    """What both errors about Stripe share: the message is for a client, ``str()`` for the operator, with the reason.

    Args:
        reason: what Stripe said, without keys and cut off.
    """

    for_operator = "Stripe failed"

    def __init__(self, message: str = "", *, reason: str = "") -> None:
        super().__init__(message)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.for_operator}: {self.reason}" if self.reason else f"{self.for_operator}."


class StripeRefused(StripeFailure, LicenzyError):
    """Stripe refused what we asked: an operator has to act. The reason is logged, never shown to a client."""

    code = "stripe_error"
    status = 502
    message = "Stripe refused the request; the operator has been told why in the log."
    for_operator = "Stripe refused the request"


class StripeUnavailable(StripeFailure, LicenzyError):
    """Stripe could not be reached or failed: the same request may simply be sent again."""

    code = "stripe_unavailable"
    status = 503
    retry_after_seconds = 5
    message = "Stripe could not be reached; retry with the same Idempotency-Key."
    for_operator = "Stripe could not be reached"


class DatabaseUnavailable(LicenzyError):
    """The database failed or gave up: the same request may simply be sent again."""

    code = "database_unavailable"
    status = 503
    retry_after_seconds = 5
    message = "The database could not be used; retry with the same Idempotency-Key."


class ModeNotConfigured(LicenzyError):
    code = "mode_not_configured"
    status = 503
    message = "There are no Stripe credentials for this mode."


class EntitlementRequired(LicenzyError, PermissionDenied):
    """The subject has no available entitlement that answers the question. *Is* a PermissionDenied: a 403.

    Attributes:
        decision: the ``access.Decision`` behind the refusal, with its reason.
    """

    code = "entitlement_required"
    status = 403
    message = "This needs an active subscription or purchase."

    def __init__(self, message: str = "", *, decision: Any = None) -> None:
        super().__init__(message)
        self.decision = decision
        # Of a PermissionDenied that nobody catches DRF answers with the args.
        self.args = (self.form,)

    def __str__(self) -> str:
        return str(self.message)
