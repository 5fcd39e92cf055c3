"""Change a subscription, and say before what it will cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from licenzy_django import clock
from licenzy_django.clock import from_timestamp
from licenzy_django.conf import licenzy_settings
from licenzy_django.identity import required_subject_ref
from licenzy_django.stripe import client
from licenzy_django.stripe.objects.fields import inside, listed
from licenzy_django.subscriptions import params, requests, steps, tokens
from licenzy_django.subscriptions.asked import AskedChange
from licenzy_django.subscriptions.owned import Owned, owned
from licenzy_django.subscriptions.plans import Plan, plan
from licenzy_django.subscriptions.requests import Decision, perform


@dataclass(frozen=True, slots=True)
class PreviewLine:
    """Attributes:
    amount: in the currency's smallest unit; below zero for what is given back.
    proration: whether it is for a part of a period.
    """

    description: str
    amount: int
    proration: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would cost. Amounts are in the currency's smallest unit.

    Attributes:
        amount_due: now.
        next_amount: of the next whole period.
        effective_at: when the change would happen.
        lines: what is due now is made of.
        change_token: given to ``change``, it has the amounts computed for this very moment.
        expires_at: of the token.
    """

    amount_due: int
    currency: str
    next_amount: int
    effective_at: datetime
    lines: tuple[PreviewLine, ...]
    change_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Changed:
    """Attributes:
    status: ``changed``, ``scheduled``, or ``requires_payment``: then everything is as it was until the customer pays.
    effective_at: when it happened or will happen; None while it waits for its payment.
    payment_url: Stripe's page to pay on, if it waits.
    replayed: this request had been answered before.
    """

    status: str
    effective_at: datetime | None
    payment_url: str | None = None
    replayed: bool = False


def preview(
    subject: Any,
    product_code: str,
    *,
    to_product_code: str = "",
    quantity: int | None = None,
    when: str = "",
    add: Mapping[str, int] | None = None,
    mode: str | None = None,
) -> Preview:
    """What a change would cost, as Stripe computes it. Takes what ``change`` takes, and refuses what it refuses.

    Raises what ``change`` raises, but for what is about its key and its token.
    """
    client.refuse_inside_a_transaction()
    mode = mode or licenzy_settings().MODE
    asked = asked_change(product_code, to_product_code, quantity, when, add)
    found = plan(owned(required_subject_ref(subject), mode, product_code), asked)
    expires_at = clock.now() + tokens.VALID_FOR
    token = tokens.token_of(tokens.Previewed(found.meaning, found.proration_date, int(expires_at.timestamp())))
    due = amounts_now(found)
    return Preview(
        amount_due=due.get("amount_due", 0),
        currency=found.fetched.subscription["currency"],
        next_amount=next_amount(found),
        effective_at=from_timestamp(found.effective_at),
        lines=tuple(map(line_of, listed(due.get("lines")))),
        change_token=token,
        expires_at=expires_at.replace(microsecond=0),
    )


def amounts_now(found: Plan) -> dict[str, Any]:
    """Stripe's preview of the invoice that the change would make; empty where it makes none."""
    if found.is_trial or not found.is_now:
        return {}
    asked = params.preview_params(
        found.owned.subscription_id, found.before, found.after, proration_date=found.proration_date
    )
    return previewed(found.owned.mode, asked)


def next_amount(found: Plan) -> int:
    """Of the next renewal after the change, with discounts and tax; 0 where there is none."""
    if found.is_ending:
        return 0
    names = found.owned.subscription_id
    renewal = params.renewal_params(names, found.before, found.after, is_trial=found.is_trial)
    total: int = previewed(found.owned.mode, renewal)["total"]
    return total


def previewed(mode: str, asked: Any) -> dict[str, Any]:
    return client.ask(mode, partial(create_preview, asked), needs=("currency",))


def create_preview(asked: Any, stripe: Any) -> Any:
    return stripe.v1.invoices.create_preview(asked)


