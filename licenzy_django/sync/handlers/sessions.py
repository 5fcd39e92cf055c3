"""Checkout sessions: ours, and nobody else's."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef, Q

from licenzy_django.checkout import attempts
from licenzy_django.entitlements.rebuild import lock_subject, rebuild_purchase, rebuild_subscription
from licenzy_django.models import CheckoutAttempt, Entitlement, Kind, StripeFact
from licenzy_django.models.audit import AuditContext
from licenzy_django.outbound import outbox
from licenzy_django.outbound.events import PaidSession
from licenzy_django.stripe import client, facts
from licenzy_django.stripe.objects import Fact
from licenzy_django.stripe.objects.session import paid_at_of, parse_lines
from licenzy_django.sync.handlers.notes import remember
from licenzy_django.sync.handlers.result import Context, HandlerResult, ignored
from licenzy_django.sync.handlers.subscriptions import save_subscription


def handle_session(session: Fact, context: Context) -> HandlerResult:
    attempt = attempt_of_session(session, context.mode)
    if attempt is None:
        return ignored("not a session of ours")
    if session.state["mode"] == "payment" and paid_at_of(session) is not None:
        session = with_lines(session, attempt)
    whole = facts.save(session, mode=context.mode, subject=attempt.subject)
    adopt(attempt, whole)
    subscription_id = whole.links["subscription_id"]
    if subscription_id and not context.is_fetched and not getattr(attempt, "has_subscription", False):
        # The session itself says that its invoice is paid.
        paid = Fact("invoice", whole.links["invoice_id"], {"status": "paid"}) if paid_at_of(whole) is not None else None
        if answer := save_subscription(subscription_id, attempt.subject, context, newest=paid):
            remember([answer], {}, attempt.subject, context.mode)
    return HandlerResult(f"attempt {attempt.public_id}", attempt.subject_id, (SessionRebuild(attempt, whole),))


@dataclass(frozen=True, slots=True)
class SessionRebuild:
    """What one session of ours bought, and then the status of its attempt."""

    attempt: CheckoutAttempt
    session: Fact

    def run(self, audit: AuditContext) -> list[Entitlement]:
        # The entitlements first, since that locks the subject: the return page has it before it touches the attempt.
        attempt, changed = self.attempt, []
        if subscription_id := self.session.links["subscription_id"]:
            changed = rebuild_subscription(attempt.subject_id, subscription_id, audit=audit)
        elif self.session.state["mode"] == "payment":
            changed = rebuild_purchase(attempt, audit=audit)
        else:
            lock_subject(attempt.subject_id)
        is_finalized = attempts.update_status(attempt, self.session)
        if is_finalized and getattr(attempt, "has_listeners", False):
            outbox.publish_purchase(attempt, paid_session(self.session), audit=audit)
        return changed


def paid_session(session: Fact) -> PaidSession:
    return PaidSession(
        session_id=session.stripe_id,
        subscription_id=session.links["subscription_id"],
        payment_intent_id=session.links["payment_intent_id"],
        amount_total=session.state["amount_total"],
        currency=session.state["currency"],
    )


def attempt_of_session(session: Fact, mode: str) -> CheckoutAttempt | None:
    """The attempt that this session was made for, or None for a stranger's.

    ``client_reference_id`` is never looked at: anybody can set it on a payment link. Our metadata only finds an attempt
    whose answer was lost, and only if the session belongs to the customer that we made for its subject.
    """
    named, customer_id = session.state["attempt"], session.links["customer_id"]
    is_its_own = Q(stripe_session_id=session.stripe_id)
    if isinstance(named, str) and customer_id and not session.state["payment_link"]:
        # In one query: between two the answer could be committed, and neither would find it.
        is_its_own |= Q(public_id=named, stripe_session_id="")
    rows = CheckoutAttempt.objects.filter(mode=mode).select_related("subject", "product")
    # Asked along: a subscription that is known need not be fetched, and nobody may listen.
    known = StripeFact.objects.filter(mode=mode, stripe_id=session.links["subscription_id"])
    rows = rows.annotate(has_subscription=Exists(known), has_listeners=Exists(outbox.listeners_of(OuterRef("mode"))))
    for attempt in rows.filter(is_its_own).order_by("-stripe_session_id"):
        if attempt.stripe_session_id or attempt.stripe_params.get("customer") == customer_id:
            return attempt
    return None


def adopt(attempt: CheckoutAttempt, session: Fact) -> None:
    """Give the attempt the session whose answer was lost."""
    if not attempt.stripe_session_id:
        CheckoutAttempt.objects.filter(pk=attempt.pk, stripe_session_id="").update(stripe_session_id=session.stripe_id)
        attempt.stripe_session_id = session.stripe_id


def with_lines(session: Fact, attempt: CheckoutAttempt) -> Fact:
    """The session with what was bought, since events never carry the lines and customers can change quantities."""
    if session.state.get("lines") is not None:
        return session
    known = facts.facts_by_id(attempt.mode, [session.stripe_id]).get(session.stripe_id)
    if known is not None and known.state.get("lines") is not None:
        return session
    try:
        lines = parse_lines(client.fetch_session_lines(attempt.mode, session.stripe_id))
    except client.StripeObjectMissing:
        # Test data that was deleted. The event proves the payment; what was bought is sure only where nobody could
        # change it on the page.
        is_adjustable = Kind(attempt.terms["kind"]).rules.has_units
        lines = [] if is_adjustable else [{"price": attempt.stripe_price_id, "quantity": attempt.quantity}]
    return replace(session, state={**session.state, "lines": lines})
