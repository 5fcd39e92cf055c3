"""The one door to Stripe's SDK: time-outs, retries, version, and Stripe's errors in our words.

``stripe`` is imported where it is used, since importing it costs more than everything else of ours together.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, cast

from django.db import connection
from django.utils.module_loading import import_string

from licenzy_django.conf import STRIPE_API_VERSION, licenzy_settings
from licenzy_django.exceptions import ModeNotConfigured, StripeRefused, StripeUnavailable
from licenzy_django.stripe.answers import CheckedTransport, NotFromStripeError, check_fields, shortened

if TYPE_CHECKING:
    import stripe

logger = logging.getLogger("licenzy_django")

CONNECT_TIMEOUT_SECONDS = 3.0
READ_TIMEOUT_SECONDS = 10.0
RETRIES = 2


class StripeObjectMissing(StripeRefused):
    """Stripe does not know the object that was asked for.

    Attributes:
        param: the parameter that named it.
    """

    def __init__(self, param: str = "", *, reason: str = "") -> None:
        super().__init__(reason=reason)
        self.param = param


class StripeRejected(StripeRefused):
    """Stripe looked at the request and found it wrong: sending it again cannot help."""


def client(mode: str) -> stripe.StripeClient:
    """The client of a mode. Raises ModeNotConfigured if the settings have no secret key for it."""
    given = licenzy_settings()
    key = given.secret_key(mode)
    if not key:
        raise ModeNotConfigured()
    return build_client(key, given.STRIPE_API_BASE, given.STRIPE_HTTP_CLIENT)


@lru_cache(maxsize=8)
def build_client(key: str, api_base: str, http_client: str) -> stripe.StripeClient:
    import stripe

    stripe.enable_telemetry = False
    transport: Any = (
        import_string(http_client)()
        if http_client
        else stripe.RequestsClient(timeout=(CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS))
    )
    base = api_base or getattr(transport, "api_base", "")
    return stripe.StripeClient(
        key,
        http_client=cast("stripe.HTTPClient", CheckedTransport(transport)),
        max_network_retries=RETRIES,
        stripe_version=STRIPE_API_VERSION,
        base_addresses={"api": base.rstrip("/")} if base else {},
    )


def ask(mode: str, call: Callable[[stripe.StripeClient], Any], *, needs: Sequence[str] = ()) -> dict[str, Any]:
    """Ask Stripe, and return the answer as a plain dict that has what we read of it.

    Args:
        needs: names of texts that this call reads, besides those that each object of its kind has.

    What Stripe's SDK raised is not chained: tracebacks are logged, and the message of a 401 quotes the key.

    Raises:
        StripeObjectMissing, StripeRejected: Stripe refused this request for good.
        StripeRefused: an operator has to act (a bad key, missing permissions, an address that is not Stripe's).
        StripeUnavailable: no answer, none that is Stripe's, a 5xx, or too many requests; asking again may help.
        ModeNotConfigured: there is no key for this mode.
    """
    refuse_inside_a_transaction()
    import stripe

    try:
        answer: dict[str, Any] = call(client(mode)).to_dict()
        check_fields(answer, needs)
    except NotFromStripeError as odd:
        logger.error("%s", odd)  # noqa: TRY400 - the traceback would quote the answer
        raise (StripeRefused if odd.needs_operator else StripeUnavailable)(reason=str(odd)) from None
    except stripe.StripeError as error:
        log_refusal(error)
        raise in_our_words(error) from None
    return answer


def in_our_words(error: stripe.StripeError) -> StripeRefused | StripeUnavailable:
    import stripe

    reason = sentence_of(error)
    if isinstance(error, stripe.InvalidRequestError):
        if error.code == "resource_missing":
            return StripeObjectMissing(error.param or "", reason=reason)
        return StripeRejected(reason=reason)
    if isinstance(error, stripe.APIConnectionError | stripe.RateLimitError | stripe.APIError):
        return StripeUnavailable(reason=reason)
    return StripeRefused(reason=reason)


def sentence_of(error: stripe.StripeError) -> str:
    """Stripe's own sentence, for the operator. Never that of a 401, which quotes the key."""
    import stripe

    if isinstance(error, stripe.AuthenticationError):
        return "the secret key is not valid"
    return shortened(str(error.user_message or error._message or ""))


def refuse_inside_a_transaction() -> None:
    """Locks would be held for as long as Stripe takes, and what must be committed first would not be."""
    if any(not block._from_testcase for block in connection.atomic_blocks):  # type: ignore[attr-defined]
        raise RuntimeError(
            "Stripe must not be called inside a database transaction: leave the atomic() block, "
            "or put @transaction.non_atomic_requests on the view."
        )


def log_refusal(error: stripe.StripeError) -> None:
    """Stripe's sentence, codes and request id, for the operator."""
    inner = getattr(error, "error", None)
    logger.error(
        "Stripe answered %s %s (code %s, param %s, request %s): %s",
        error.http_status,
        type(error).__name__,
        error.code or getattr(inner, "code", None),
        getattr(error, "param", None),
        error.request_id,
        sentence_of(error),
    )


def fetch_subscription(mode: str, subscription_id: str) -> dict[str, Any]:
    """Stripe's current answer, with all items, and with its latest invoice: an open one can bill a change."""
    expanded: Any = {"expand": ["latest_invoice"]}
    subscription = ask(mode, lambda stripe: stripe.v1.subscriptions.retrieve(subscription_id, expanded))
    items = subscription["items"]
    while items.get("has_more") and items["data"]:
        last = items["data"][-1]["id"]
        params: Any = {"subscription": subscription_id, "limit": 100, "starting_after": last}
        page = ask(mode, partial(list_items, params))
        items = {"data": [*items["data"], *page["data"]], "has_more": page["has_more"]}
    return {**subscription, "items": items}


def list_items(params: Any, client: stripe.StripeClient) -> Any:
    return client.v1.subscription_items.list(params)


def fetch_schedule(mode: str, schedule_id: str) -> dict[str, Any]:
    return ask(mode, lambda stripe: stripe.v1.subscription_schedules.retrieve(schedule_id))


def fetch_dispute(mode: str, dispute_id: str) -> dict[str, Any]:
    return ask(mode, lambda stripe: stripe.v1.disputes.retrieve(dispute_id))


def fetch_charge(mode: str, charge_id: str) -> dict[str, Any]:
    return ask(mode, lambda stripe: stripe.v1.charges.retrieve(charge_id))


def fetch_credit_note(mode: str, credit_note_id: str) -> dict[str, Any]:
    return ask(mode, lambda stripe: stripe.v1.credit_notes.retrieve(credit_note_id))


def fetch_price(mode: str, price_id: str, *, expand: Sequence[str]) -> dict[str, Any]:
    params: Any = {"expand": list(expand)}
    return ask(mode, lambda stripe: stripe.v1.prices.retrieve(price_id, params))


def fetch_session(mode: str, session_id: str) -> dict[str, Any]:
    return ask(mode, lambda stripe: stripe.v1.checkout.sessions.retrieve(session_id))


def fetch_session_lines(mode: str, session_id: str) -> list[dict[str, Any]]:
    """What the customer bought in the end: price and quantity of each line."""
    return every_page(mode, lambda params, stripe: stripe.v1.checkout.sessions.line_items.list(session_id, params))


def fetch_invoice_lines(mode: str, invoice_id: str) -> list[dict[str, Any]]:
    return every_page(mode, lambda params, stripe: stripe.v1.invoices.line_items.list(invoice_id, params))


def every_page(mode: str, one_page: Callable[[Any, stripe.StripeClient], Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    params: dict[str, Any] = {"limit": 100}
    while True:
        page = ask(mode, partial(one_page, params))
        rows += page["data"]
        if not page["has_more"] or not page["data"]:
            return rows
        params["starting_after"] = page["data"][-1]["id"]


def fetch_invoice_payments(mode: str, payment_intent_id: str) -> list[dict[str, Any]]:
    """The only link from a payment back to its invoice, since basil."""
    params: Any = {"payment": {"type": "payment_intent", "payment_intent": payment_intent_id}, "limit": 10}
    found: list[dict[str, Any]] = ask(mode, lambda stripe: stripe.v1.invoice_payments.list(params))["data"]
    return found


def fetch_invoice(mode: str, invoice_id: str) -> dict[str, Any]:
    return ask(mode, lambda stripe: stripe.v1.invoices.retrieve(invoice_id))