def line_of(line: Mapping[str, Any]) -> PreviewLine:
    parent = line.get("parent") or {}
    details = inside(parent, "subscription_item_details") or inside(parent, "invoice_item_details")
    return PreviewLine(line.get("description") or "", line["amount"], bool(details.get("proration")))


def change(
    subject: Any,
    product_code: str,
    *,
    idempotency_key: str,
    to_product_code: str = "",
    quantity: int | None = None,
    when: str = "",
    add: Mapping[str, int] | None = None,
    change_token: str = "",
    mode: str | None = None,
) -> Changed:
    """Change what a subject is subscribed to: another product, another quantity, more add-ons.

    An upgrade is billed at once and happens when it is paid; a downgrade happens at the end of the period. Nothing is
    granted by the answer: what Stripe says of the subscription is processed as if a webhook had brought it.

    Args:
        subject: whose: a ref, a request or a user.
        product_code: what the subject has.
        idempotency_key: the same key with the same arguments gives the same answer, and never a second change.
        to_product_code: what it shall be; empty: the same product.
        quantity: 1 to 999,999; None: as it is.
        when: ``now`` or ``period_end``. Left out: a longer interval, or at the same interval a higher price times
            quantity, is now, everything else at the period's end. During a trial it is always now, and bills nothing.
        add: how many of each add-on to add, by product code.
        change_token: of a preview: the change costs what was shown.
        mode: ``test`` or ``live``; by default the setting ``MODE``.

    Raises:
        NoSubscription, ProductNotFound, AlreadySubscribed, InvalidRequest, NotChangeable, ChangePending,
        ChangeExpired, ModeNotConfigured: nothing has changed.
        IdempotencyKeyReused, IdempotencyKeyInUse: the key's first request stands.
        StripeUnavailable: the same call again continues where this one stopped.
        StripeRefused: an operator has to act.
        RuntimeError: called inside a database transaction.
    """
    asked = asked_change(product_code, to_product_code, quantity, when, add)
    tokens.refuse_unstorable(change_token)
    token = {"change_token": change_token} if change_token else {}
    request = requests.asked_for("change", subject, product_code, mode, idempotency_key, **asked.details, **token)
    done = perform(request, lambda subscription: decide(subscription, asked, change_token))
    row = done.change
    url = payment_url(row.mode, row.stripe_invoice_id) if row.stripe_invoice_id else None
    return Changed(row.outcome, row.effective_at, url, done.replayed)


def asked_change(
    product_code: str, to_product_code: str, quantity: int | None, when: str, add: Mapping[str, int] | None
) -> AskedChange:
    """Raises InvalidRequest."""
    asked = AskedChange(
        product_code=product_code, to_product_code=to_product_code, quantity=quantity, when=when, add=add or {}
    )
    asked.validate()
    return asked


def decide(subscription: Owned, asked: AskedChange, change_token: str) -> Decision:
    found = plan(subscription, asked)
    proration_date = found.proration_date
    if change_token:
        proration_date = tokens.read(change_token, meaning=found.meaning, at=clock.now()).proration_date
    fetched, subscription_id = found.fetched, subscription.subscription_id
    first = steps.release(fetched.schedule_id)
    if found.is_now:
        asked_of_stripe = params.update_params(
            found.before, found.after, is_trial=found.is_trial, proration_date=proration_date
        )
        return Decision([*first, *steps.update(subscription_id, asked_of_stripe)], "changed", found.effective_at)
    scheduled = steps.schedule(subscription_id, found.before, found.after)
    return Decision([*first, *steps.void(fetched.waiting), *scheduled], "scheduled", found.effective_at)


def payment_url(mode: str, invoice_id: str) -> str | None:
    """Stripe's page for an invoice, asked for anew each time: its address runs out."""
    url: str | None = client.fetch_invoice(mode, invoice_id).get("hosted_invoice_url")
    return url
