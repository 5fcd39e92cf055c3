"""Facts become entitlements: load what is known, derive what it means, write the difference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from licenzy_django.conf import licenzy_settings
from licenzy_django.db.rows import written
from licenzy_django.entitlements import history
from licenzy_django.entitlements.allowance import Window, derive_windows
from licenzy_django.entitlements.derive import (
    EntitlementState,
    Purchase,
    derive_purchases,
)
from licenzy_django.entitlements.history import LockedSubject
from licenzy_django.entitlements.outdated import FactsOutdated
from licenzy_django.entitlements.price_history import KnownPrices, allowance_sold, known_prices
from licenzy_django.entitlements.scheduled import scheduled_changes, scheduled_prices, with_what_is_scheduled
from licenzy_django.entitlements.subscription_states import Derivation, evidence_of, is_over
from licenzy_django.entitlements.terms import Allowance, Terms
from licenzy_django.entitlements.unknown_prices import keep_unknown_prices, unknown_prices
from licenzy_django.ledger import packs
from licenzy_django.models import (
    CheckoutAttempt,
    Entitlement,
    Kind,
    Product,
    Status,
    Subject,
)
from licenzy_django.models.audit import AuditContext
from licenzy_django.models.versions import is_applied_since, sold_at
from licenzy_django.outbound import outbox
from licenzy_django.outbound.events import InvoiceOutcome
from licenzy_django.stripe import facts
from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.invoice import is_complete
from licenzy_django.stripe.objects.subscription import FreeStart, Subscription


def lock_subject(subject_id: int) -> LockedSubject:
    """Everything about a subject is rebuilt under this lock. On SQLite the transaction itself is the lock."""
    rows = written(Subject).select_for_update(no_key=True)
    row = rows.annotate(has_listeners=Exists(outbox.listeners_of(OuterRef("mode")))).get(pk=subject_id)
    return LockedSubject(row, row.has_listeners)


@transaction.atomic(savepoint=False)
def rebuild_subscription(
    subject_id: int,
    subscription_id: str,
    *,
    audit: AuditContext,
    invoice: InvoiceOutcome | None = None,
) -> list[Entitlement]:
    """Bring the entitlements of one subscription in line with everything known of it. Returns those that changed.

    Raises FactsOutdated, and has changed nothing.

    Args:
        invoice: one of the subscription's that was just stored: how its payment went is an event.
    """
    locked = lock_subject(subject_id)
    subject = locked.row
    known = facts.facts_of_subscription(subject.mode, subscription_id)
    subscription = next((fact for fact in known if fact.stripe_id == subscription_id), None)
    if subscription is None:
        return []
    if outdated := [fact.stripe_id for fact in known if fact.object == "invoice" and not is_complete(fact)]:
        raise FactsOutdated(subject.mode, outdated)
    found = rows_of_subscription(subject.mode, subscription_id)
    rows = {row.product_id: row for row in found}
    prices = known_prices(subject.mode, prices_of(subscription, known), attempt=attempt_behind(subject, subscription))
    book, products = prices.book, prices.products
    leeway = int(licenzy_settings().renewal_leeway.total_seconds())
    derivation = Derivation(evidence_of(subscription, known), known, book.terms_of, leeway)
    states = derivation.states()
    windows = windows_of(derivation, states, prices, leeway)
    states = [with_what_was_sold(state, products[state.product_id]) for state in states]
    parsed = Subscription.of(subscription)
    changes = scheduled_changes(parsed, known, book.terms_of)
    codes = {product_id: product.code for product_id, product in products.items()}
    states = [with_what_is_scheduled(state, parsed, changes, codes) for state in states]
    states += [ended(row) for product_id, row in rows.items() if product_id not in {r.product_id for r in states}]
    over = is_over(parsed, known)
    unknown = set() if over else unknown_prices(parsed, book.terms_of)
    keep_unknown_prices(subject, subscription_id, unknown, audit)
    was_over = bool(rows) and all(row.status == Status.CANCELED for row in rows.values())
    whole = outbox.WholeSubscription(subject, found, is_end=over and not was_over, invoice=invoice)
    attempt_ids = {subscription_id: prices.attempt_id}
    return history.write(locked, states, found, audit=audit, attempt_ids=attempt_ids, whole=whole, windows=windows)


def windows_of(
    derivation: Derivation, states: Sequence[EntitlementState], prices: KnownPrices, leeway: int
) -> list[Window] | None:
    """The windows of units that come with a subscription; None where no product of it includes any, or ever did."""
    if not any(product.unit for product in prices.products.values()):
        return None

    def allowance_of(product_id: int, at: int) -> Allowance | None:
        return allowance_sold(prices.products[product_id], at)

    return derive_windows(derivation.paid_time, prices.book.terms_of, allowance_of, states, leeway=leeway)


def attempt_behind(subject: Subject, subscription: Fact) -> QuerySet[CheckoutAttempt] | None:
    """The subject's own checkout that the subscription says it came from: to be shown, nothing rests on it."""
    named = subscription.state.get("attempt")
    attempts = CheckoutAttempt.objects.filter(mode=subject.mode, subject=subject)
    return attempts.filter(public_id=named) if named else None


@transaction.atomic(savepoint=False)
def rebuild_purchase(attempt: CheckoutAttempt, *, audit: AuditContext) -> list[Entitlement]:
    """Bring what one attempt in payment mode bought in line with the facts; the passes around it move with it."""
    locked = lock_subject(attempt.subject_id)
    subject = locked.row
    attempts = list(attempts_rebuilt_together(attempt))
    sessions = facts.facts_by_id(subject.mode, (other.stripe_session_id for other in attempts))
    known = [facts.fact_from(row) for row in payments_of(subject.mode, sessions.values())]
    rows = rows_of_sources(subject.mode, sessions)
    revoked = {row.source_id: int(row.revoked_at.timestamp()) for row in rows if row.revoked_at is not None}
    purchases = [
        Purchase(
            facts.fact_from(sessions[other.stripe_session_id]),
            other.stripe_price_id,
            terms_of_attempt(other),
            revoked.get(other.stripe_session_id),
        )
        for other in attempts
        if other.stripe_session_id in sessions
    ]
    states = derive_purchases(purchases, known)
    attempt_ids: dict[str, int | None] = {other.stripe_session_id: other.pk for other in attempts}
    return history.write(locked, states, rows, audit=audit, attempt_ids=attempt_ids)


def attempts_rebuilt_together(attempt: CheckoutAttempt) -> Iterable[CheckoutAttempt]:
    """A pack stands alone. Passes of one product are stacked, so each needs to know the others."""
    if not Kind(attempt.terms["kind"]).rules.is_stacked:
        return [attempt]
    same = CheckoutAttempt.objects.filter(subject_id=attempt.subject_id, product_id=attempt.product_id)
    return same.exclude(stripe_session_id="").select_related("product")


def payments_of(mode: str, sessions: Iterable[Any]) -> Sequence[Any]:
    return facts.facts_of_payments(mode, (session.payment_intent_id for session in sessions))


def rows_of_sources(mode: str, source_ids: Iterable[str]) -> list[Entitlement]:
    """The rows that rest on these sources, with their packs locked. The rows themselves change under the subject's lock
    alone."""
    rows = list(written(Entitlement).filter(mode=mode, source_id__in=list(source_ids)).order_by("pk"))
    packs.lock_those_of(rows)
    return rows


def rows_of_subscription(mode: str, subscription_id: str) -> list[Entitlement]:
    """With their products, under the subject's lock alone: what is taken without it is units, and they have none."""
    rows = written(Entitlement).filter(source_id=subscription_id, mode=mode)
    return list(rows.select_related("product").order_by("pk"))


def prices_of(subscription: Fact, known: Sequence[Fact]) -> set[str]:
    """Every price that the subscription has, had, was billed for, or will have."""
    seen = {fact.state["price"] for fact in known if fact.object == "subscription_price"}
    billed = {line["price"] for fact in known if fact.object == "invoice" for line in fact.state.get("lines") or []}
    free = {price for fact in known if fact.object == "free_start" for _, price, _ in FreeStart.of(fact).items}
    reported = {item["price"] for item in subscription.state["items"]}
    return reported | seen | billed | free | scheduled_prices(known)


def terms_of_attempt(attempt: CheckoutAttempt) -> Terms:
    """As sold. Features that were applied to everybody later count instead, and where they were not kept then."""
    product, sold = attempt.product, dict(attempt.terms)
    at = int(attempt.frozen_at.timestamp())
    features, limits = sold.pop("features", None), sold.pop("limits", {})
    if features is None or is_applied_since(product.versions, at):
        gave = sold_at(product.versions, at)
        features, limits = gave.get("features", product.features), gave.get("limits", limits)
    return Terms(product_id=attempt.product_id, unit=product.unit, features=tuple(features), limits=limits, **sold)


def with_what_was_sold(state: EntitlementState, product: Product) -> EntitlementState:
    """What the catalog said when the paid line in force began; where none is in force, what the row says stays."""
    if state.terms_at is None:
        return state
    sold = sold_at(product.versions, state.terms_at)
    features = tuple(sold.get("features", product.features))
    return replace(state, features=features, limits=sold.get("limits", {}))


def ended(row: Entitlement) -> EntitlementState:
    """A row that the facts no longer speak of."""
    return EntitlementState(
        source_id=row.source_id,
        product_id=row.product_id,
        price=row.stripe_price_id,
        status=Status.CANCELED,
        status_reason="canceled",
        quantity=row.quantity,
    )
